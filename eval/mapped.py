"""Another system, asked through a mapping and read as if it spoke our ``/v1/ask``."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from corpus.sentences import split_sentences
from eval.connecting import ServiceConnection
from eval.errors import TargetError
from eval.mapping import MappedList, TargetMapping, filled


class MappedTarget:
    """A system behind a mapping.

    Each sentence of its answer leans on the citations whose mark stands in it, else on those whose stated place in the
    answer it overlaps, else, where the system links nothing to anything, on all of them.

    Args:
        mapping: How to speak to it.
        url: Its address.
        headers: Sent with each request, such as a key.

    Raises:
        TargetError: ``url`` is no address.
    """

    def __init__(self, mapping: TargetMapping, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.name = f"{mapping.name} at {url}"
        self._mapping = mapping
        self._connection = ServiceConnection(url, headers)

    def ask(self, question: str, history: Sequence[str] = ()) -> dict[str, Any]:
        """Return the system's reply in the shape of ``/v1/ask``.

        Raises:
            TargetError: a request fails, or no answer stands where the mapping says.
        """
        values = {**self._mapping.values, "question": question}
        replies: dict[str, Any] = {}
        for request in self._mapping.requests:
            query = urlencode(filled(dict(request.query), values))
            body = None if request.body is None else filled(request.body, values, tuple(history))
            path = f"{request.path}?{query}" if query else request.path
            replies[request.name] = self._connection.json(request.method, path, body)
        return read_reply(self._mapping, replies)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def read_reply(mapping: TargetMapping, replies: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``/v1/ask`` object that the replies amount to.

    Raises:
        TargetError: there is neither an answer nor a sign that the system declined.
    """
    found = mapping.answer.first(replies)
    declined = mapping.abstained_where is not None and bool(mapping.abstained_where.first(replies))
    if not isinstance(found, str) and not declined:
        raise TargetError(mapping.name, f"no text stands at {mapping.answer.text}")
    answer = found if isinstance(found, str) else ""
    phrases = mapping.abstained_phrases
    declined = declined or not answer.strip() or (phrases is not None and phrases.search(answer) is not None)
    citations = _rows(mapping, mapping.citations, replies)
    passages = _rows(mapping, mapping.passages, replies) if mapping.passages else citations
    ranked = [{"source_id": row["source_id"]} for row in passages]
    if declined:
        return {"status": "abstained", "answer": "", "passages": ranked}
    return {
        "status": "answered",
        "answer": answer,
        "sentences": _sentences(mapping, answer, citations),
        "citations": citations,
        "passages": ranked,
    }


def _rows(mapping: TargetMapping, places: MappedList | None, replies: Mapping[str, Any]) -> list[dict[str, Any]]:
    if places is None:
        return []
    rows: list[dict[str, Any]] = []
    for element in places.each.values(replies):
        if places.where:
            one, other = (path.first(replies, element) for path in places.where)
            if one != other:
                continue
        row = {name: path.first(replies, element) for name, path in places.fields.items()}
        named = str(row.get("source") or "")
        match = mapping.source_pattern.search(named) if mapping.source_pattern else None
        rows.append(
            {
                "id": f"c{len(rows) + 1}",
                "source_id": match[1] if match else named,
                "quote": str(row.get("quote") or ""),
                "title": str(row.get("title") or ""),
                "url": str(row.get("url") or ""),
                "place": (row.get("start"), row.get("end")),
            }
        )
    return rows


def _sentences(mapping: TargetMapping, answer: str, citations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    marked = mapping.markers is not None and mapping.markers.search(answer) is not None
    placed = all(isinstance(end, int) for row in citations for end in row["place"]) and bool(citations)
    sentences: list[dict[str, Any]] = []
    for span in split_sentences(answer):
        text = answer[span.start : span.end]
        if marked and mapping.markers is not None:
            text, lead = _without_lead(text, mapping.markers)
            if sentences:  # "Heat helps. [1]": a mark behind the full stop belongs to what it follows
                sentences[-1]["citation_ids"] += [f"c{number}" for number in lead]
            ids = [f"c{number}" for number in mapping.markers.findall(text)]
            text = re.sub(r"\s+(?=[.,;:!?])", "", " ".join(mapping.markers.sub("", text).split()))
        elif placed:
            ids = [row["id"] for row in citations if row["place"][0] < span.end and span.start < row["place"][1]]
        else:
            ids = [row["id"] for row in citations]
        if text:
            sentences.append({"text": text, "citation_ids": ids})
    return sentences


def _without_lead(text: str, markers: re.Pattern[str]) -> tuple[str, list[str]]:
    lead: list[str] = []
    while (mark := markers.match(text)) is not None and mark.end():
        lead.append(mark[1])
        text = text[mark.end() :].lstrip()
    return text, lead
