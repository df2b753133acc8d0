import re
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.errors import CorpusError, RegistryError, UnreadableDocumentError
from corpus.records import Attribution, Fact, Page, Section, Source, Span
from corpus.sources import (
    Difference,
    load_differences,
    load_facts,
    load_pages,
    load_shipped_documents,
    load_sources,
)

SOURCES = """
[leaflet]
title = "Back pain"
publisher = "The Clinic"
publisher_short = "Clinic"
url = "https://example.org/back"
doi = "10.1000/1"
quotable = true
digest = true

[other]
title = "Other"
publisher = "Other"
publisher_short = "Other"
url = ""
"""
PAGES = """
[front]
title = "Front page"
publisher = "Clinic"
url = "https://example.org"
published = "2024-01"

[back]
title = "Back page"
publisher = "Clinic"
url = ""
"""
FACTS = "id,text,label,page,date\nF01,Rest 1 to 2 days.,source,front,2024-01\nF02,Then walk.,other,front,\nF03,Use heat.,source,back,\n"
DIFFERENCES = """
[[difference]]
topic = "bed rest"
about = ["bed rest", "stay in bed"]
positions = [["leaflet:F01"], ["leaflet:F02", "leaflet:F03"]]

[[difference]]
topic = "fever"
about = ["fever"]
positions = [["leaflet:F01"], ["leaflet:F02"]]
care = true
"""
DIGEST = "---\nid: leaflet\n---\n# Back pain\n\n## How long to rest?\n\nRest 1 to 2 days. <!-- F01 -->\nUse heat. <!-- F03 -->\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A small registry without faults."""
    for folder in ("facts", "digests"):
        (tmp_path / folder).mkdir()
    for name, content in {
        "sources.toml": SOURCES,
        "pages.toml": PAGES,
        "differences.toml": DIFFERENCES,
        "facts/leaflet.csv": FACTS,
        "digests/leaflet.md": DIGEST,
    }.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_sources_come_in_the_order_of_the_file(data: Path) -> None:
    assert load_sources(data) == {
        "leaflet": Source(
            id="leaflet",
            title="Back pain",
            publisher="The Clinic",
            publisher_short="Clinic",
            url="https://example.org/back",
            quotable=True,
            digest=True,
        ),
        "other": Source(id="other", title="Other", publisher="Other", publisher_short="Other", url=""),
    }
    assert list(load_sources(data)) == ["leaflet", "other"]


def test_pages_come_by_key(data: Path) -> None:
    assert load_pages(data) == {
        "front": Page("front", "Front page", "Clinic", "https://example.org", "2024-01"),
        "back": Page("back", "Back page", "Clinic", ""),
    }


def test_facts_come_by_source_and_number(data: Path) -> None:
    assert load_facts(data) == {
        "leaflet:F01": Fact("leaflet:F01", "Rest 1 to 2 days.", "source", "front", "2024-01"),
        "leaflet:F02": Fact("leaflet:F02", "Then walk.", "other", "front", ""),
        "leaflet:F03": Fact("leaflet:F03", "Use heat.", "source", "back", ""),
    }


def test_differences_keep_the_order_of_positions(data: Path) -> None:
    assert load_differences(data) == (
        Difference(
            "bed rest", ("bed rest", "stay in bed"), (("leaflet:F01",), ("leaflet:F02", "leaflet:F03")), care=False
        ),
        Difference("fever", ("fever",), (("leaflet:F01",), ("leaflet:F02",)), care=True),
    )


def test_a_digest_is_a_document_whose_sentences_name_their_facts(data: Path) -> None:
    (document,) = load_shipped_documents(data)
    front, back = load_pages(data).values()
    assert (document.id, document.title, document.source.id) == ("doc_leaflet", "Back pain", "leaflet")
    assert document.text == "Back pain\n\nHow long to rest?\n\nRest 1 to 2 days. Use heat."
    assert document.sections == (Section(("How long to rest?",), Span(30, 57), "how-long-to-rest"),)
    assert document.attributions == (
        Attribution(Span(30, 47), ("leaflet:F01",), "source", front),
        Attribution(Span(48, 57), ("leaflet:F03",), "source", back),
    )


def test_a_source_without_a_digest_has_no_document(data: Path) -> None:
    (data / "digests" / "leaflet.md").unlink()
    assert load_shipped_documents(data) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "load", "place", "reason"),
    [
        ("sources.toml", "quotable", "quotabel", load_sources, "sources.toml", "entry leaflet: .*'quotabel'"),
        ("sources.toml", 'title = "Other"\n', "", load_sources, "sources.toml", "entry other: .*'title'"),
        ("sources.toml", "[leaflet]", "[leaflet", load_sources, "sources.toml", "line 2"),
        ("differences.toml", "care = true", "care =", load_differences, "differences.toml", "Invalid value"),
        ("pages.toml", 'url = ""\n', "", load_pages, "pages.toml", "'url'"),
        ("pages.toml", "published", "publisht", load_pages, "pages.toml", "'publisht'"),
        ("facts/leaflet.csv", "other", "rumour", load_facts, "leaflet.csv", "^F02 has the label 'rumour'$"),
        (
            "digests/leaflet.md",
            "<!-- F01 -->",
            "<!-- F01 F99 -->",
            load_shipped_documents,
            "digests/leaflet.md",
            "^unknown facts 'leaflet:F99'$",
        ),
        (
            "digests/leaflet.md",
            "<!-- F01 -->",
            "<!-- -->",
            load_shipped_documents,
            "digests/leaflet.md",
            "^unknown facts ''$",
        ),
        (
            "digests/leaflet.md",
            "<!-- F01 -->",
            "<!-- F01 F02 -->",
            load_shipped_documents,
            "digests/leaflet.md",
            "^F01 F02 mixes labels or pages$",
        ),
        (
            "digests/leaflet.md",
            "<!-- F01 -->",
            "<!-- F01 F03 -->",
            load_shipped_documents,
            "digests/leaflet.md",
            "^F01 F03 mixes labels or pages$",
        ),
    ],
)
def test_a_fault_is_refused_with_its_place(
    data: Path, name: str, old: str, new: str, load: Callable[[Path], object], place: str, reason: str
) -> None:
    content = (data / name).read_text(encoding="utf-8")
    assert old in content
    (data / name).write_text(content.replace(old, new), encoding="utf-8")
    with pytest.raises(RegistryError) as refused:
        load(data)
    assert refused.value.place == place
    assert str(refused.value) == f"{place}: {refused.value.reason}"
    assert isinstance(refused.value, CorpusError)
    assert re.search(reason, refused.value.reason)


def test_an_id_that_stands_twice_is_refused(data: Path) -> None:
    entry = '[[source]]\nid = "a"\ntitle = "A"\npublisher = "A"\npublisher_short = "A"\nurl = ""\n'
    (data / "sources.toml").write_text(entry * 2, encoding="utf-8")
    with pytest.raises(RegistryError, match=r"^sources\.toml: the id a stands twice$"):
        load_sources(data)


def test_an_empty_digest_is_refused_by_name(data: Path) -> None:
    (data / "digests" / "leaflet.md").write_text("# Back pain\n", encoding="utf-8")
    with pytest.raises(UnreadableDocumentError, match=r"^leaflet\.md: there is no text in it"):
        load_shipped_documents(data)


def test_the_shipped_registry_loads_and_every_sentence_has_facts() -> None:
    documents = load_shipped_documents()
    assert [document.source.id for document in documents] == [s.id for s in load_sources().values() if s.digest]
    for document in documents:
        said = [place for a in document.attributions for place in range(a.span.start, a.span.end)]
        body = {place for s in document.sections for place in range(s.span.start, s.span.end)}
        assert all(document.text[place].isspace() for place in body - set(said)), document.id
