"""BEIR folders through the real index, splitting off: one text a document, so that figures compare with papers.

Source: N. Thakur, N. Reimers, A. Rücklé, A. Srivastava, I. Gurevych (2021), BEIR: a heterogeneous benchmark for
zero-shot evaluation of information retrieval models, NeurIPS, arXiv:2104.08663.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.benchmarks.trec import Grades, Ranking, load_qrels
from eval.errors import RunError
from index.dense import DenseIndex
from index.embedding import Embedder, Progress
from index.fusion import fuse
from index.hits import Hit
from index.lexical import LexicalIndex, stems

DEPTH = 100
SEARCHERS = ("bm25", "dense", "fused")


@dataclass(frozen=True, slots=True)
class Collection:
    """One BEIR folder.

    Attributes:
        documents: Title and text in one, by document id, in file order.
        queries: Text by query id, only those that are judged.
        grades: The judgements.
    """

    documents: Mapping[str, str]
    queries: Mapping[str, str]
    grades: Grades


def load_collection(folder: Path, part: str = "test") -> Collection:
    """Read ``corpus.jsonl``, ``queries.jsonl`` (either may be gzipped) and ``qrels/<part>.tsv``.

    Raises:
        RunError: a file is missing, or a line is no such object.
    """
    grades = load_qrels(folder / "qrels" / f"{part}.tsv")
    documents = {row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in _rows(folder, "corpus")}
    queries = {row["_id"]: row["text"] for row in _rows(folder, "queries") if row["_id"] in grades}
    return Collection(documents, queries, grades)


def search_collection(
    collection: Collection, searchers: Sequence[str], embedder: Embedder | None, progress: Progress | None = None
) -> dict[str, dict[str, Ranking]]:
    """Rank all documents for every query.

    ``fused`` is the fusion that the service uses: nothing in it was fitted on the collection.

    Args:
        collection: What is searched.
        searchers: Of ``SEARCHERS``.
        embedder: Needed by all but ``bm25``.
        progress: Told how many documents are embedded.

    Returns:
        By searcher and query id, at most ``DEPTH`` documents, best first.

    Raises:
        ValueError: a searcher is unknown, or there is no embedder for one that needs it.
    """
    if unknown := set(searchers) - set(SEARCHERS):
        raise ValueError(f"no searcher is called {', '.join(sorted(unknown))}")
    names, texts = list(collection.documents), list(collection.documents.values())
    by_words = _lexical(texts) if {"bm25", "fused"} & set(searchers) else None
    by_vectors = None
    if {"dense", "fused"} & set(searchers):
        if embedder is None:
            raise ValueError("dense search needs an embedder")
        by_vectors = _dense(texts, embedder, progress)
    found: dict[str, dict[str, Ranking]] = {searcher: {} for searcher in searchers}
    for query, text in collection.queries.items():
        runs = {"bm25": by_words(text) if by_words else [], "dense": by_vectors(text) if by_vectors else []}
        if "fused" in searchers:
            runs["fused"] = fuse([runs["dense"]], runs["bm25"], len(stems(text)))[:DEPTH]
        for searcher in searchers:
            found[searcher][query] = [(names[hit.row], float(hit.score)) for hit in runs[searcher]]
    return found


def _lexical(texts: Sequence[str]) -> Callable[[str], list[Hit]]:
    index = LexicalIndex.build(texts)
    return lambda query: index.search(query, DEPTH)


def _dense(texts: Sequence[str], embedder: Embedder, progress: Progress | None) -> Callable[[str], list[Hit]]:
    index = DenseIndex.build(embedder.embed(texts, progress))
    return lambda query: index.search(embedder.embed([query])[0], DEPTH)


def _rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    packed = folder / f"{name}.jsonl.gz"
    path = packed if packed.exists() else folder / f"{name}.jsonl"
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path == packed else path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                row = json.loads(line)
                if not isinstance(row.get("_id"), str) or not isinstance(row.get("text"), str):
                    raise RunError(f"{path}:{number}", "needs _id and text")
                yield row
    except OSError as fault:
        raise RunError(str(path), f"cannot be read: {fault}") from fault
    except (ValueError, AttributeError) as fault:
        raise RunError(f"{path}:{number}", f"is no JSON object: {fault}") from fault
