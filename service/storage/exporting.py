"""What people brought as readable JSON Lines: out of one home or database, into any other, of any version.

The first line says what follows, each further one is a document as it is stored, sections and spans included. Keys and
kept answers stay behind: they are a backup's.
"""

import gzip
import json
import os
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal, TextIO, cast

from sqlalchemy import Engine

from corpus.errors import SpanError
from corpus.records import Document, Section, Source
from index.flushing import flush
from service.storage.collections import (
    DEFAULT,
    Collection,
    check_words,
    describe_collection,
    list_collections,
    note_fetched,
)
from service.storage.documents import Stored, load_documents, store_documents

FORMAT: Final = 1
_KEY: Final = "backline_export"


class ExportError(Exception):
    """Documents cannot be written or taken in; the message says why. Nothing was changed."""


def export_documents(engine: Engine, target: Path, collection: str | None = None) -> int:
    """Write documents and what is said of their collections into a new file, gzipped where its name ends in ``.gz``.

    Args:
        engine: The database, which may be in use.
        target: The file to make; it is there whole or not at all.
        collection: Only what is in it; None takes all.

    Returns:
        How many documents were written.

    Raises:
        ExportError: the target is there already.
        OSError: it cannot be written.
    """
    if target.exists():
        raise ExportError(f"{target.name} is there already; choose another name")
    documents = [one for one in load_documents(engine) if collection in {None, one.source.collection}]
    told = [_said(one) for one in list_collections(engine) if one.name != DEFAULT and collection in {None, one.name}]
    first = {_KEY: FORMAT, "documents": len(documents), "collections": told}
    descriptor, aside = tempfile.mkstemp(dir=target.parent, prefix=".export-")
    os.close(descriptor)
    try:
        with _open(Path(aside), "wt", packed=_packed(target)) as lines:
            for row in (first, *map(asdict, documents)):
                lines.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
        flush(Path(aside))
        Path(aside).replace(target)
    finally:
        Path(aside).unlink(missing_ok=True)
    return len(documents)


def import_documents(engine: Engine, source: Path) -> list[Stored]:
    """Store what an export holds, all of it or nothing; what is there already under the same id becomes the export's.

    A collection of fetched pages stays one: the right to publish it is confirmed anew where it is served.

    Raises:
        ExportError: the file is no export, was cut short, or a document is not the one that was written.
        OSError: it cannot be read.
    """
    try:
        with _open(source, "rt", packed=_packed(source)) as lines:
            told, documents = _read(lines)
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        EOFError,
        gzip.BadGzipFile,
        zlib.error,
        SpanError,
    ) as error:
        raise ExportError(f"{source.name} is no whole export of Backline: {error}") from error
    stored = store_documents(engine, documents) if documents else []
    for one in told:
        if one.fetched is not None:
            note_fetched(engine, one.name)
        describe_collection(engine, one.name, scope=one.scope, questions=one.questions, disclaimer=one.disclaimer)
    return stored


def _read(lines: Iterator[str]) -> tuple[Sequence[Collection], Sequence[Document]]:
    first = json.loads(next(lines, "null"))
    if first[_KEY] != FORMAT:
        raise ValueError(f"its format is {first[_KEY]}, not {FORMAT}")
    documents = [_document(json.loads(line)) for line in lines]
    if len(documents) != first["documents"]:
        raise ValueError(f"it has {len(documents)} documents instead of {first['documents']}")
    return [_collection(said) for said in first["collections"]], documents


def _collection(said: dict[str, Any]) -> Collection:
    name, scope, questions, disclaimer = said["name"], said["scope"], tuple(said["questions"]), said["disclaimer"]
    if not all(isinstance(one, str) for one in (name, scope, *questions, disclaimer)):
        raise TypeError("what it says of a collection is no text")
    check_words(name, scope, questions, disclaimer)
    return Collection(name, 0, scope, questions, disclaimer, fetched="" if said["fetched"] else None)


def _document(row: dict[str, Any]) -> Document:
    document = Document(
        id=row["id"],
        source=Source(**row["source"]),
        title=row["title"],
        text=row["text"],
        sections=tuple(map(Section.of_fields, row["sections"])),
    )
    if document.source.digest:
        raise ValueError(f"{document.id} claims to be a digest, which nobody brings")
    if document.version != row["version"]:
        raise ValueError(f"the text of {document.id} is not the one that was written")
    return document


def _said(collection: Collection) -> dict[str, Any]:
    return {
        "name": collection.name,
        "scope": collection.scope,
        "questions": collection.questions,
        "disclaimer": collection.disclaimer,
        "fetched": collection.fetched is not None,
    }


def _open(path: Path, mode: Literal["rt", "wt"], *, packed: bool) -> TextIO:
    return cast("TextIO", gzip.open(path, mode, encoding="utf-8") if packed else path.open(mode, encoding="utf-8"))


def _packed(path: Path) -> bool:
    return path.suffix == ".gz"
