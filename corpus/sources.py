"""The registry: which sources stand behind the shipped corpus, and what was really read.

``data/sources.toml`` names the sources, ``data/pages.toml`` the pages that were read, ``data/facts/*.csv`` the facts
with the label of how firmly each was seen, ``data/digests/*.md`` our own wording of them.
"""

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

from corpus.errors import RegistryError
from corpus.reading.markdown import MarkedText, read_markdown
from corpus.records import Attribution, Document, Evidence, Fact, Page, Source

DATA = Path(__file__).parent / "data"
FACTS_ONLY = "Copyrighted; facts only, in our own words"


@dataclass(frozen=True, slots=True)
class Difference:
    """A topic on which sources differ.

    Attributes:
        topic: Short name, such as "bed rest".
        about: Words of a question by which the topic is recognised.
        positions: Fact ids, one group a position, the stricter first.
        care: Whether they differ on when to get help.
    """

    topic: str
    about: tuple[str, ...]
    positions: tuple[tuple[str, ...], ...]
    care: bool


def load_sources(data: Path = DATA) -> dict[str, Source]:
    """Return every source of the registry by id, in the file's order.

    Raises:
        RegistryError: an entry has an unknown or missing field.
    """
    sources: dict[str, Source] = {}
    for row in _tables(data / "sources.toml", "source"):
        entry = dict(row)
        entry.pop("doi", None)
        try:
            source = Source(**entry)
        except TypeError as error:
            raise RegistryError("sources.toml", f"entry {row.get('id', '?')}: {error}") from error
        if source.id in sources:
            raise RegistryError("sources.toml", f"the id {source.id} stands twice")
        sources[source.id] = source
    return sources


def load_pages(data: Path = DATA) -> dict[str, Page]:
    """Return every page that was read, by key.

    Licence and credit are those of its publisher in the registry; the page of a publisher that has no entry there
    counts as copyrighted.

    Raises:
        RegistryError: an entry lacks a field.
    """
    try:
        rows = tomllib.loads((data / "pages.toml").read_text(encoding="utf-8"))
        pages = {key: Page(key=key, **row) for key, row in rows.items()}
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise RegistryError("pages.toml", str(error)) from error
    terms: dict[str, tuple[str, str]] = {}
    for source in load_sources(data).values():
        terms.setdefault(source.publisher_short, (source.licence, source.credit))
    return {key: _with_terms(page, *terms.get(page.publisher, (FACTS_ONLY, ""))) for key, page in pages.items()}


def _with_terms(page: Page, licence: str, credit: str) -> Page:
    return replace(page, licence=page.licence or licence, credit=page.credit or credit)


def load_facts(data: Path = DATA) -> dict[str, Fact]:
    """Return every fact by ``source-id:Fnn``.

    Raises:
        RegistryError: a label is unknown, or a column is missing.
    """
    facts: dict[str, Fact] = {}
    for path in sorted((data / "facts").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if None in row.values() or not {"id", "text", "label", "page", "date"} <= row.keys():
                    raise RegistryError(path.name, f"the row {row.get('id')} lacks a column")
                if row["label"] not in get_args(Evidence):
                    raise RegistryError(path.name, f"{row['id']} has the label {row['label']!r}")
                fact_id = f"{path.stem}:{row['id']}"
                facts[fact_id] = Fact(fact_id, row["text"], cast("Evidence", row["label"]), row["page"], row["date"])
    return facts


def load_differences(data: Path = DATA) -> tuple[Difference, ...]:
    """Return the topics on which sources differ."""
    return tuple(
        Difference(
            topic=row["topic"],
            about=tuple(row["about"]),
            positions=tuple(tuple(group) for group in row["positions"]),
            care=bool(row.get("care", False)),
        )
        for row in _tables(data / "differences.toml", "difference")
    )


def load_shipped_documents(data: Path = DATA) -> list[Document]:
    """Return the digests as documents, in the registry's order; a source without a digest has none.

    Raises:
        RegistryError: a digest names an unknown source or fact, or mixes labels or pages in one sentence.
    """
    sources, pages, facts = load_sources(data), load_pages(data), load_facts(data)
    documents = []
    for source in sources.values():
        path = data / "digests" / f"{source.id}.md"
        if path.exists():
            marked = read_markdown(path.read_text(encoding="utf-8"), name=path.name)
            documents.append(_digest(source, marked, pages, facts))
    return documents


def _digest(source: Source, marked: MarkedText, pages: Mapping[str, Page], facts: Mapping[str, Fact]) -> Document:
    attributions = []
    for span, comment in marked.comments:
        ids = tuple(f"{source.id}:{number}" for number in comment.split())
        unknown = [fact_id for fact_id in ids if fact_id not in facts]
        if unknown or not ids:
            raise RegistryError(f"digests/{source.id}.md", f"unknown facts {' '.join(unknown) or comment!r}")
        labels = {facts[fact_id].label for fact_id in ids}
        keys = {facts[fact_id].page for fact_id in ids}
        if not keys <= pages.keys():
            raise RegistryError(f"digests/{source.id}.md", f"{comment} rests on an unknown page")
        if len(labels) > 1 or len(keys) > 1:
            raise RegistryError(f"digests/{source.id}.md", f"{comment} mixes labels or pages")
        attributions.append(Attribution(span, ids, labels.pop(), pages[keys.pop()]))
    return Document(
        id=f"doc_{source.id}",
        source=source,
        title=source.title,
        text=marked.text,
        sections=marked.sections,
        attributions=tuple(attributions),
    )


def _tables(path: Path, name: str) -> list[dict[str, Any]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RegistryError(path.name, str(error)) from error
    if name in content:
        return list(content[name])
    return [{"id": key, **row} for key, row in content.items()]
