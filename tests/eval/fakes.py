"""A target that knows the right replies, and six saboteurs that spoil them, each in its own way."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eval.records import AnswerItem, DeclineItem, Item, KeyFact, TriageItem

DOCUMENT = (
    "A spasm lasts hours to several days. Do not stay in bed for long. Heat loosens a tight muscle. "
    "Most back pain eases within weeks. Walking helps the back to heal. Cold packs ease a fresh strain."
)
SENTENCES = tuple(f"{part.strip('. ')}." for part in DOCUMENT.split(". "))

ITEMS: tuple[Item, ...] = (
    *(
        AnswerItem(
            id=f"a{place}",
            question=f"Question {place} about the back?",
            phrasing="plain" if place % 2 else "terse",
            sources=(f"source-{place}",),
            key_facts=(KeyFact((f"source-{place}:F01",), ("nothing says this",)),),
        )
        for place in range(12)
    ),
    *(DeclineItem(f"d{place}", f"Off topic {place}?", "out_of_scope", "out_of_domain") for place in range(8)),
    *(TriageItem(f"t{place}", "alarm", f"numb down there {place}", "emergency", ("RF01",)) for place in range(6)),
    *(TriageItem(f"n{place}", "near_miss", f"numb with boredom {place}", "none", near=("RF01",)) for place in range(6)),
)


def answered(item: Item, place: int = 0) -> dict[str, Any]:
    """A reply of two sentences, each with its own exact citation."""
    name = item.sources[0] if isinstance(item, AnswerItem) else "source-x"
    cited: list[dict[str, Any]] = []
    sentences: list[dict[str, Any]] = []
    for number in (1, 2):
        quote = SENTENCES[(place + number) % len(SENTENCES)]
        start = DOCUMENT.index(quote)
        sentences.append({"text": quote, "start": 0, "end": len(quote), "citation_ids": [f"c{number}"]})
        cited.append(
            {
                "id": f"c{number}",
                "source_id": name,
                "document_id": "doc",
                "quote": quote,
                "source_start": start,
                "source_end": start + len(quote),
                "facts": [f"{name}:F0{number}"],
                "title": "A page",
                "url": "https://example.org/page",
            }
        )
    return {
        "status": "answered",
        "answer": " ".join(part["text"] for part in sentences),
        "sentences": sentences,
        "citations": cited,
        "passages": [{"id": "p1", "source_id": name}, {"id": "p2", "source_id": "source-y"}],
        "triage": None,
        "abstention": None,
        "probability": {"value": 0.99 - place / 1000, "threshold": 0.5, "calibrated_on": "nothing"},
        "snapshot_id": "fake",
        "model": "fake",
        "timings_ms": {"triage": 0.1, "total": 1.0},
    }


def abstained() -> dict[str, Any]:
    """A reply that declines."""
    return {
        "status": "abstained",
        "answer": "",
        "sentences": [],
        "citations": [],
        "passages": [],
        "triage": None,
        "abstention": {"reason": "out_of_scope", "nearest": [{"source_id": "source-y"}], "message": "No."},
        "probability": {"value": 0.1, "threshold": 0.5, "calibrated_on": "nothing"},
        "snapshot_id": "fake",
        "model": "fake",
        "timings_ms": {"triage": 0.1, "total": 0.5},
    }


def right_reply(item: Item, place: int) -> dict[str, Any]:
    """What a faultless target says."""
    if isinstance(item, AnswerItem):
        return answered(item, place)
    body = abstained()
    if isinstance(item, TriageItem) and item.is_alarm:
        body["triage"] = {"urgent": True, "level": item.level, "rules": [{"id": item.rules[0], "matched": "numb"}]}
    return body


class FakeTarget:
    """Answers each item of ``items`` rightly, then lets ``spoil`` change the reply.

    Args:
        items: What may be asked.
        spoil: Changes one reply; given the item, its place and the right reply.
    """

    def __init__(
        self,
        items: Sequence[Item] = ITEMS,
        spoil: Callable[[Item, int, dict[str, Any]], dict[str, Any]] = lambda _item, _place, body: body,
    ) -> None:
        self.name = "fake"
        self._places: Mapping[str, int] = {item.question: place for place, item in enumerate(items)}
        self._items = items
        self._spoil = spoil

    def ask(self, question: str, history: Sequence[str] = ()) -> dict[str, Any]:
        del history
        place = self._places[question]
        item = self._items[place]
        return self._spoil(item, place, right_reply(item, place))

    def document_text(self, document_id: str) -> str | None:
        return DOCUMENT if document_id == "doc" else None


def shuffle_citations(_item: Item, _place: int, body: dict[str, Any]) -> dict[str, Any]:
    """Each sentence leans on another sentence's citation."""
    ids = [part["citation_ids"] for part in body["sentences"]]
    for part, own in zip(body["sentences"], [*ids[1:], *ids[:1]], strict=True):
        part["citation_ids"] = own
    return body


def drop_not(_item: Item, _place: int, body: dict[str, Any]) -> dict[str, Any]:
    """The answer loses its negations, the quotes keep them."""
    for part in body["sentences"]:
        part["text"] = part["text"].replace(" not ", " ")
    body["answer"] = body["answer"].replace(" not ", " ")
    return body


def always_answer(item: Item, place: int, body: dict[str, Any]) -> dict[str, Any]:
    """Nothing is ever declined."""
    return answered(item, place) if isinstance(item, DeclineItem) else body


def always_abstain(_item: Item, _place: int, _body: dict[str, Any]) -> dict[str, Any]:
    """Everything is declined, without a look at danger signs."""
    return abstained()


def whole_page(_item: Item, _place: int, body: dict[str, Any]) -> dict[str, Any]:
    """The answer is the page from top to bottom, twenty times over, truly cited."""
    if body["status"] != "answered":
        return body
    first = body["citations"][0]
    body["citations"] = [{**first, "quote": DOCUMENT, "source_start": 0, "source_end": len(DOCUMENT)}]
    body["sentences"] = [{"text": text, "citation_ids": ["c1"]} for _ in range(20) for text in SENTENCES]
    body["answer"] = " ".join(part["text"] for part in body["sentences"])
    return body


def echo(item: Item, _place: int, body: dict[str, Any]) -> dict[str, Any]:
    """The answer is the question."""
    if body["status"] != "answered":
        return body
    return {**body, "answer": item.question, "sentences": [{"text": item.question, "citation_ids": []}]}
