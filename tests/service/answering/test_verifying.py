from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from corpus.normalising import normalise
from corpus.sentences import split_sentences
from service.answering.verifying import Fault, Text, Verdict, quantities, verify
from tests.corpus.strategies import texts
from tests.drilling import PROPERTY
from tests.service.fakes import StemEmbedder

SOURCE = Text(
    "How long?\n\nA severe back spasm usually eases within 6 to 8 weeks. Heat does not harm most sore muscles. "
    "Mayo Clinic names ibuprofen for swelling and pain. Lie down for two days. Then get up and walk.",
    "doc_1",
    "p_1",
    start=100,
)


def embed(text: str) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = StemEmbedder().embed([text])[0]
    return vector


def test_a_sentence_that_stands_there_is_found_with_its_place() -> None:
    finding = verify("Heat does not  harm most sore muscles.", [SOURCE], embed)
    assert finding.verdict == "verbatim"
    assert finding.quote == "Heat does not harm most sore muscles."
    assert finding.span is not None
    assert (finding.span.start - 100, finding.span.end - 100) == (SOURCE.text.index("Heat"), SOURCE.text.index(" Mayo"))
    assert finding.place is SOURCE
    assert finding.similarity is None


@pytest.mark.parametrize(
    ("sentence", "verdict", "faults"),
    [
        ("Within 6 to 8 weeks a severe back spasm usually eases.", "supported", ()),
        ("A severe back spasm usually eases within 6 to 9 weeks.", "contradicted", ("numbers",)),
        ("A severe back spasm usually eases within 6 to 8 days.", "contradicted", ("numbers",)),
        ("A severe back spasm usually does not ease within 6 to 8 weeks.", "contradicted", ("negation",)),
        ("Heat does harm most sore muscles.", "contradicted", ("negation",)),
        ("Ice does not harm most sore muscles.", "contradicted", ("opposite",)),
        ("Mayo Clinic names ibuprofen and Tramadol for swelling and pain.", "not_found", ("names",)),
        ("Aliens built the pyramids.", "not_found", ("wording",)),
        ("Mayo Clinic names ibuprofen.", "supported", ()),
        ("Does a severe back spasm usually ease?", "not_found", ("wording",)),
        ("Lie down for two days, then get up and walk.", "supported", ()),
        ("For swelling and pain, ibuprofen is named by Mayo Clinic.", "supported", ()),
        ("A severe back spasm always eases within 6 to 8 weeks.", "not_found", ("strength",)),
    ],
)
def test_other_words_are_held_to_numbers_denials_names_and_nearness(
    sentence: str, verdict: Verdict, faults: tuple[Fault, ...]
) -> None:
    finding = verify(sentence, [SOURCE], embed)
    assert (finding.verdict, finding.faults) == (verdict, faults)


def test_what_supports_goes_before_what_contradicts() -> None:
    other = Text("A severe back spasm usually eases within 2 weeks.")
    finding = verify("Within 6 to 8 weeks a severe back spasm usually eases.", [other, SOURCE], embed)
    assert (finding.verdict, finding.place) == ("supported", SOURCE)


@pytest.mark.parametrize("texts", [(), (Text(""),), (Text("?"),)])
def test_without_a_text_nothing_is_found(texts: tuple[Text, ...]) -> None:
    assert verify("Walking helps.", texts, embed).verdict == "not_found"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("within six to eight weeks", {("6", "week"): 1, ("8", "week"): 1}),
        ("in 4-6 weeks", {("4", "week"): 1, ("6", "week"): 1}),
        ("two or three days", {("2", "day"): 1, ("3", "day"): 1}),
        ("1,200 mg or 5 %", {("1200", "mg"): 1, ("5", "percent"): 1}),
        ("type 1 or type 1", {("1", ""): 2}),
        ("a few weeks", {}),
    ],
)
def test_quantities_are_numbers_with_their_units(text: str, found: dict[tuple[str, str], int]) -> None:
    assert quantities(text) == Counter(found)


@pytest.mark.drill("R11")
@PROPERTY
@given(st.one_of(texts, st.text(max_size=80)), st.integers(0, 5_000))
def test_every_sentence_of_any_text_is_found_word_for_word_and_the_place_is_its_own(raw: str, start: int) -> None:
    text = Text(normalise(raw), "doc_any", "p_any", start)
    for span in split_sentences(text.text):
        sentence = span.slice(text.text)
        if sentence != " ".join(sentence.split()):
            continue  # sentences are compared with single blanks
        finding = verify(sentence, [text], embed)
        assert finding.verdict == "verbatim"
        assert finding.span is not None
        assert text.text[finding.span.start - start : finding.span.end - start] == finding.quote == sentence


@pytest.mark.drill("R11")
@PROPERTY
@given(texts, texts)
def test_whatever_is_asked_about_a_quote_is_the_text_of_its_span(sentence: str, raw: str) -> None:
    text = Text(normalise(raw), start=7)
    finding = verify(normalise(sentence), [text], embed)
    assert finding.span is None or text.text[finding.span.start - 7 : finding.span.end - 7] == finding.quote
    assert (finding.verdict == "verbatim") <= (finding.quote == finding.sentence)
