"""The indexes of one collection: nothing in them depends on what another collection holds.

Word weights, spelling and rows of a collection are its own, so that a customer's documents neither show in another's
answers nor move them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.questions import KnownQuestion
from corpus.records import Passage, Span
from index.dense import DenseIndex
from index.lexical import LexicalIndex
from index.stored import VIEWS, Owners, json_line, open_passages, open_views, write_passages, write_views
from index.teaching import QuestionReader
from index.weighing import WordCounts

SHIPPED = "default"
"""Collection of the shipped corpus."""

QUESTIONS = "questions.json"
SPELLING = "spelling.json"
READER, READER_WORDS = "reader.npy", "reader-words.json"
REMOTE = "remote.json"
PARTS = "parts"
"""Folder of a snapshot that holds one numbered folder a collection."""


@dataclass(frozen=True, slots=True)
class Part:
    """One collection's passages and what searches them.

    Attributes:
        passages: Rows of ``passage_vectors`` and ``passage_words``; those of an opened snapshot are read when needed.
        owners: Of which document and source each is.
        spelling: How often each word stands in passages under their headings, see :func:`index.spelling.count_words`.
        sentences: Rows of ``sentence_vectors`` and ``sentence_words``: passage row and span. Empty where sentences are
            ranked when a question comes, see :mod:`index.building`.
        passage_vectors: Embeddings of passages under their headings.
        sentence_vectors: One combined vector a sentence, see :func:`index.building.combine`, taught where there are
            known questions, see :mod:`index.teaching`.
        passage_words: BM25 over passages under their headings.
        sentence_words: BM25 over sentences under their headings.
        questions: Rows of ``question_vectors``: questions of which it is known whether they have an answer here, first
            those that have one.
        question_vectors: Embeddings of these, as half floats.
        reader: Reads questions before sentences are compared with them; None where no known question taught it.
        views: For each passage one row a sentence, where ``sentences`` is empty, see :mod:`index.viewing`.
    """

    passages: Sequence[Passage]
    owners: Owners
    spelling: Mapping[str, int]
    sentences: Sequence[tuple[int, Span]]
    passage_vectors: DenseIndex
    sentence_vectors: DenseIndex
    passage_words: LexicalIndex
    sentence_words: LexicalIndex
    questions: Sequence[KnownQuestion]
    question_vectors: DenseIndex
    reader: QuestionReader | None = None
    views: Sequence[NDArray[np.int8]] = ()

    def read(self, vector: NDArray[np.float32], query: str) -> NDArray[np.float32]:
        """Return what sentences are compared with, given a query's embedding, shape ``(dimension,)``, and its words."""
        return vector if self.reader is None else self.reader.read(vector, query)

    def log_odds(self, vector: NDArray[np.float32], query: str) -> float:
        """Return the logarithm of the odds of an answer, judged by the question alone; 0 where nothing was taught."""
        return 0.0 if self.reader is None else self.reader.log_odds(vector, query)

    @property
    def words(self) -> LexicalIndex:
        """The index that weighs a question's words: that of sentences, where sentences are indexed."""
        return self.sentence_words if self.sentences else self.passage_words

    def row_counts(self) -> Mapping[str, int]:
        """Return the rows of each file: a whole part has as many passages, and as many sentences, in each."""
        return {
            "passages.jsonl": len(self.passages),
            "passages.safetensors": len(self.owners.rows),
            "passages.faiss": len(self.passage_vectors),
            "passage-words": len(self.passage_words),
            "sentences.jsonl": len(self.sentences),
            "sentences.faiss": len(self.sentence_vectors),
            "sentence-words": len(self.sentence_words),
            QUESTIONS: len(self.questions),
            "questions.faiss": len(self.question_vectors),
        } | ({} if self.sentences else {"passage-views": len(self.views)})


@dataclass(frozen=True, slots=True)
class RemotePart:
    """A collection that an engine on servers of its own holds: what a snapshot has of it.

    Attributes:
        name: Under which the engine knows it.
        state: Digest of the documents that it held when the words were counted.
        counts: Its words.
    """

    name: str
    state: str
    counts: WordCounts


def write_remote(folder: Path, part: RemotePart) -> None:
    """Write a remote part into a folder, which is made."""
    folder.mkdir(parents=True)
    fields = {"name": part.name, "state": part.state, "counts": part.counts.to_fields()}
    (folder / REMOTE).write_text(json_line(fields), encoding="utf-8")


def read_remote(folder: Path) -> RemotePart:
    """Read what :func:`write_remote` wrote."""
    fields = json.loads((folder / REMOTE).read_text(encoding="utf-8"))
    return RemotePart(fields["name"], fields["state"], WordCounts.of_fields(fields["counts"]))


def write_part(folder: Path, part: Part) -> None:
    """Write a part into a folder, which is made."""
    folder.mkdir(parents=True)
    write_passages(folder, part.passages, part.owners)
    (folder / SPELLING).write_text(json_line(part.spelling), encoding="utf-8")
    write_lines(folder / "sentences.jsonl", ([row, span.start, span.end] for row, span in part.sentences))
    part.passage_vectors.save(folder / "passages.faiss")
    part.sentence_vectors.save(folder / "sentences.faiss")
    part.passage_words.save(folder / "passage-words")
    part.sentence_words.save(folder / "sentence-words")
    (folder / QUESTIONS).write_text(json_line(_question_columns(part.questions)), encoding="utf-8")
    part.question_vectors.save(folder / "questions.faiss")
    if part.views:
        write_views(folder, part.views)
    if part.reader is not None:
        (folder / READER_WORDS).write_text(json_line(part.reader.words), encoding="utf-8")
        np.save(folder / READER, part.reader.tables(), allow_pickle=False)


def read_part(root: Path, name: str, files: Mapping[str, Mapping[str, Any]]) -> Part:
    """Open what :func:`write_part` wrote.

    Args:
        root: Folder of the snapshot.
        name: Where the part lies below it.
        files: What the manifest says of the snapshot's files, by name.
    """
    folder = root / name
    passages, owners = open_passages(root, name)

    def dense(file: str) -> DenseIndex:
        return DenseIndex.load(folder / file, files[f"{name}/{file}"]["recall_at_10"])

    vectors = dense("passages.faiss")
    return Part(
        passages=passages,
        owners=owners,
        spelling=json.loads((folder / SPELLING).read_text(encoding="utf-8")),
        sentences=tuple((row, Span(start, end)) for row, start, end in read_lines(folder / "sentences.jsonl")),
        passage_vectors=vectors,
        sentence_vectors=dense("sentences.faiss"),
        passage_words=LexicalIndex.load(folder / "passage-words"),
        sentence_words=LexicalIndex.load(folder / "sentence-words"),
        questions=_read_questions(folder / QUESTIONS),
        question_vectors=dense("questions.faiss"),
        reader=_read_reader(folder),
        views=open_views(root, name, vectors.dimension) if f"{name}/{VIEWS}" in files else (),
    )


def _question_columns(questions: Sequence[KnownQuestion]) -> dict[str, Any]:
    """Return questions by column: thousands of lines take three times as long to read."""
    return {
        "texts": [question.text for question in questions],
        "facts": [question.facts for question in questions],
        "reasons": [question.reason for question in questions],
    }


def _read_questions(path: Path) -> tuple[KnownQuestion, ...]:
    columns = json.loads(path.read_text(encoding="utf-8"))
    every = zip(columns["texts"], map(tuple, columns["facts"]), columns["reasons"], strict=True)
    return tuple(KnownQuestion(*one) for one in every)


def _read_reader(folder: Path) -> QuestionReader | None:
    if not (folder / READER).exists():
        return None
    words = json.loads((folder / READER_WORDS).read_text(encoding="utf-8"))
    return QuestionReader.of_tables(words, np.load(folder / READER, allow_pickle=False))


def write_lines(path: Path, rows: Iterable[Any]) -> None:
    """Write one JSON value a line; the same rows give the same bytes."""
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        lines.writelines(json_line(row) for row in rows)


def read_lines(path: Path) -> Iterator[Any]:
    """Yield the value of each line."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
