"""Corpus to snapshot, readable top to bottom.

A collection of ordinary size gets a vector for every sentence. In a large one that would cost several times as much as
its passages; there only passages get vectors, and the retriever embeds the few sentences that matter when a question
comes (docs/decisions/0005-passages-only-above-a-size.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import CorpusError
from corpus.questions import KnownQuestion
from corpus.records import Document, Passage, Span
from corpus.splitting import SPLITTER_VERSION, split_document
from index.caching import embed_cached, keep_latest
from index.dense import DenseIndex
from index.embedding import Embedder, Progress
from index.lexical import LexicalIndex
from index.manifest import MOST_SENTENCES
from index.parts import SHIPPED, Part, RemotePart
from index.snapshot import Manifest, publish_snapshot
from index.spelling import count_words
from index.stored import Owners
from index.teaching import TEACHING, Taught, teach

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
    most_sentences: int = MOST_SENTENCES,
    questions: Sequence[KnownQuestion] = (),
    remote: Mapping[str, RemotePart] | None = None,
    made_from: Mapping[str, str] | None = None,
    before: Part | None = None,
) -> Manifest:
    """Split, embed, index and publish.

    Args:
        documents: Everything that is to be searched, at least one.
        embedder: Makes the vectors.
        root: Folder of all snapshots.
        progress: Told how many texts are embedded, and of how many.
        cache: Folder of vectors kept from the build before, so that only new or changed texts are embedded; None
            embeds everything. It may be deleted at any time.
        most_sentences: A collection of user documents with more sentences gets vectors of its passages alone; the
            shipped digests, which are calibrated, always have both.
        questions: Known questions of the shipped corpus.
        remote: Collections that an engine elsewhere holds; none of their documents is among ``documents``.
        made_from: What everything was read from, as digests by name, for the manifest.
        before: The shipped collection as the same code made it before: taken over where it still holds the same.

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
    drafts = _drafts(kept, embedder, most_sentences, questions)
    if not drafts:
        raise CorpusError("there is nothing to index: the corpus has no text")
    parts = {draft.collection: before for draft in drafts if before is not None and draft.is_held_by(before)}
    taken_over = [text for draft in drafts if draft.collection in parts for text in draft.texts()]
    drafts = [draft for draft in drafts if draft.collection not in parts]
    texts = [text for draft in drafts for text in draft.texts()]
    by_id = {document.id: document for document in kept}
    if cache is None:
        vectors = embedder.embed(texts, progress)
    else:
        vectors = embed_cached(texts, embedder, cache, progress, taken_over)
    for draft in drafts:
        needed = len(draft.texts())
        parts[draft.collection] = draft.indexed(vectors[:needed], by_id, cache)
        vectors = vectors[needed:]
    return publish_snapshot(
        root,
        embedder.model_id,
        {"version": SPLITTER_VERSION, "budget": embedder.token_budget, "most_sentences": most_sentences},
        kept,
        parts,
        remote,
        made_from,
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    """One collection before it has vectors."""

    collection: str
    passages: list[Passage]
    sentences: list[tuple[int, Span]]
    questions: Sequence[KnownQuestion]

    def texts(self) -> list[str]:
        """Return everything that is to be embedded, kind after kind."""
        passages = [passage.embedded_text for passage in self.passages]
        asked = [question.text for question in self.questions]
        if not self.sentences:
            return passages + asked
        plain = [slice_of(self.passages[row], span) for row, span in self.sentences]
        return passages + [heading_text(p) for p in self.passages] + self.sentence_texts() + plain + asked

    def is_held_by(self, part: Part) -> bool:
        """Whether the shipped collection's part was made of the same."""
        return (
            self.collection == SHIPPED
            and self.passages == list(part.passages)
            and self.sentences == list(part.sentences)
            and list(self.questions) == list(part.questions)
        )

    def sentence_texts(self) -> list[str]:
        return [sentence_text(self.passages[row], span) for row, span in self.sentences]

    def indexed(self, vectors: NDArray[np.float32], documents: Mapping[str, Document], cache: Path | None) -> Part:
        """Return the part, given the vectors of :meth:`texts`, the documents by id and the folder of the cache."""
        texts = [passage.embedded_text for passage in self.passages]
        count = len(self.passages)
        passage_vectors = vectors[:count]
        vectors, question_vectors = np.split(vectors, [len(vectors) - len(self.questions)])
        sentence_vectors = np.zeros((0, vectors.shape[1]), dtype=np.float32)
        reader = None
        if self.sentences:
            headings, in_context, plain = np.split(vectors[count:], (count, count + len(self.sentences)))
            owners = [row for row, _ in self.sentences]
            combined = combine(in_context, plain, passage_vectors, headings, owners)
            taught = self._taught(combined, question_vectors, documents, cache)
            sentence_vectors, reader = taught.sentences, taught.reader
        return Part(
            self.passages,
            Owners.of(self.passages),
            count_words(texts),
            self.sentences,
            DenseIndex.build(passage_vectors),
            DenseIndex.build(sentence_vectors),
            LexicalIndex.build(texts),
            LexicalIndex.build(self.sentence_texts()),
            tuple(self.questions),
            DenseIndex.build(question_vectors),
            reader,
        )

    def _taught(
        self,
        sentences: NDArray[np.float32],
        questions: NDArray[np.float32],
        documents: Mapping[str, Document],
        cache: Path | None,
    ) -> Taught:
        """Have sentences, and what reads questions, learn from the known questions, if there are any.

        Only sentences that answer one matter, so that what else a collection holds does not make it learn anew.
        """
        answers, texts = self._answers(documents), [question.text for question in self.questions]
        rows = sorted({row for some in answers for row in some})
        if not rows:
            return Taught(sentences)
        places = {row: place for place, row in enumerate(rows)}
        telling, own = sentences[rows], [[places[row] for row in some] for some in answers]
        if cache is None:
            taught = teach(telling, questions, texts, own)
        else:
            words = "\n".join(texts)
            given = (TEACHING.encode(), telling.tobytes(), questions.tobytes(), repr(own).encode(), words.encode())
            table = keep_latest("taught", given, lambda: teach(telling, questions, texts, own).table(), cache)
            taught = Taught.of_table(table, len(rows), texts)
        moved = sentences.copy()
        moved[rows] = taught.sentences
        return Taught(moved, taught.reader)

    def _answers(self, documents: Mapping[str, Document]) -> list[list[int]]:
        """Return for each known question the sentences that answer it."""
        telling: dict[str, list[int]] = {}
        for at, (row, span) in enumerate(self.sentences):
            for note in documents[self.passages[row].document_id].attributions:
                if note.span.contains(span):
                    for fact in note.facts:
                        telling.setdefault(fact, []).append(at)
        return [sorted({at for fact in question.facts for at in telling.get(fact, ())}) for question in self.questions]


def _drafts(
    documents: Sequence[Document], embedder: Embedder, most_sentences: int, questions: Sequence[KnownQuestion]
) -> list[_Draft]:
    """Split documents, in order of id, into collections, in order of name; those without text are left out."""
    drafts = []
    for collection, own in groupby(sorted(documents, key=_collection), key=_collection):
        passages: list[Passage] = []
        digests = False
        for document in own:
            digests = digests or document.source.digest
            passages += split_document(document, embedder.count_tokens, embedder.token_budget)
        sentences = [(row, span) for row, passage in enumerate(passages) for span in passage.sentences]
        if len(sentences) > most_sentences and not digests:
            sentences = []
        if passages:
            drafts.append(_Draft(collection, passages, sentences, questions if collection == SHIPPED else ()))
    return drafts


def _collection(document: Document) -> str:
    return document.source.collection


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
    return f"{passage.context}\n{slice_of(passage, span)}"


def slice_of(passage: Passage, span: Span) -> str:
    """Return the text of a span, in document offsets, of a passage."""
    return passage.text[span.start - passage.span.start : span.end - passage.span.start]


def heading_text(passage: Passage) -> str:
    """Return the innermost heading, or the passage itself where there is none to embed."""
    heading = passage.heading_path[-1] if passage.heading_path else passage.title
    return heading or passage.text
