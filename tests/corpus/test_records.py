from dataclasses import FrozenInstanceError

import pytest

from corpus.errors import CorpusError, SpanError
from corpus.records import Attribution, Document, Page, Passage, Section, Source, Span, passage_id, text_version

SOURCE = Source(id="leaflet", title="Leaflet", publisher="Clinic", publisher_short="Clinic", url="")
PAGE = Page(key="leaflet", title="Leaflet", publisher="Clinic", url="")
VERSION = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2), (-2, -1)])
def test_a_span_is_ordered_and_not_negative(start: int, end: int) -> None:
    with pytest.raises(SpanError) as refused:
        Span(start, end)
    assert (refused.value.start, refused.value.end, refused.value.length) == (start, end, -1)
    assert isinstance(refused.value, CorpusError)


def test_a_span_slices_by_code_points() -> None:
    assert Span(1, 4).slice("a👍🏽éz") == "👍🏽é"
    assert Span(5, 5).slice("hello") == ""


def test_a_span_behind_the_text_is_refused() -> None:
    with pytest.raises(SpanError, match=r"^span \[2, 6\) does not fit a text of 5 characters$"):
        Span(2, 6).slice("hello")


@pytest.mark.parametrize(
    ("inner", "expected"),
    [(Span(2, 5), True), (Span(3, 4), True), (Span(2, 2), True), (Span(1, 3), False), (Span(4, 6), False)],
)
def test_a_span_knows_what_lies_inside(inner: Span, *, expected: bool) -> None:
    assert Span(2, 5).contains(inner) is expected


def test_spans_sort_by_start_then_end() -> None:
    assert sorted([Span(2, 3), Span(0, 9), Span(0, 4)]) == [Span(0, 4), Span(0, 9), Span(2, 3)]


def test_records_cannot_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Span(0, 1).start = 1  # type: ignore[misc] # that is the point
    with pytest.raises(AttributeError):
        object.__setattr__(SOURCE, "colour", "red")


def test_a_document_is_versioned_by_its_text() -> None:
    assert text_version("hello") == VERSION
    assert Document("doc_leaflet", SOURCE, "Leaflet", "hello", ()).version == VERSION
    assert Document("doc_leaflet", SOURCE, "Other", "hellö", ()).version != VERSION


def test_a_section_behind_the_text_is_refused() -> None:
    with pytest.raises(SpanError) as refused:
        Document("doc_leaflet", SOURCE, "Leaflet", "hello", (Section((), Span(0, 5)), Section((), Span(5, 6))))
    assert (refused.value.start, refused.value.end, refused.value.length) == (5, 6, 5)


def test_an_attribution_behind_the_text_is_refused() -> None:
    with pytest.raises(SpanError) as refused:
        Document("doc_leaflet", SOURCE, "Leaflet", "hello", (), (Attribution(Span(3, 9), (), "source", PAGE),))
    assert (refused.value.start, refused.value.end, refused.value.length) == (3, 9, 5)


def passage(span: Span, text: str) -> Passage:
    return Passage(
        id="p_1",
        document_id="doc_leaflet",
        source_id="leaflet",
        collection="default",
        span=span,
        text=text,
        title="Leaflet",
        heading_path=("Rest",),
        sentences=(span,),
        context="Leaflet › Rest",
    )


def test_a_passage_is_as_long_as_its_span() -> None:
    assert passage(Span(3, 8), "hello").embedded_text == "Leaflet › Rest\nhello"
    with pytest.raises(SpanError) as refused:
        passage(Span(3, 9), "hello")
    assert (refused.value.start, refused.value.end, refused.value.length) == (3, 9, 5)


def test_a_passage_id_changes_with_document_version_and_place() -> None:
    first = passage_id("doc_leaflet", VERSION, Span(0, 5))
    assert first == "p_9f75f63a366a97dc"
    others = {
        passage_id("doc_other", VERSION, Span(0, 5)),
        passage_id("doc_leaflet", text_version("hellö"), Span(0, 5)),
        passage_id("doc_leaflet", VERSION, Span(0, 4)),
    }
    assert len(others | {first}) == 4
