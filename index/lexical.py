"""Lexical search: BM25 over stemmed words. The only file that imports bm25s."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import Stemmer
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from index.hits import Hit, ranked

_WORD = re.compile(r"[^\W_]+(?:[.,][0-9]+)*")
STOP_WORDS = frozenset(
    "a an and are as at be been being but by can could did do does for from had has have he her him his i if in "
    "into is it its me my of on or our she should so than that the their them then there these they this those to "
    "us was we were what when where which who whom why will with would you your am im ive about also any some "
    "just really very please tell get got how long".split()
)
K1 = 1.5
"""Saturation: how soon further repeats of a word stop to count."""
B = 0.75
"""How much a long text is discounted, from 0 (not) to 1 (by its length)."""
_ARRAYS = ("data", "indices", "indptr")
_NO_WORDS: Mapping[str, NDArray[Any]] = {
    "data": np.zeros(0, dtype=np.float32),
    "indices": np.zeros(0, dtype=np.int32),
    "indptr": np.zeros(1, dtype=np.int64),
}
_STEMMER = Stemmer.Stemmer("english")


def stems(text: str) -> list[str]:
    """Return the stems of the words of ``text``, stop words left out, in order.

    Case, accents and apostrophes do not count; letters of every script do, though only English words are stemmed.
    """
    folded = unicodedata.normalize("NFKD", text.lower().replace("’", "'").replace("'", ""))
    words = _WORD.findall("".join(char for char in folded if not unicodedata.combining(char)))
    return list(_STEMMER.stemWords([word for word in words if word not in STOP_WORDS]))


class LexicalIndex:
    """BM25 (Lucene's variant, k1 1.5, b 0.75) over texts numbered in the order in which they came.

    Source:
        Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009,
        doi:10.1561/1500000019; the variant: Kamphuis et al., ECIR 2020, doi:10.1007/978-3-030-45442-5_4.
    """

    def __init__(self, engine: bm25s.BM25, idf: dict[str, float]) -> None:
        self._engine = engine
        self._idf = idf

    @classmethod
    def build(cls, texts: Sequence[str]) -> "LexicalIndex":
        """Index ``texts``; an empty list is allowed."""
        tokens = [stems(text) for text in texts]
        vocabulary = {word: number for number, word in enumerate(sorted({w for row in tokens for w in row}))}
        if not vocabulary:
            return cls(_engine(_NO_WORDS, len(tokens), {}), {})
        engine = bm25s.BM25(method="lucene", k1=K1, b=B)
        ids = [[vocabulary[word] for word in row] for row in tokens]
        engine.index(bm25s.tokenization.Tokenized(ids=ids, vocab=vocabulary), show_progress=False)
        counts: dict[str, int] = {}
        for row in tokens:
            for word in set(row):
                counts[word] = counts.get(word, 0) + 1
        return cls(engine, {word: _idf(len(tokens), count) for word, count in counts.items()})

    @classmethod
    def load(cls, folder: Path) -> "LexicalIndex":
        """Load what :meth:`save` wrote."""
        words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        arrays = load_file(folder / "scores.safetensors")
        return cls(_engine(arrays, words["documents"], words["vocabulary"]), words["idf"])

    def save(self, folder: Path) -> None:
        """Write two files into ``folder``: arrays as safetensors, words as JSON; nothing is pickled."""
        folder.mkdir(parents=True, exist_ok=True)
        scores = self._engine.scores
        save_file(
            {name: np.ascontiguousarray(scores[name]) for name in _ARRAYS},
            folder / "scores.safetensors",
        )
        words = {
            "documents": int(scores["num_docs"]),
            "vocabulary": {word: int(number) for word, number in self._engine.vocab_dict.items()},
            "idf": self._idf,
        }
        (folder / "vocabulary.json").write_text(json.dumps(words, sort_keys=True, ensure_ascii=False), encoding="utf-8")

    def __len__(self) -> int:
        return int(self._engine.scores["num_docs"])

    @property
    def vocabulary(self) -> frozenset[str]:
        """Every stem of the indexed texts."""
        return frozenset(self._idf)

    def idf(self, stem: str) -> float:
        """Return how telling a stem is; a stem that no text has is as telling as one that a single text has."""
        return self._idf.get(stem, _idf(max(len(self), 1), 1))

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return the BM25 score of every text, shape ``(texts,)``, 0 where no word is shared."""
        words = [word for word in stems(query) if word in self._idf]
        if not words or len(self) == 0:
            return np.zeros(len(self), dtype=np.float32)
        scores: NDArray[np.float32] = self._engine.get_scores(words)
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
        scores = self.scores(query)
        rows = np.flatnonzero(scores > 0)
        if allowed is not None:
            rows = np.intersect1d(rows, np.asarray(allowed, dtype=np.int64))
        if len(rows) > k:
            # Keep every row that ties with the k-th, so that the order below decides and not the partition.
            limit = np.partition(scores[rows], len(rows) - k)[len(rows) - k]
            rows = rows[scores[rows] >= limit]
        return ranked([(int(row), float(scores[row])) for row in rows])[:k]


def _engine(arrays: Mapping[str, NDArray[Any]], documents: int, vocabulary: dict[str, int]) -> bm25s.BM25:
    """Put a searcher together from stored scores."""
    engine = bm25s.BM25(method="lucene", k1=K1, b=B)
    engine.nonoccurrence_array = None  # Lucene's variant scores an absent word as 0
    engine.scores = {name: arrays[name] for name in _ARRAYS} | {"num_docs": documents}
    engine.vocab_dict = vocabulary
    engine.unique_token_ids_set = set(vocabulary.values())
    return engine


def _idf(documents: int, count: int) -> float:
    return float(np.log(1.0 + (documents - count + 0.5) / (count + 0.5)))
