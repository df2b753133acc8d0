"""A reply as plain text: for clients that show a message and nothing else.

The notice comes first, each sentence carries the numbers of its citations, and the numbers are explained at the end.
The numbers are written here, last and in one place, from the reply's own list of citations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mark:
    """Where in the text a citation stands.

    Attributes:
        start: First code point of the sentence.
        end: Past the last code point of its marks.
        citation: The citation, as in the reply.
    """

    start: int
    end: int
    citation: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Transcript:
    """A reply in pieces that, joined, are its whole text.

    Attributes:
        pieces: The pieces in order: notice, sentences, the rest.
        marks: The citations of the sentences, in reading order.
    """

    pieces: tuple[str, ...]
    marks: tuple[Mark, ...]

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def transcribe(reply: Mapping[str, Any], emergency_numbers: Sequence[str]) -> Transcript:
    """Write one reply as text.

    Args:
        reply: The object of ``POST /v1/ask``.
        emergency_numbers: Numbers in the order in which they are offered.
    """
    pieces: list[str] = []
    marks: list[Mark] = []
    position = 0

    def add(piece: str) -> int:
        nonlocal position
        start = position
        pieces.append(piece)
        position += len(piece)
        return start

    if reply["triage"]:
        add("\n".join(notice_lines(reply["triage"], emergency_numbers)) + "\n\n")
    citations = {citation["id"]: citation for citation in reply["citations"]}
    numbers = {name: number for number, name in enumerate(citations, start=1)}
    for sentence in reply["sentences"]:
        names = sentence["citation_ids"]
        piece = f"{sentence['text']} {_marks(names, numbers)}"
        start = add(piece)
        marks.extend(Mark(start, start + len(piece), citations[name]) for name in names)
        add("\n")
    for line in _after_sentences(reply, numbers):
        add(f"\n{line}")
    if citations:
        add("\n\nSources")
        for name, citation in citations.items():
            add(f"\n{footnote(numbers[name], citation)}")
    if reply["disclaimer"]:
        add(f"\n\n{reply['disclaimer']}")
    return Transcript(tuple(pieces), tuple(marks))


def notice_lines(notice: Mapping[str, Any], emergency_numbers: Sequence[str]) -> list[str]:
    """Return the lines of a notice: what it is, whom to call, what to do, why it is shown."""
    lines = [f"{notice['label'].upper()}: {notice['title']}"]
    if notice["level"] == "emergency":
        lines.append(f"Call {', '.join(emergency_numbers)} or your local emergency number.")
    lines += [line for line in (notice["message"], notice["how"], *notice["conditional"]) if line]
    matched = ", ".join(f"“{rule['matched']}”" for rule in notice["rules"] if rule["matched"])
    if matched:
        lines.append(f"Why you see this: you wrote {matched}.")
    lines += [f"Source of this warning: {s['title']}, {s['publisher']} {s['url']}".rstrip() for s in notice["sources"]]
    return lines


def footnote(number: int, citation: Mapping[str, Any]) -> str:
    """Return what stands behind one number: title, publisher, what it is, address, credit."""
    kind = "our digest" if citation["digest"] else "quote"
    parts = [f"[{number}] {citation['title']}, {citation['publisher']} ({kind})"]
    parts += [part for part in (citation["deep_link"] or citation["url"], citation["credit"]) if part]
    return " ".join(parts)


def _marks(names: Sequence[str], numbers: Mapping[str, int]) -> str:
    return "".join(f"[{numbers[name]}]" for name in names)


def _after_sentences(reply: Mapping[str, Any], numbers: Mapping[str, int]) -> list[str]:
    lines = [f"Not in my sources: {part}" for part in reply["missing"]]
    for differing in reply["differences"]:
        lines.append(f"The sources differ: {differing['topic']}")
        lines += [f"- {side['text']} {_marks(side['citation_ids'], numbers)}" for side in differing["positions"]]
        if differing["care"]:
            lines.append("If they differ on when to get help, go by the earliest time.")
    abstention = reply["abstention"]
    if abstention:
        lines.append(abstention["message"])
        if abstention["nearest"]:
            lines.append("What I did find:")
            lines += [
                f"- {near['quote']} ({' '.join(filter(None, (near['title'] + ',', near['publisher'], near['url'])))})"
                for near in abstention["nearest"]
            ]
    return lines
