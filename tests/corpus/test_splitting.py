from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpus.normalising import normalise
from corpus.records import Attribution, Document, Page, Passage, Section, Source, Span
from corpus.sources import load_shipped_documents
from corpus.splitting import split_document
from index.embedding import TokenCounter
from index.model_files import check_model_files
from tests.corpus.strategies import texts
from tests.drilling import PROPERTY

SOURCE = Source(id="leaflet", title="Leaflet", publisher="Clinic", publisher_short="Clinic", url="")
PAGE = Page(key="leaflet", title="Leaflet", publisher="Clinic", url="")


def count_words(text: str) -> int:
    return len(text.split())


@cache
def model_counter() -> Callable[[str], int]:
    return TokenCounter(check_model_files().path).count


def document_of(*bodies: str, title: str = "Leaflet", attributions: tuple[Attribution, ...] = ()) -> Document:
    """A document with one section a body, each under a heading of its own."""
    text, sections = "", []
    for number, body in enumerate(bodies, 1):
        text += f"Part {number}\n\n"
        sections.append(Section((f"Part {number}",), Span(len(text), len(text) + len(body))))
        text += f"{body}\n\n"
    return Document("doc_leaflet", SOURCE, title, text, tuple(sections), attributions)


def cut(*bodies: str, budget: int) -> list[tuple[str, str]]:
    passages = split_document(document_of(*bodies), count_words, budget)
    return [(passage.context, passage.text) for passage in passages]


def check(document: Document, passages: list[Passage], count: Callable[[str], int], budget: int) -> None:
    """Everything that must hold for any document, budget and counter."""
    covered: list[int] = []
    for passage in passages:
        assert document.text[passage.span.start : passage.span.end] == passage.text == passage.text.strip() != ""
        assert sum(section.span.contains(passage.span) for section in document.sections) == 1
        assert count(passage.embedded_text) <= budget or len(passage.text) == 1
        covered += range(passage.span.start, passage.span.end)
        said = [place for span in passage.sentences for place in range(span.start, span.end)]
        assert said == sorted(set(said))
        assert set(said) <= set(range(passage.span.start, passage.span.end))
        unsaid = set(range(passage.span.start, passage.span.end)) - set(said)
        assert all(document.text[place].isspace() for place in unsaid)
    wanted = {
        place
        for section in document.sections
        for place in range(section.span.start, section.span.end)
        if not document.text[place].isspace()
    }
    assert covered == sorted(set(covered))
    assert wanted <= set(covered)
    assert len({passage.id for passage in passages}) == len(passages)


def test_a_section_that_fits_is_one_passage() -> None:
    assert cut("Rest for 1 to 2 days.\n\nThen walk.", "Use ice.", budget=20) == [
        ("Leaflet › Part 1", "Rest for 1 to 2 days.\n\nThen walk."),
        ("Leaflet › Part 2", "Use ice."),
    ]


def test_an_empty_section_has_no_passage() -> None:
    assert cut("", " \n ", "Use ice.", budget=20) == [("Leaflet › Part 3", "Use ice.")]


def test_a_longer_section_is_cut_between_paragraphs() -> None:
    assert cut("One two three. Four five.\n\nSix seven eight. Nine.\n\nTen.", budget=10) == [
        ("Leaflet › Part 1", "One two three. Four five."),
        ("Leaflet › Part 1", "Six seven eight. Nine.\n\nTen."),
    ]


def test_a_longer_paragraph_is_cut_between_sentences() -> None:
    assert cut("One two three. Four five. Six seven eight nine. Ten.", budget=9) == [
        ("Leaflet › Part 1", "One two three. Four five."),
        ("Leaflet › Part 1", "Six seven eight nine. Ten."),
    ]


def test_a_longer_sentence_is_cut_at_commas_and_blanks() -> None:
    assert cut("one two three, four five six, seven eight nine, ten eleven twelve", budget=8) == [
        ("Leaflet › Part 1", "one two three,"),
        ("Leaflet › Part 1", "four five six,"),
        ("Leaflet › Part 1", "seven eight nine,"),
        ("Leaflet › Part 1", "ten eleven twelve"),
    ]


def test_a_list_that_fits_stays_whole() -> None:
    listed = "- sit up straight\n- put both feet down\n- stand up often"
    assert cut(f"Some words come first here, quite a few of them.\n\n{listed}", budget=19) == [
        ("Leaflet › Part 1", "Some words come first here, quite a few of them."),
        ("Leaflet › Part 1", listed),
    ]


def test_a_longer_list_is_cut_between_items_and_keeps_its_lead_in() -> None:
    body = "Try these at work:\n\n- sit up. Feet down.\n- stand up often\n- walk a little\n- breathe out"
    assert cut(body, budget=17) == [
        ("Leaflet › Part 1", "Try these at work:\n\n- sit up. Feet down.\n- stand up often"),
        ("Leaflet › Part 1 › Try these at work:", "- walk a little\n- breathe out"),
    ]


def test_a_lead_in_on_the_line_above_is_kept_too() -> None:
    body = "It helps some.\nTry these at work:\n1. stand up often\n2. walk a little\n3. breathe out"
    assert cut(body, budget=17) == [
        ("Leaflet › Part 1", "It helps some.\nTry these at work:\n1. stand up often"),
        ("Leaflet › Part 1 › Try these at work:", "2. walk a little\n3. breathe out"),
    ]


def test_a_longer_item_keeps_its_lead_in_in_every_part() -> None:
    body = "Try these:\n\n- one two three four five. Six seven eight nine ten."
    assert cut(body, budget=12) == [
        ("Leaflet › Part 1", "Try these:\n\n- one two three four five."),
        ("Leaflet › Part 1 › Try these:", "Six seven eight nine ten."),
    ]


def test_a_longer_table_is_cut_between_rows_under_its_first() -> None:
    body = "Day | Walk\nMonday | ten minutes\nTuesday | fifteen minutes\nFriday | an hour"
    assert cut(body, budget=14) == [
        ("Leaflet › Part 1", "Day | Walk\nMonday | ten minutes"),
        ("Leaflet › Part 1 › Day | Walk", "Tuesday | fifteen minutes"),
        ("Leaflet › Part 1 › Day | Walk", "Friday | an hour"),
    ]


@pytest.mark.parametrize(
    ("before", "lead_in"),
    [
        ("It helps some. Call if you have:", "Call if you have:"),
        ("Signs of danger", "Signs of danger"),
        ("It helps some. Call with any of these.", "Call with any of these."),
        ("It helps some. Call us then.", ""),
        ("Legs | Arms", ""),
    ],
)
def test_the_sentence_before_a_list_leads_in_to_it_if_it_speaks_of_what_follows(before: str, lead_in: str) -> None:
    body = f"{before}\n\n- stand up often\n- walk a little\n- breathe out now and again"
    _, second, *_ = cut(body, budget=20)
    assert second[0] == " › ".join(part for part in ("Leaflet › Part 1", lead_in) if part)


def test_a_cut_table_keeps_its_lead_in_beside_its_first_row_where_both_fit() -> None:
    rows = "\n".join(f"{day} | {count} minutes" for day, count in (("Monday", 10), ("Tuesday", 15), ("Friday", 20)))
    assert cut(f"Walks by day:\n\nDay | Walk\n{rows}\nSunday | an hour at most, slowly", budget=28) == [
        (
            "Leaflet › Part 1",
            "Walks by day:\n\nDay | Walk\nMonday | 10 minutes\nTuesday | 15 minutes\nFriday | 20 minutes",
        ),
        ("Leaflet › Part 1 › Walks by day: › Day | Walk", "Sunday | an hour at most, slowly"),
    ]


def test_a_lead_in_that_is_too_long_is_left_out() -> None:
    body = "All of these are worth a try when you sit at work for long:\n\n- stand up\n- walk on\n- breathe out now and again"
    assert [context for context, _ in cut(body, budget=20)] == ["Leaflet › Part 1", "Leaflet › Part 1"]


def test_too_long_a_context_loses_its_outermost_part() -> None:
    document = document_of("Use ice.", title="A very long title of a leaflet that nobody reads to its end")
    assert split_document(document, count_words, 16)[0].context == "Part 1"
    assert split_document(document, count_words, 2)[0].context == "Par"


def test_data_without_blanks_is_cut_although_a_tokenizer_counts_it_as_one_word() -> None:
    passages = split_document(document_of("x" * 1000), count_words, 10)
    assert [len(passage.text) for passage in passages] == [400, 400, 200]


def test_a_cut_does_not_part_an_accent_or_an_emoji() -> None:
    text = "👩🏽\u200d⚕️e\u0301" * 6
    passages = split_document(document_of(text), len, 27)
    assert "".join(passage.text for passage in passages) == text
    assert {passage.text[0] for passage in passages} <= {"👩", "e"}


def test_sentences_of_a_digest_are_those_with_facts_and_the_rest_is_split() -> None:
    body = "Heat helps. Ask e.g. a nurse. Then rest. Walk."
    start = len("Part 1\n\n")
    known = Attribution(Span(start + 12, start + 40), ("leaflet:F01",), "source", PAGE)
    (passage,) = split_document(document_of(body, attributions=(known,)), count_words, 20)
    assert [span.slice(f"Part 1\n\n{body}") for span in passage.sentences] == [
        "Heat helps.",
        "Ask e.g. a nurse. Then rest.",
        "Walk.",
    ]


def test_shipped_documents_fit_the_model() -> None:
    for document in load_shipped_documents():
        check(document, split_document(document, model_counter()), model_counter(), 256)


@pytest.mark.parametrize("budget", [1, 2, 5])
def test_a_budget_below_any_text_still_loses_nothing(budget: int) -> None:
    document = document_of("Rest now.\n- a\n- b c")
    text = " ".join(passage.text for passage in split_document(document, len, budget))
    assert "".join(text.split()) == "Restnow.-a-bc"


@pytest.mark.drill("R11")
@PROPERTY
@given(st.lists(texts, min_size=1, max_size=3), st.integers(12, 60))
@example(["Try:\n\n- a\n- b " + "c " * 30], 12)
def test_passages_hold_for_any_text_with_a_toy_counter(bodies: list[str], budget: int) -> None:
    document = document_of(*bodies)
    check(document, split_document(document, count_words, budget), count_words, budget)


@pytest.mark.drill("R11")
@PROPERTY
@given(st.lists(texts, min_size=1, max_size=2), st.integers(40, 90))
def test_passages_hold_for_any_text_counted_by_characters(bodies: list[str], budget: int) -> None:
    document = document_of(*bodies)
    check(document, split_document(document, len, budget), len, budget)


@pytest.mark.drill("R11")
@PROPERTY
@given(st.lists(texts, min_size=1, max_size=3), texts, st.sampled_from([24, 64, 256]))
@example(["腰が痛い。" * 90, "مرحبا " * 200], "Title", 256)
@example(["a" * 5000 + " \x00 " + "é" * 900], "Title " * 90, 256)
@example(["- item of a list that goes on\n" * 80], "Title", 256)
def test_passages_hold_for_any_text_with_the_model_tokenizer(bodies: list[str], title: str, budget: int) -> None:
    document = document_of(*[normalise(body) for body in bodies], title=normalise(title))
    check(document, split_document(document, model_counter(), budget), model_counter(), budget)
