"""Lexical search: BM25 over stemmed words, scored when the index is built so that a question only adds."""

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from index.hits import Hit
from index.stemming import STOP_WORDS, stems

__all__ = ["STOP_WORDS", "LexicalIndex", "stems"]

K1 = 1.5
"""Saturation: how soon further repeats of a word stop to count."""
B = 0.75
"""How much a long text is discounted, from 0 (not) to 1 (by its length)."""

MANY_POSTINGS = 50_000
"""Entries of a query's words from which on the texts that cannot be among the best are left out of the sum."""

_MARGIN = 1e-3
"""More than sums in another order can differ by."""


class LexicalIndex:
    """BM25 (Lucene's variant, k1 1.5, b 0.75) over texts numbered in the order in which they came.

    Source:
        Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009,
        doi:10.1561/1500000019; the variant: Kamphuis et al., ECIR 2020, doi:10.1007/978-3-030-45442-5_4.
    """

    def __init__(self, postings: "_Postings", idf: dict[str, float]) -> None:
        self._postings = postings
        self._idf = idf

    @classmethod
    def build(cls, texts: Sequence[str]) -> "LexicalIndex":
        """Index ``texts``; an empty list is allowed."""
        numbers: dict[str, int] = {}
        words = array("l")
        lengths = np.zeros(len(texts), dtype=np.int64)
        for row, text in enumerate(texts):
            found = stems(text)
            lengths[row] = len(found)
            words.extend(numbers.setdefault(stem, len(numbers)) for stem in found)
        vocabulary = {stem: number for number, stem in enumerate(sorted(numbers))}
        renumbered = np.array([vocabulary[stem] for stem in numbers], dtype=np.int64)
        flat = renumbered[np.frombuffer(words, dtype=np.int64)] if len(words) else np.zeros(0, dtype=np.int64)
        counts, postings = _score(flat, lengths, vocabulary)
        return cls(postings, {stem: _idf(len(texts), int(counts[number])) for stem, number in vocabulary.items()})

    @classmethod
    def of_counts(cls, texts: int, counts: Mapping[str, int]) -> "LexicalIndex":
        """Return an index that knows what words are worth, and no text: searched, it finds nothing.

        Args:
            texts: How many texts there are elsewhere.
            counts: How many of them have each stem.
        """
        empty = np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int64)
        return cls(_Postings(*empty, {}, texts), {stem: _idf(texts, count) for stem, count in counts.items()})

    @classmethod
    def load(cls, folder: Path) -> "LexicalIndex":
        """Load what :meth:`save` wrote."""
        words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        arrays = load_file(folder / "scores.safetensors")
        postings = _Postings(
            arrays["data"], arrays["indices"], arrays["indptr"], words["vocabulary"], words["documents"]
        )
        return cls(postings, words["idf"])

    def save(self, folder: Path) -> None:
        """Write two files into ``folder``: arrays as safetensors, words as JSON; nothing is pickled."""
        folder.mkdir(parents=True, exist_ok=True)
        of = self._postings
        save_file({"data": of.scores, "indices": of.rows, "indptr": of.begins}, folder / "scores.safetensors")
        words = {"documents": of.texts, "vocabulary": of.vocabulary, "idf": self._idf}
        (folder / "vocabulary.json").write_text(json.dumps(words, sort_keys=True, ensure_ascii=False), encoding="utf-8")

    def __len__(self) -> int:
        return self._postings.texts

    @property
    def vocabulary(self) -> frozenset[str]:
        """Every stem of the indexed texts."""
        return frozenset(self._idf)

    def idf(self, stem: str) -> float:
        """Return how telling a stem is; a stem that no text has is as telling as one that a single text has."""
        return self._idf.get(stem, _idf(max(len(self), 1), 1))

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return the BM25 score of every text, shape ``(texts,)``, 0 where no word is shared."""
        scores = np.zeros(len(self), dtype=np.float32)
        for stem in stems(query):
            rows, shares = self._postings.of(stem)
            scores[rows] += shares  # a text stands once in a word's list
        return scores

    def search(self, query: str, k: int, allowed: Sequence[int] | NDArray[np.int64] | None = None) -> list[Hit]:
        """Rank texts by BM25.

        Args:
            query: The words to look for.
            k: Hits wanted, at least 1.
            allowed: Rows that may be found; None allows all. The filter acts before ranking.

        Returns:
            Hits with a score above 0, from best to worst; equal scores keep row order.

        Raises:
            ValueError: ``k`` is below 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        lists = [self._postings.of(stem) for stem in stems(query)]
        if allowed is None and sum(len(rows) for rows, _ in lists) > MANY_POSTINGS:
            return _search_pruned(lists, len(self), k)
        scores = self.scores(query)
        rows = np.flatnonzero(scores)
        if allowed is not None:
            may = np.zeros(len(self), dtype=np.bool_)
            may[np.asarray(allowed, dtype=np.int64)] = True
            rows = rows[may[rows]]
        return _best(rows, scores[rows], k)


@dataclass(frozen=True, slots=True)
class _Postings:
    """What each word adds to which texts.

    Attributes:
        scores: BM25 of a word in a text, above 0; the texts of a word lie together, in order of their rows.
        rows: The text of each score.
        begins: Where the texts of each word begin, and one more for the end of the last.
        vocabulary: Number of each stem.
        texts: Number of all texts.
    """

    scores: NDArray[np.float32]
    rows: NDArray[np.int32]
    begins: NDArray[np.int64]
    vocabulary: Mapping[str, int]
    texts: int

    def of(self, stem: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the rows of the texts that have a stem, and what it adds to each."""
        number = self.vocabulary.get(stem)
        if number is None:
            return self.rows[:0], self.scores[:0]
        here = slice(int(self.begins[number]), int(self.begins[number + 1]))
        return self.rows[here], self.scores[here]


def _score(
    words: NDArray[np.int64], lengths: NDArray[np.int64], vocabulary: Mapping[str, int]
) -> tuple[NDArray[np.int64], _Postings]:
    """Score every word in every text.

    Args:
        words: Number of each word of each text, text after text.
        lengths: Words of each text.
        vocabulary: Number of each stem.

    Returns:
        How many texts have each stem, and the scores.
    """
    texts = len(lengths)
    owners = np.repeat(np.arange(texts, dtype=np.int64), lengths)
    places, times = np.unique(words * max(texts, 1) + owners, return_counts=True)
    numbers, rows = np.divmod(places, max(texts, 1))
    counts = np.bincount(numbers, minlength=len(vocabulary))
    idf = np.log(1.0 + (texts - counts + 0.5) / (counts + 0.5))
    relative = lengths / max(float(lengths.mean()), 1e-9) if texts else np.zeros(0)
    scores = idf[numbers] * times / (times + K1 * (1.0 - B + B * relative[rows]))
    begins = np.concatenate(([0], np.cumsum(counts)))
    return counts, _Postings(
        scores.astype(np.float32), rows.astype(np.int32), begins.astype(np.int64), vocabulary, texts
    )


def _search_pruned(lists: Sequence[tuple[NDArray[np.int32], NDArray[np.float32]]], texts: int, k: int) -> list[Hit]:
    """Rank as the whole sum would, to the bit, without adding up the words that nearly every text has.

    Rare words come first. Once the ``k``-th best sum is more than all words that are left could add, a text that has
    none but these cannot be among the best any more; they are then looked up for the texts that can.

    Args:
        lists: Texts, in order, and what a word adds to each: one pair a word of the query, in its order.
        texts: Number of all texts.
        k: Hits wanted, at least 1.

    Source:
        Turtle and Flood, Query evaluation: strategies and optimizations, Information Processing & Management 31,
        1995, doi:10.1016/0306-4573(95)00020-H (max-score).
    """
    rare_first = sorted(lists, key=lambda one: len(one[0]))
    most = [float(shares.max(initial=0.0)) for _, shares in rare_first]
    sums = np.zeros(texts, dtype=np.float32)
    touched: list[NDArray[np.int32]] = []
    least = left = 0.0
    for number, (rows, shares) in enumerate(rare_first):
        left = sum(most[number:])
        least = _kth(sums, touched, k)
        if least > left + _MARGIN:
            break
        sums[rows] += shares
        touched.append(rows)
    else:
        left, least = 0.0, _kth(sums, touched, k)
    seen = np.unique(np.concatenate([rows[sums[rows] >= least - left - _MARGIN] for rows in touched]))
    scores = np.zeros(len(seen), dtype=np.float32)
    for rows, shares in lists:
        if len(rows):
            places = np.minimum(np.searchsorted(rows, seen), len(rows) - 1)
            here = rows[places] == seen
            scores[here] += shares[places[here]]
    return _best(seen.astype(np.int64), scores, k)


def _kth(sums: NDArray[np.float32], touched: Sequence[NDArray[np.int32]], k: int) -> float:
    """Return the ``k``-th best sum, or one that is a little lower; 0 where there are fewer."""
    best = [np.partition(sums[rows], len(rows) - k)[len(rows) - k] for rows in touched if len(rows) >= k]
    return float(max(best, default=0.0))


def _best(rows: NDArray[np.int64], scores: NDArray[np.float32], k: int) -> list[Hit]:
    """Return the ``k`` best of many rows, from best to worst; equal scores keep the order of rows.

    Args:
        rows: Row numbers.
        scores: One a row.
        k: Hits wanted, at least 1.
    """
    if len(rows) > k:
        # Keep every row that ties with the k-th, so that the order below decides and not the partition.
        limit = np.partition(scores, len(rows) - k)[len(rows) - k]
        kept = scores >= limit
        rows, scores = rows[kept], scores[kept]
    order = np.lexsort((rows, -scores))[:k]
    return [Hit(int(rows[at]), float(scores[at]), rank) for rank, at in enumerate(order, start=1)]


def _idf(documents: int, count: int) -> float:
    return float(np.log(1.0 + (documents - count + 0.5) / (count + 0.5)))
