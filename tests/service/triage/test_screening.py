"""What a notice holds, and how a conversation is read."""

import pytest

from service.triage.loading import Rules
from service.triage.records import Level, MatchedRule
from service.triage.screening import screen


def test_a_notice_carries_its_texts_its_words_and_its_sources(rules: Rules) -> None:
    notice = screen("My back went on Friday and I can't pee 😖 since.", rules)
    assert notice is not None
    assert notice.level is Level.EMERGENCY
    assert notice.urgent is True
    assert notice.rules[0] == MatchedRule("RF01", "can't pee", 29, 38, Level.EMERGENCY, 0)
    assert (notice.key, notice.label, notice.title) == ("rf.01", "Emergency", "Get emergency help now")
    assert notice.how == "Use the number for where you are, or go to an emergency department."
    assert notice.message.startswith("Back pain with a change in your bladder")
    assert notice.conditional == ()
    assert [source.source_id for source in notice.sources] == [
        "ajem-2020-cauda-equina",
        "merck-low-back-pain",
        "mayo-back-pain",
        "mayo-spinal-cord-tumor",
    ]
    assert (notice.basis, notice.withhold, notice.self_harm) == ("sources", False, False)


def test_the_words_are_verbatim_at_their_offsets(rules: Rules) -> None:
    text = "Ünïcödé 🙂 – my GROIN’S NUMB, and I’ve got a FEVER with back pain"
    notice = screen(text, rules)
    assert notice is not None
    assert [text[match.start : match.end] == match.matched for match in notice.rules] == [True] * len(notice.rules)
    assert {match.id for match in notice.rules} >= {"RF01", "RF07"}


def test_the_strictest_rule_decides_and_all_are_listed(rules: Rules) -> None:
    notice = screen("pain shooting down my left leg for six weeks and now I can't pee", rules)
    assert notice is not None
    assert [(match.id, match.level.value) for match in notice.rules] == [
        ("RF01", "emergency"),
        ("RF17", "soon"),
    ]
    assert notice.key == "rf.01"


def test_a_notice_for_today_says_when_to_go_now(rules: Rules) -> None:
    notice = screen("burning when i wee and back ache", rules)
    assert notice is not None
    assert (notice.level.value, notice.urgent) == ("today", True)
    line = (
        "Go to an emergency department now if you are confused, faint, pregnant or breathing fast, if you vomit or "
        "cannot keep fluids down, or if there is blood in your pee."
    )
    assert notice.conditional == (line,)


def test_a_milder_variant_has_its_own_text(rules: Rules) -> None:
    notice = screen("i bumped my lower back on a table five days ago, only lightly, still sore", rules)
    assert notice is not None
    assert (notice.level.value, notice.key) == ("today", "rf.05.today")


@pytest.mark.parametrize(
    ("text", "rule", "self_harm"),
    [("i want to kill myself", "RF21", True), ("took 20 paracetamol for my back", "RF20", False)],
)
def test_self_harm_and_poisoning_stand_alone(rules: Rules, text: str, rule: str, self_harm: bool) -> None:  # noqa: FBT001
    notice = screen(text, rules)
    assert notice is not None
    assert (notice.rules[0].id, notice.withhold, notice.self_harm) == (rule, True, self_harm)


def test_self_harm_comes_before_any_other_emergency(rules: Rules) -> None:
    notice = screen("my groin is numb and I can't pee and I want to die", rules)
    assert notice is not None
    assert [match.id for match in notice.rules] == ["RF21", "RF01"]


def test_a_general_question_about_poisoning_withholds_nothing(rules: Rules) -> None:
    notice = screen("What happens in an overdose of paracetamol?", rules)
    assert notice is not None
    assert (notice.level.value, notice.withhold) == ("info", False)


def test_signs_complete_each_other_across_turns(rules: Rules) -> None:
    assert screen("my back hurts", rules) is None
    notice = screen("and I had a fever this morning", rules, ["my back hurts", "it is worse when I sit"])
    assert notice is not None
    assert [(match.id, match.matched, match.turn) for match in notice.rules] == [("RF07", "fever", 0)]


def test_a_fall_told_two_turns_later_counts(rules: Rules) -> None:
    notice = screen("it started after I fell off a ladder", rules, ["my back hurts", "which stretches help?"])
    assert notice is not None
    assert (notice.level.value, notice.rules[0].id) == ("emergency", "RF05")


def test_an_emergency_of_an_earlier_turn_still_counts(rules: Rules) -> None:
    earlier = "I can't pee since my back went"
    notice = screen("which stretches help?", rules, [earlier, "ok"])
    assert notice is not None
    match = notice.rules[0]
    assert (match.id, match.turn, earlier[match.start : match.end]) == ("RF01", -2, "can't pee")


def test_a_sign_for_some_day_is_not_repeated_in_later_turns(rules: Rules) -> None:
    assert screen("which stretches help?", rules, ["pain shooting down my left leg"]) is None


def test_a_sign_in_the_middle_of_a_long_message_is_found(rules: Rules) -> None:
    filler = "I work at a desk and like to swim on Sundays. " * 30
    notice = screen(f"{filler}Since Tuesday my groin is numb. {filler}", rules)
    assert notice is not None
    assert [match.matched for match in notice.rules] == ["groin is numb"]


@pytest.mark.parametrize("text", ["", "   ", "?!", "🙂🙂", "1234567890" * 20, "\x00\ufeff\n\n", "a" * 5000])
def test_odd_texts_raise_nothing_and_do_not_fail(rules: Rules, text: str) -> None:
    assert screen(text, rules) is None


def test_the_memory_of_words_is_emptied_when_it_grows(rules: Rules) -> None:
    rules.forms.update({f"word{number}": (f"word{number}",) for number in range(50_001)})
    assert screen("back ache", rules) is None
    assert len(rules.forms) < 100
