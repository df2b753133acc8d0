"""Question and answer pairs through the real index: does a question find its own answer among all of them?

The question is not indexed with its answer. An answer to an identically worded question counts as right too, and what
is asked is a fixed sample. Each question is also asked misspelt and inside a long ramble, both made by rule.
"""

import gzip
import hashlib
import json
import random
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.normalising import normalise
from corpus.records import Document, Section, Source, Span
from eval.benchmarks.trec import Grades, Ranking
from eval.errors import RunError
from eval.measures.retrieval import ndcg_at
from eval.perturbing import misspell
from eval.significance import PairedTest, paired_randomisation
from index.building import build_snapshot
from index.embedding import Embedder, Progress
from index.errors import SnapshotError
from index.hits import PassageHit
from index.retrieving import Filters, Retriever
from index.snapshot import check_current_snapshot, open_snapshot

COLLECTION = "pairs"
DEPTH = 100
DEFAULT = "default"
"""Name of the search as it is shipped, beside those of the single searchers."""

_OPENINGS = (
    "Hello, I am sorry to bother you with this late in the evening.",
    "Good morning to everybody who reads this, it is my first time here.",
    "Hi, my sister said that I should write to you and so here I am.",
)
_STORIES = (
    "We moved house three weeks ago and nothing is where it should be, so I have had little time to look things up.",
    "My neighbour tells me one thing and the people at work another, and I no longer know whom to believe.",
    "I have read a good many pages on my phone by now, but most of them wanted to sell me something in the end.",
    "Last winter I sat in a waiting room for two hours over something else, and since then I would rather ask first.",
)
_CLOSINGS = (
    "Thank you for your patience, and please write so that an ordinary person can follow.",
    "I would be glad of anything that you can tell me, whenever you find the time.",
    "Many thanks in advance, and have a nice weekend all of you.",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One answered question.

    Attributes:
        id: Its id.
        question: The question.
        answer: Its answer.
    """

    id: str
    question: str
    answer: str


def load_pairs(path: Path) -> list[Pair]:
    """Read JSON Lines with ``_id``, ``title`` (the question) and ``text`` (the answer); the file may be gzipped.

    Raises:
        RunError: the file cannot be read, or a line is no such object.
    """
    number = 0
    pairs = []
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for line in lines:
                number += 1
                row = json.loads(line)
                pairs.append(Pair(row["_id"], row["title"], normalise(row["text"])))
    except OSError as fault:
        raise RunError(str(path), f"cannot be read: {fault}") from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise RunError(f"{path}:{number}", "needs _id, title and text") from fault
    return [pair for pair in pairs if pair.answer.strip()]


def open_retriever(
    pairs: Sequence[Pair], embedder: Embedder, home: Path, progress: Progress | None = None
) -> Retriever:
    """Build the index of all answers below a folder, unless it is there, and open it."""
    documents = list(documents_of(pairs))
    names = "".join(f"{document.id} {document.version}\n" for document in documents)
    made_from = {"pairs": hashlib.sha256(names.encode()).hexdigest()}
    snapshots = home / "snapshots"
    try:
        built = check_current_snapshot(snapshots).made_from == made_from
    except SnapshotError:
        built = False
    if not built:
        build_snapshot(documents, embedder, snapshots, progress, cache=home / "cache", made_from=made_from)
    return Retriever(open_snapshot(snapshots, embedder.model_id), embedder)


def documents_of(pairs: Sequence[Pair]) -> Iterator[Document]:
    """Yield each answer as a document without a title: the question must not be found in it."""
    for pair in pairs:
        source = Source(pair.id, "", "", "", "", collection=COLLECTION)
        yield Document(pair.id, source, "", pair.answer, (Section((), Span(0, len(pair.answer))),))


def sample_pairs(pairs: Sequence[Pair], count: int, seed: int = 1) -> list[Pair]:
    """Return a fixed sample, in the order of the file."""
    chosen = random.Random(seed).sample(range(len(pairs)), min(count, len(pairs)))  # noqa: S311 (a repeatable draw)
    return [pairs[place] for place in sorted(chosen)]


def grade_pairs(pairs: Sequence[Pair], asked: Sequence[Pair]) -> dict[str, dict[str, int]]:
    """Return the right answers of each question: its own, and those to the same words."""
    by_words: dict[str, list[str]] = {}
    for pair in pairs:
        by_words.setdefault(_words(pair.question), []).append(pair.id)
    return {pair.id: dict.fromkeys(by_words[_words(pair.question)], 1) for pair in asked}


def _words(question: str) -> str:
    return " ".join(question.lower().rstrip(" ?.").split())


def ramble(question: str) -> str:
    """Bury the question in a long story that has nothing to do with it."""
    draw = random.Random(zlib.crc32(question.encode()))  # noqa: S311 (a repeatable draw, no secret)
    first, second = draw.sample(_STORIES, 2)
    return f"{draw.choice(_OPENINGS)} {first} {question.strip()} {second} {draw.choice(_CLOSINGS)}"


VARIANTS: Mapping[str, Callable[[str], str]] = {"as asked": str, "misspelt": misspell, "rambling": ramble}


def search_pairs(
    retriever: Retriever, asked: Sequence[Pair], change: Callable[[str], str]
) -> dict[str, dict[str, Ranking]]:
    """Ask every question in one variant.

    Returns:
        By searcher (``bm25``, ``dense`` and the shipped search) and question, documents in the order of their best
        passage.
    """
    found: dict[str, dict[str, Ranking]] = {"bm25": {}, "dense": {}, DEFAULT: {}}
    filters = Filters(collection=COLLECTION)
    for pair in asked:
        question = change(pair.question)
        for name, passages in retriever.rank_apart(question, DEPTH, filters).items():
            found[name][pair.id] = _ranking([passage.document_id for passage in passages])
        hits: list[PassageHit] = retriever.search(question, DEPTH, filters)
        found[DEFAULT][pair.id] = _ranking([hit.passage.document_id for hit in hits])
    return found


def _ranking(documents: Sequence[str]) -> Ranking:
    """Return each document once, where it stands first; the scores only keep that order."""
    return [(name, 1.0 / rank) for rank, name in enumerate(dict.fromkeys(documents), 1)]


@dataclass(frozen=True, slots=True)
class Comparison:
    """nDCG@10 of the better single searcher and of the shipped search, with the paired test."""

    alone: float
    shipped: float
    test: PairedTest


def better_alone(rankings: Mapping[str, Mapping[str, Ranking]], grades: Grades) -> tuple[str, Comparison]:
    """Hold the shipped search against the better of the single searchers, question by question, on nDCG@10.

    Returns:
        That searcher's name, and the comparison.
    """
    scores = {name: _ndcg(found, grades) for name, found in rankings.items()}
    best = max(("dense", "bm25"), key=lambda name: sum(scores[name]))
    test = paired_randomisation(scores[best], scores[DEFAULT])
    return best, Comparison(_mean(scores[best]), _mean(scores[DEFAULT]), test)


def _ndcg(rankings: Mapping[str, Ranking], grades: Grades) -> list[float]:
    return [ndcg_at([name for name, _ in rankings[query]], grades[query], 10) for query in grades]


def _mean(scores: Sequence[float]) -> float:
    return sum(scores) / len(scores)
