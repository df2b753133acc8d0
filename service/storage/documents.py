"""Documents that users bring."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Engine, delete, insert, select, update

from corpus.records import Document, Section, Source, Span
from service.storage.database import documents

Outcome = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one document.

    Attributes:
        document_id: Its id.
        outcome: Whether it is new, a new version, or was there already.
    """

    document_id: str
    outcome: Outcome


def document_id(collection: str, external: str) -> str:
    """Return the id of a document: the same place in the same collection keeps its id over versions."""
    return "doc_" + hashlib.sha256(f"{collection}\n{external}".encode()).hexdigest()[:24]


def store_document(engine: Engine, document: Document) -> Stored:
    """Write one document; the same content twice is one document, changed content is a new version."""
    row = {
        "collection": document.source.collection,
        "version": document.version,
        "title": document.title,
        "text": document.text,
        "source": json.dumps(asdict(document.source), ensure_ascii=False),
        "sections": json.dumps([asdict(section) for section in document.sections], ensure_ascii=False),
    }
    with engine.begin() as connection:
        known = connection.execute(
            select(documents.c.version, documents.c.source).where(documents.c.id == document.id)
        ).first()
        if known is None:
            created = datetime.now(UTC).isoformat(timespec="seconds")
            connection.execute(insert(documents).values(id=document.id, created=created, **row))
            return Stored(document.id, "added")
        if (known.version, known.source) == (document.version, row["source"]):
            return Stored(document.id, "unchanged")
        connection.execute(update(documents).where(documents.c.id == document.id).values(**row))
        return Stored(document.id, "changed")


def load_documents(engine: Engine) -> list[Document]:
    """Return every stored document, by id."""
    with engine.connect() as connection:
        rows = connection.execute(select(documents).order_by(documents.c.id)).mappings().all()
    return [_document(dict(row)) for row in rows]


def delete_document(engine: Engine, name: str) -> bool:
    """Delete one document; False when there was none."""
    with engine.begin() as connection:
        return connection.execute(delete(documents).where(documents.c.id == name)).rowcount > 0


def _document(row: dict[str, Any]) -> Document:
    return Document(
        id=row["id"],
        source=Source(**json.loads(row["source"])),
        title=row["title"],
        text=row["text"],
        sections=tuple(
            Section(tuple(s["heading_path"]), Span(**s["span"]), s["anchor"], s["page"])
            for s in json.loads(row["sections"])
        ),
    )
