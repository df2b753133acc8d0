"""Corpus to snapshot, readable top to bottom."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import CorpusError
from corpus.records import Document, Passage, Span
from corpus.splitting import SPLITTER_VERSION, split_document
from index.caching import embed_cached
from index.dense import DenseIndex
from index.embedding import Embedder, Progress
from index.lexical import LexicalIndex
from index.snapshot import Manifest, publish_snapshot

PLAIN_SHARE = 0.75
SECTION_SHARE = 0.25
HEADING_SHARE = 0.25
"""Weights of a sentence alone, of its passage and of its heading beside the sentence under its headings."""


def build_snapshot(
    documents: Iterable[Document],
    embedder: Embedder,
    root: Path,
    progress: Progress | None = None,
    cache: Path | None = None,
) -> Manifest:
    """Split, embed, index and publish.

    Args:
        documents: Everything that is to be searched, at least one.
        embedder: Makes the vectors.
        root: Folder of all snapshots.
        progress: Told how many texts are embedded, and of how many.
        cache: Folder of vectors kept from the build before, so that only new or changed texts are embedded; None
            embeds everything. It may be deleted at any time.

    Returns:
        The manifest of the published snapshot. The same documents and model give the same snapshot; from a cache the
        vectors may differ in the last bits (see :mod:`index.caching`), and then its name does.

    Raises:
        CorpusError: there is nothing to index, or two documents have the same id.
    """
    kept = sorted(documents, key=lambda document: document.id)
    for one, other in pairwise(kept):
        if one.id == other.id:
            raise CorpusError(f"the document id {one.id} stands twice")
    passages = [p for document in kept for p in split_document(document, embedder.count_tokens, embedder.token_budget)]
    if not passages:
        raise CorpusError("there is nothing to index: the corpus has no text")
    sentences = [(row, span) for row, passage in enumerate(passages) for span in passage.sentences]
    passage_texts = [passage.embedded_text for passage in passages]
    sentence_texts = [sentence_text(passages[row], span) for row, span in sentences]
    plain_texts = [_slice(passages[row], span) for row, span in sentences]
    headings = [passage.heading_path[-1] if passage.heading_path else passage.title for passage in passages]
    # A section without a heading has nothing to embed for it; its own text stands in.
    headings = [heading or passage.text for heading, passage in zip(headings, passages, strict=True)]
    texts = passage_texts + headings + sentence_texts + plain_texts
    vectors = embedder.embed(texts, progress) if cache is None else embed_cached(texts, embedder, cache, progress)
    bounds = (len(passages), 2 * len(passages), 2 * len(passages) + len(sentences))
    passage_vectors, heading_vectors, in_context, plain = np.split(vectors, bounds)
    return publish_snapshot(
        root,
        embedder.model_id,
        {"version": SPLITTER_VERSION, "budget": embedder.token_budget},
        kept,
        passages,
        sentences,
        (
            DenseIndex.build(passage_vectors),
            DenseIndex.build(
                combine(in_context, plain, passage_vectors, heading_vectors, [row for row, _ in sentences])
            ),
            LexicalIndex.build(passage_texts),
            LexicalIndex.build(sentence_texts),
        ),
    )


def combine(
    in_context: NDArray[np.float32],
    plain: NDArray[np.float32],
    passages: NDArray[np.float32],
    headings: NDArray[np.float32],
    owners: Sequence[int],
) -> NDArray[np.float32]:
    """Return one unit vector a sentence, made of four views of it.

    A weighted sum of unit vectors has, with a query, an inner product that is the weighted sum of their cosines: one
    index searches all four views at once. The ablation stands in docs/evaluation.md.

    Args:
        in_context: Sentences under their headings, shape ``(sentences, dimension)``.
        plain: Sentences alone, same shape.
        passages: Whole passages, shape ``(passages, dimension)``.
        headings: Innermost headings, same shape as ``passages``.
        owners: Passage row of each sentence.
    """
    total = in_context + PLAIN_SHARE * plain + SECTION_SHARE * passages[owners] + HEADING_SHARE * headings[owners]
    unit: NDArray[np.float32] = (total / np.linalg.norm(total, axis=1, keepdims=True)).astype(np.float32)
    return unit


def sentence_text(passage: Passage, span: Span) -> str:
    """Return a sentence under its headings."""
    return f"{passage.context}\n{_slice(passage, span)}"


def _slice(passage: Passage, span: Span) -> str:
    return passage.text[span.start - passage.span.start : span.end - passage.span.start]
