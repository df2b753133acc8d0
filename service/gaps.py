"""What people asked in vain: unanswered and disliked questions, grouped by what they are about."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from index.lexical import stems
from index.retrieving import Retriever
from service.answering.understanding import GENERIC
from service.clustering import centre, group, unit
from service.redacting import redact
from service.storage.answers import StoredAnswer, load_answers
from service.storage.feedback import load_feedback

Kind = Literal["unanswered", "disliked"]

REASONS: Final = frozenset({"nothing_found", "not_in_sources", "out_of_scope"})
"""Silences that a new source could end."""

MOST_QUESTIONS: Final = 4_000
"""Most different questions that are grouped, the newest: memory grows with the square."""

MOST_PASSAGES: Final = 2_000
"""Passages of the default collection whose mean stands for what all questions share."""

WORDS: Final = 3

_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_EVERYWHERE = re.compile(
    r"\b(?:(?:lower |low )?back(?:ache|s)?|spine|spinal|pains?|painful|aches?|aching|hurts?|hurting|sore|stiff|bad|"
    r"lumbar|help|helps|my|a|an|the|does|do|is|i|can|how|to|for|of|with|in|it|what|which)\b",
    re.IGNORECASE,
)
"""Words that most questions here have in common: they say little of what one is about."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One question that was asked in vain.

    Attributes:
        id: Made from the question and its kind.
        question: As it was searched, with identifiers taken out; of a partly answered one the part left open.
        kind: Whether there was no answer, or one that was disliked.
        answer_id: The newest such answer.
        reason: Why there was none (``partial`` for a part), or what was wrong with it, or None.
        nearest_source: The source that came nearest, or None.
        count: How often it was asked or disliked.
        collection: The collection that was asked.
    """

    id: str
    question: str
    kind: Kind
    answer_id: str
    reason: str | None
    nearest_source: str | None
    count: int
    collection: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Questions about one thing.

    Attributes:
        id: ``cluster-1`` is the first in the order of the report.
        name: The words that most of them share, or the most central question.
        question: The most central question.
        words: Words that they share, the commonest first.
        count: How often they were asked or disliked.
        nearest_source: The source that came nearest most often, or None.
        gaps: The questions, the most frequent first.
    """

    id: str
    name: str
    question: str
    words: tuple[str, ...]
    count: int
    nearest_source: str | None
    gaps: tuple[Gap, ...]

    @property
    def lacks_warning(self) -> bool:
        """Whether somebody said that a warning was missing: these come first."""
        return any(gap.reason == "warning" for gap in self.gaps)


def collect_gaps(engine: Engine, since: str, reasons: Collection[str] = REASONS) -> list[Gap]:
    """Return what was asked in vain since a time: each question once a kind, in the order of their texts.

    Args:
        engine: The database.
        since: As answers carry it.
        reasons: Silences that count.
    """
    found: dict[tuple[Kind, str, str], Gap] = {}
    for kind, question, reason, answer in _asked(engine, since, reasons):
        text = redact(" ".join(question.split()))
        name = text.casefold().rstrip("?.! ")
        key = (kind, name, answer.collection)
        earlier = found.get(key)
        found[key] = Gap(
            id="gap-" + hashlib.sha256("\n".join(key).encode()).hexdigest()[:12],
            question=text,
            kind=kind,
            answer_id=answer.id,
            reason=reason or (earlier.reason if earlier else None),
            nearest_source=_nearest(json.loads(answer.reply)),
            count=1 + (earlier.count if earlier else 0),
            collection=answer.collection,
        )
    newest = list(found.values())[-MOST_QUESTIONS:]
    return sorted(newest, key=lambda gap: (gap.question.casefold(), gap.kind, gap.collection))


def _asked(
    engine: Engine, since: str, reasons: Collection[str]
) -> Iterator[tuple[Kind, str, str | None, StoredAnswer]]:
    for answer in load_answers(engine, since):
        reply = json.loads(answer.reply)
        if reply["status"] == "abstained" and reply["abstention"]["reason"] in reasons:
            yield "unanswered", reply["rewritten_question"] or answer.question, reply["abstention"]["reason"], answer
        for part in reply["missing"]:
            yield "unanswered", part, "partial", answer
    for feedback, answer in load_feedback(engine, since):
        if feedback.verdict == "no":
            yield "disliked", answer.question, feedback.reason, answer


def cluster_gaps(gaps: Sequence[Gap], retriever: Retriever) -> list[Cluster]:
    """Group gaps by what they are about; missing warnings first, then the most asked.

    Args:
        gaps: From :func:`collect_gaps`, whose order makes the result the same each time.
        retriever: Its model, and its corpus, whose mean is what all that is asked here has in common.
    """
    if not gaps:
        return []
    parts = retriever.snapshot.parts
    corpus = (parts.get("default") or next(iter(parts.values()))).passage_vectors
    mean = corpus.vectors(range(min(len(corpus), MOST_PASSAGES))).mean(axis=0)
    whole = centre(np.stack([retriever.embed(gap.question) for gap in gaps]), mean)
    telling = centre(np.stack([retriever.embed(_telling(gap.question)) for gap in gaps]), mean)
    vectors = unit(whole + telling)
    groups = group(vectors)
    drafts = []
    for number in sorted(set(groups.tolist())):
        rows = np.flatnonzero(groups == number)
        drafts.append(_cluster([gaps[int(row)] for row in rows], vectors[rows]))
    drafts.sort(key=lambda one: (not one.lacks_warning, -one.count, -len(one.gaps), one.question))
    return [Cluster(f"cluster-{place}", *_rest(draft)) for place, draft in enumerate(drafts, 1)]


def export_lines(clusters: Sequence[Cluster]) -> Iterator[str]:
    """Yield one JSON object a gap, for the writer and for ``backline-eval from-feedback``."""
    for cluster in clusters:
        for gap in cluster.gaps:
            row: dict[str, Any] = asdict(gap) | {"cluster": cluster.id, "cluster_name": cluster.name}
            yield json.dumps(row, ensure_ascii=False)


def _cluster(gaps: Sequence[Gap], vectors: NDArray[np.float64]) -> Cluster:
    weights = np.array([gap.count for gap in gaps], dtype=np.float64)
    centrality = np.round(vectors @ (weights @ vectors), 9)
    central = gaps[int(np.argmax(centrality))]
    words = _shared_words(gaps)
    sources = Counter(gap.nearest_source for gap in gaps if gap.nearest_source is not None for _ in range(gap.count))
    return Cluster(
        id="",
        name=", ".join(words) or central.question,
        question=central.question,
        words=words,
        count=sum(gap.count for gap in gaps),
        nearest_source=min(sources, key=lambda name: (-sources[name], name)) if sources else None,
        gaps=tuple(sorted(gaps, key=lambda gap: (gap.reason != "warning", -gap.count, gap.question))),
    )


def _rest(draft: Cluster) -> tuple[Any, ...]:
    return tuple(getattr(draft, name) for name in Cluster.__slots__ if name != "id")


def _telling(question: str) -> str:
    """Return a question without the words that most questions have; the whole of it when nothing is left."""
    return " ".join(_EVERYWHERE.sub(" ", question).split()) or question


def _shared_words(gaps: Sequence[Gap]) -> tuple[str, ...]:
    """Return the telling words that at least two questions share, as people write them, the commonest first."""
    written: dict[str, Counter[str]] = {}
    for gap in gaps:
        for word in dict.fromkeys(_WORD.findall(_telling(gap.question).lower())):
            for stem in stems(word):
                if stem not in GENERIC:
                    written.setdefault(stem, Counter())[word] += gap.count
    asked = Counter({stem: sum(words.values()) for stem, words in written.items() if sum(words.values()) > 1})
    best = sorted(asked, key=lambda stem: (-asked[stem], stem))[:WORDS]
    return tuple(min(written[stem], key=lambda word: (-written[stem][word], word)) for stem in best)


def _nearest(reply: dict[str, Any]) -> str | None:
    return str(reply["passages"][0]["source_id"]) if reply["passages"] else None
