from corpus.records import Document, Passage, Section, Source, Span
from service.answering.citing import cite

TEXT = (
    "Heat\n\nWarm packs relax tight muscles for a while. Cold packs numb a sore place. Neither heals.\n\nRest\n\nShort."
)
BODY = Span(6, 94)
SECOND = Span(50, 79)


def make_passage(document: Document) -> Passage:
    return Passage(
        "p", document.id, "s", "default", BODY, BODY.slice(TEXT), "T", ("Heat",), (SECOND,), "T › Heat", "heat"
    )


def make_document(url: str = "https://example.org/heat") -> Document:
    source = Source("s", "Packs", "Clinic of Tests", "Clinic", url, licence="CC0", credit="Clinic", published="2020")
    return Document("doc_s", source, "Packs", TEXT, (Section(("Heat",), BODY, "heat"),))


def test_the_words_around_a_quote_are_whole_and_from_its_own_section() -> None:
    document = make_document()
    citation = cite("c1", document, make_passage(document), SECOND)
    assert citation.quote == "Cold packs numb a sore place."
    assert citation.prefix == "Warm packs relax tight muscles for a while. "
    assert citation.suffix == " Neither heals."


def test_a_quote_at_the_start_of_a_section_has_no_heading_before_it() -> None:
    document = make_document()
    citation = cite("c1", document, make_passage(document), Span(6, 49))
    assert citation.prefix == ""
    assert citation.suffix.startswith(" Cold packs numb a sore place.")


def test_a_document_of_ones_own_is_cited_by_its_own_terms() -> None:
    document = make_document()
    citation = cite("c1", document, make_passage(document), SECOND)
    assert (citation.title, citation.publisher, citation.licence, citation.credit) == (
        "Packs",
        "Clinic",
        "CC0",
        "Clinic",
    )
    assert citation.evidence == "source"
    assert citation.facts == ()
    assert citation.deep_link.startswith("https://example.org/heat#heat:~:text=")


def test_a_source_without_an_address_can_still_be_cited() -> None:
    document = make_document(url="")
    assert cite("c1", document, make_passage(document), SECOND).deep_link == ""
