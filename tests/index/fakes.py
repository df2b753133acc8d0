"""A stand-in for the embedding model that needs no model."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpus.records import Document, Section, Source, Span
from index.embedding import Progress


class HashingEmbedder:
    """Deterministic vectors of dimension 16 from the words of a text.

    Each word adds its own direction (16 values in [-1, 1) from its sha256), and the sum is scaled to unit length: texts
    that share words are near, equal bags of words are equal. A text without words is the first axis. A token is a
    word, and two more count for the special tokens that a real model adds. It remembers the texts that it was given.
    """

    dimension = 16
    token_budget = 64

    def __init__(self, model_id: str = "hashing@1") -> None:
        self.model_id = model_id
        self.seen: list[str] = []

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        self.seen.extend(texts)
        vectors = _vectors(texts)
        if progress is not None:
            progress(len(texts), len(texts))
        return vectors

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[Span]], progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        vectors = self.embed(texts, progress)
        return vectors, [_vectors([span.slice(text) for span in own]) for text, own in zip(texts, parts, strict=True)]

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2


def _vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.stack([_vector(text) for text in texts]) if texts else np.zeros((0, 16), dtype=np.float32)


def _vector(text: str) -> NDArray[np.float32]:
    total = np.zeros(16)
    for word in sorted(text.lower().replace(".", " ").split()):
        digest = np.frombuffer(hashlib.sha256(word.encode()).digest(), dtype="<u2")
        total += digest / 32768.0 - 1.0
    if not total.any():
        total[0] = 1.0
    unit: NDArray[np.float32] = (total / np.linalg.norm(total)).astype(np.float32)
    return unit


def make_document(source_id: str, title: str, *sections: tuple[str, str], collection: str = "default") -> Document:
    """A document of headings and their texts, one source a document."""
    text = ""
    spans = []
    for heading, body in sections:
        text += f"{heading}\n"
        spans.append(Section((heading,), Span(len(text), len(text) + len(body))))
        text += f"{body}\n"
    source = Source(source_id, title, "Publisher of tests", "Tests", "https://example.org/", collection=collection)
    return Document(f"doc_{source_id}", source, title, text, tuple(spans))
