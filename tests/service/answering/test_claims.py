import pytest

from service.answering.claims import flaws
from tests.service.answering.wordings import falsified, hand_written

SPASM = "Most back spasms usually ease within 6 to 8 weeks, which is why doctors wait."
HEAT = "Heat relaxes tight muscles for a while, and cold may numb a sore place."


def test_what_stands_there_has_no_flaw() -> None:
    assert flaws(SPASM, SPASM) == ()
    assert flaws(HEAT, HEAT) == ()


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("Within six to eight weeks most back spasms usually ease.", SPASM),
        ("Heat relaxes tight muscles for a while.", HEAT),
        ("Heat relaxes tight muscles for a while, and a sore place may be numbed by cold.", HEAT),
    ],
)
def test_another_order_small_words_and_whole_clauses_are_let_through(sentence: str, quote: str) -> None:
    assert flaws(sentence, quote) == ()


@pytest.mark.parametrize(
    ("sentence", "quote", "flaw"),
    [
        ("Most back spasms usually ease within 6 to 9 weeks.", SPASM, "numbers"),
        ("Most back spasms usually ease within 6 to 8 months.", SPASM, "numbers"),
        ("Back spasms usually ease within 6 to 8 weeks.", SPASM, "strength"),
        ("Most back spasms always ease within 6 to 8 weeks.", SPASM, "strength"),
        ("Most back spasms usually do not ease within 6 to 8 weeks.", SPASM, "negation"),
        ("Most back spasms usually ease.", SPASM, "scope"),
        ("Mayo Clinic says most back spasms usually ease within 6 to 8 weeks.", SPASM, "names"),
        ("Most back spasms usually ease within 6 to 8 weeks, see www.evil.example.", SPASM, "address"),
        ("Heat may numb a sore place.", HEAT, "wording"),
        ("Cold relaxes tight muscles for a while, and heat may numb a sore place.", HEAT, "order"),
        ("Heat relaxes tight muscles.", HEAT, "scope"),
        ("Cold numbs a sore place.", HEAT, "strength"),
    ],
)
def test_what_was_changed_is_found(sentence: str, quote: str, flaw: str) -> None:
    assert flaw in flaws(sentence, quote)


def test_no_hand_written_distortion_passes() -> None:
    wrong = [wording for wording in hand_written() if wording.changed]
    assert len(wrong) >= 100
    assert [wording for wording in wrong if not flaws(wording.text, wording.quote)] == []


def test_honest_rewordings_survive() -> None:
    honest = [wording for wording in hand_written() if not wording.changed]
    assert len(honest) >= 60
    passed = [wording for wording in honest if not flaws(wording.text, wording.quote)]
    assert len(passed) >= 0.95 * len(honest)


def test_the_rules_that_falsify_change_something() -> None:
    changed = {
        wording.changed for wording in falsified("If back pain lasts more than 3 weeks, Mayo Clinic may not help.")
    }
    assert changed >= {
        "number",
        "unit",
        "subject",
        "condition dropped",
        "publisher",
        "negation dropped",
        "strengthened",
    }
