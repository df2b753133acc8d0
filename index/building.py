"""Corpus to snapshot, readable top to bottom."""

from collections.abc import Iterable
from pathlib import Path

from corpus.errors import CorpusError
from corpus.records import Document, Passage, Span
from corpus.splitting import SPLITTER_VERSION, split_document
from index.dense import DenseIndex
from index.embedding import Embedder, Progress
from index.lexical import LexicalIndex
from index.snapshot import Manifest, publish_snapshot


def build_snapshot(
    documents: Iterable[Document], embedder: Embedder, root: Path, progress: Progress | None = None
) -> Manifest:
    """Split, embed, index and publish.

    Args:
        documents: Everything that is to be searched, at least one.
        embedder: Makes the vectors.
        root: Folder of all snapshots.
        progress: Told how many texts are embedded, and of how many.

    Returns:
        The manifest of the published snapshot. The same documents and model give the same snapshot.

    Raises:
        CorpusError: there is nothing to index.
    """
    kept = sorted(documents, key=lambda document: document.id)
    passages = [p for document in kept for p in split_document(document, embedder.count_tokens, embedder.token_budget)]
    if not passages:
        raise CorpusError("there is nothing to index: the corpus has no text")
    sentences = [(row, span) for row, passage in enumerate(passages) for span in passage.sentences]
    passage_texts = [passage.embedded_text for passage in passages]
    sentence_texts = [sentence_text(passages[row], span) for row, span in sentences]
    vectors = embedder.embed(passage_texts + sentence_texts, progress)
    return publish_snapshot(
        root,
        embedder.model_id,
        {"version": SPLITTER_VERSION, "budget": embedder.token_budget},
        kept,
        passages,
        sentences,
        (
            DenseIndex.build(vectors[: len(passages)]),
            DenseIndex.build(vectors[len(passages) :]),
            LexicalIndex.build(passage_texts),
            LexicalIndex.build(sentence_texts),
        ),
    )


def sentence_text(passage: Passage, span: Span) -> str:
    """Return a sentence under its headings: what is embedded for it.

    The headings are worth 18 points of facts found in the first experiment (docs/evaluation.md).
    """
    begin = passage.span.start
    return f"{passage.context}\n{passage.text[span.start - begin : span.end - begin]}"
