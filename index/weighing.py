"""What words are worth in a collection, as numbers that can be counted document by document and added up."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpus.records import Passage
from index.lexical import K1, B, LexicalIndex, stems
from index.spelling import count_words


@dataclass(frozen=True, slots=True)
class WordCounts:
    """Words of some passages.

    Attributes:
        passages: How many passages.
        length: Stems in all of them, repeats counted.
        stems: How many passages have each stem.
        words: How often each word stands there as it is written, in lower case.
    """

    passages: int
    length: int
    stems: Mapping[str, int]
    words: Mapping[str, int]

    @classmethod
    def of(cls, passages: Sequence[Passage]) -> "WordCounts":
        """Count the words of passages under their headings."""
        texts = [passage.embedded_text for passage in passages]
        found = [stems(text) for text in texts]
        return cls(
            passages=len(texts),
            length=sum(map(len, found)),
            stems=Counter(stem for one in found for stem in set(one)),
            words=count_words(texts),
        )

    @classmethod
    def sum(cls, some: Iterable["WordCounts"]) -> "WordCounts":
        """Add counts up."""
        passages, length = 0, 0
        by_stem: Counter[str] = Counter()
        by_word: Counter[str] = Counter()
        for one in some:
            passages += one.passages
            length += one.length
            by_stem.update(one.stems)
            by_word.update(one.words)
        return cls(passages, length, by_stem, by_word)

    def to_fields(self) -> dict[str, Any]:
        """Return what :meth:`of_fields` reads, for JSON."""
        return {
            "passages": self.passages,
            "length": self.length,
            "stems": dict(self.stems),
            "words": dict(self.words),
        }

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> "WordCounts":
        """Read what :meth:`to_fields` returned."""
        return cls(fields["passages"], fields["length"], fields["stems"], fields["words"])

    def weights(self) -> LexicalIndex:
        """Return an index that weighs words as one over all passages would; nothing can be found in it."""
        return LexicalIndex.of_counts(self.passages, self.stems)

    def score(self, query: str, texts: Sequence[str], weights: LexicalIndex) -> list[float]:
        """Return BM25 of a query and a few texts, to the last bit what an index over all passages would say.

        Args:
            query: The words to look for.
            texts: The texts.
            weights: From :meth:`weights`; made once, because it is as large as the vocabulary.
        """
        average = max(self.length / max(self.passages, 1), 1e-9)
        asked = stems(query)
        scores = []
        for text in texts:
            own = Counter(stems(text))
            total = np.float32(0.0)
            for stem in asked:
                times = own[stem]
                if times:
                    damped = times + K1 * (1.0 - B + B * own.total() / average)
                    total += np.float32(weights.idf(stem) * times / damped)
            scores.append(float(total))
        return scores
