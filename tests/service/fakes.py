"""A stand-in for the embedding model: texts that share stems are near."""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpus.records import Span
from index.embedding import Progress
from index.lexical import stems

DIMENSION = 2048


class StemEmbedder:
    """A bag of stems, each hashed to one of 2,048 axes, at unit length; a text without stems is the first axis."""

    model_id = "stems@1"
    dimension = DIMENSION
    token_budget = 256

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Return one unit vector a text."""
        vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for row, text in enumerate(texts):
            for stem in stems(text):
                vectors[row, zlib.crc32(stem.encode()) % DIMENSION] += 1.0
            if not vectors[row].any():
                vectors[row, 0] = 1.0
        if progress is not None:
            progress(len(texts), len(texts))
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[Span]], progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """Return one unit vector a text, and one a part as if it stood alone."""
        alone = [self.embed([span.slice(text) for span in own]) for text, own in zip(texts, parts, strict=True)]
        return self.embed(texts, progress), alone

    def count_tokens(self, text: str) -> int:
        """A word is a token, and two more stand for the special ones."""
        return len(text.split()) + 2
