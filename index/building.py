"""Corpus to snapshot, readable top to bottom.

A collection of ordinary size gets a vector for every sentence, and searches among them. In a large one that would cost
several times as much as its passages; there only passages are embedded and searched, and the sentences of what was
found are ranked by vectors that come from their passage's (:mod:`index.viewing`).
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
from index.caching import embed_cached, keep_latest, view_cached
from index.dense import DenseIndex
from index.embedding import Embedder, Progress
from index.lexical import LexicalIndex
from index.manifest import MOST_SENTENCES
from index.parts import SHIPPED, Part, RemotePart
from index.snapshot import Manifest, publish_snapshot
from index.spelling import count_words
from index.stored import Owners
from index.teaching import TEACHING, Taught, teach
from index.viewing import Viewed, heading_text, view

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
        most_sentences: In a collection of user documents with more sentences only passages are searched; the shipped
            digests, which are calibrated, are always searched by both.
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
    answered_first = sorted(questions, key=lambda question: bool(question.reason))
    drafts = _drafts(kept, embedder, most_sentences, answered_first)
    if not drafts:
        raise CorpusError("there is nothing to index: the corpus has no text")
    parts = {draft.collection: before for draft in drafts if before is not None and draft.is_held_by(before)}
    taken_over = [text for draft in drafts if draft.collection in parts for text in draft.texts()]
    drafts = [draft for draft in drafts if draft.collection not in parts]
    small, large = ([draft for draft in drafts if bool(draft.sentences) is searched] for searched in (True, False))
    by_id = {document.id: document for document in kept}
    texts = [text for draft in small for text in draft.texts()]
    passages = [passage for draft in large for passage in draft.passages]
    if cache is None:
        vectors, viewed = embedder.embed(texts, progress), view(passages, embedder, progress)
    else:
        vectors = embed_cached(texts, embedder, cache, progress, taken_over)
        viewed = view_cached(passages, embedder, cache, progress)
    for draft in small:
        needed = len(draft.texts())
        parts[draft.collection] = draft.indexed(vectors[:needed], by_id, cache)
        vectors = vectors[needed:]
    for draft in large:
        needed = len(draft.passages)
        parts[draft.collection] = part_of_viewed(viewed[:needed])
        viewed = viewed[needed:]
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
        plain = [self.passages[row].text_of(span) for row, span in self.sentences]
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
        headings, in_context, plain = np.split(vectors[count:], (count, count + len(self.sentences)))
        owners = [row for row, _ in self.sentences]
        combined = combine(in_context, plain, passage_vectors, headings, owners)
        taught = self._taught(combined, question_vectors, documents, cache)
        return Part(
            self.passages,
            Owners.of(self.passages),
            count_words(texts),
            self.sentences,
            DenseIndex.build(passage_vectors),
            DenseIndex.build(taught.sentences),
            LexicalIndex.build(texts),
            LexicalIndex.build(self.sentence_texts()),
            tuple(self.questions),
            DenseIndex.build(question_vectors, halved=True),
            taught.reader,
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
            own_questions = questions if collection == SHIPPED and sentences else ()
            drafts.append(_Draft(collection, passages, sentences, own_questions))
    return drafts


def _collection(document: Document) -> str:
    return document.source.collection


def part_of_viewed(viewed: Sequence[Viewed]) -> Part:
    """Return the part of a large collection, at least one passage."""
    passages = [one.passage for one in viewed]
    texts = [passage.embedded_text for passage in passages]
    vectors = np.stack([one.vector for one in viewed])
    nothing = DenseIndex.build(vectors[:0])
    return Part(
        passages,
        Owners.of(passages),
        count_words(texts),
        (),
        DenseIndex.build(vectors),
        nothing,
        LexicalIndex.build(texts),
        LexicalIndex.build([]),
        (),
        nothing,
        views=[one.views for one in viewed],
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
    return f"{passage.context}\n{passage.text_of(span)}"
