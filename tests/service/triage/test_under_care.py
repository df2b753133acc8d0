import pytest

from service.triage.loading import Rules
from service.triage.records import Level
from service.triage.screening import screen


@pytest.mark.parametrize(
    "text",
    [
        "I feel fine halfway through my kidney infection tablets, must I finish them?",
        "My doctor confirmed sciatica in March and it is calming down. Can I cycle?",
        "I'm due to have my gallbladder out and wonder when I can eat butter again.",
        "worst case how many weeks does a back spasm last",
        "She hasn't wet herself.",
        "Cold pack first or hot pad first on a lower back that just went?",
    ],
)
def test_what_is_seen_to_or_not_said_raises_no_alarm(rules: Rules, text: str) -> None:
    notice = screen(text, rules)
    assert notice is None or notice.level is Level.INFO


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("I've got a kidney infection, what helps?", Level.TODAY),
        ("on day 3 of tablets for a kidney infection and no better", Level.TODAY),
        ("The doctor says I have sciatica but it's getting worse", Level.SOON),
        ("She has wet herself and her back hurts.", Level.EMERGENCY),
        ("hot packs did not help, back pain and temperature", Level.EMERGENCY),
    ],
)
def test_under_care_but_no_better_still_counts(rules: Rules, text: str, level: Level) -> None:
    notice = screen(text, rules)
    assert notice is not None
    assert notice.level is level


def test_what_was_asked_in_general_says_what_a_muddled_relative_may_have(rules: Rules) -> None:
    asked = ("What are the signs of a kidney infection?",)
    for text in ("My dad is 84 and only seems muddled", "Gran has gone all muddled. Could that be one?"):
        notice = screen(text, rules, asked)
        assert notice is not None
        assert (notice.level, notice.rules[0].id) == (Level.EMERGENCY, "RF09")
    for text in ("And in very old people?", "I get muddled by all these names"):
        notice = screen(text, rules, asked)
        assert notice is None or notice.level is Level.INFO
