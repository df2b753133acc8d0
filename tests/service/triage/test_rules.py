"""Every rule catches its signs alone and leaves its near misses be; cases.toml holds them."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from service.triage.loading import Rules, read_rules
from service.triage.records import Level
from service.triage.screening import screen

_CASES: dict[str, dict[str, list[Any]]] = tomllib.loads(
    Path(__file__).with_name("cases.toml").read_text(encoding="utf-8")
)
_ALONE = [(rule, case["level"], case["text"]) for rule, cases in _CASES.items() for case in cases["alone"]]
_NEAR = [text for cases in _CASES.values() for text in cases["near_miss"]]


def test_every_rule_has_a_case_that_fires_it_alone_and_a_near_miss(rules: Rules) -> None:
    ids = [rule.id for rule in rules.rules]
    assert ids == [f"RF{number:02d}" for number in range(1, 22)]
    assert [rule for rule in ids if not _CASES[rule]["alone"] or not _CASES[rule]["near_miss"]] == []


@pytest.mark.parametrize(("rule", "level", "text"), _ALONE)
def test_a_sign_fires_its_rule_and_no_other(rules: Rules, rule: str, level: str, text: str) -> None:
    notice = screen(text, rules)
    assert notice is not None
    assert [(match.id, match.level.value) for match in notice.rules] == [(rule, level)]


@pytest.mark.parametrize("text", _NEAR)
def test_a_near_miss_raises_no_alarm(rules: Rules, text: str) -> None:
    notice = screen(text, rules)
    assert notice is None or notice.level is Level.INFO


# The committed table: rule and its level without a modifier, to the level with each modifier in the order
# child, pregnant, older, weak immune, steroids, blood thinners, past cancer. A dash: part of the rule.
_TABLE = {
    ("RF02", "today"): "E E E E E E E",
    ("RF05", "today"): "E E E E E E E",
    ("RF06", "today"): "E E - E - E E",
    ("RF07", "today"): "E E E - - E -",
    ("RF08", "today"): "- E E - E E -",
    ("RF09", "today"): "E - E E E E E",
    ("RF11", "soon"): "T T T T T T T",
    ("RF14", "today"): "E - E E E E E",
    ("RF15", "today"): "- E E E E E E",
    ("RF15", "soon"): "- T T T T T T",
    ("RF16", "today"): "E E E E E E E",
    ("RF17", "today"): "E E E E E E E",
    ("RF17", "soon"): "T T T T T T T",
    ("RF19", "soon"): "- T T T T T T",
}


def test_the_modifiers_follow_the_committed_table() -> None:
    rules = read_rules()
    letters = {Level.EMERGENCY: "E", Level.TODAY: "T"}
    found = {}
    for rule in rules.rules:
        for variant in rule.variants:
            if variant.level is not Level.EMERGENCY:
                row = [letters[variant.level.raised()] if name in rule.raised_by else "-" for name in rules.modifiers]
                found[rule.id, variant.level.value] = " ".join(row)
    assert found == _TABLE


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("My back is locked and I can't get off the floor.", "today"),
        ("I'm 13. My back is locked and I can't get off the floor.", "emergency"),
        ("I'm pregnant. My back is locked and I can't get off the floor.", "emergency"),
        ("I'm 71. My back is locked and I can't get off the floor.", "emergency"),
        ("I'm 40. My back is locked and I can't get off the floor.", "today"),
        ("I have no spleen. My back is locked and I can't get off the floor.", "emergency"),
        ("I've been on prednisolone for years. My back is locked and I can't get off the floor.", "emergency"),
        ("I take warfarin. My back is locked and I can't get off the floor.", "emergency"),
        ("I had bowel cancer. My back is locked and I can't get off the floor.", "emergency"),
        ("I'm not pregnant. My back is locked and I can't get off the floor.", "today"),
    ],
)
def test_a_modifier_raises_a_rule_by_one_tier(rules: Rules, said: str, level: str) -> None:
    notice = screen(said, rules)
    assert notice is not None
    assert {match.id: match.level.value for match in notice.rules}["RF16"] == level


@pytest.mark.parametrize(
    "said",
    [
        "I'm 71, which stretches are good?",
        "I take warfarin, can I use a heat pack?",
        "I'm pregnant, which pillow is good?",
        "I'm 13, which school bag is good?",
        "I have no spleen, may I swim?",
        "I had bowel cancer, may I swim?",
    ],
)
def test_a_modifier_alone_fires_nothing(rules: Rules, said: str) -> None:
    assert screen(said, rules) is None


def test_no_clinician_has_reviewed_the_rules(rules: Rules) -> None:
    assert (rules.reviewed_by, rules.reviewed_on) == ("", "")


def test_safety_rules_name_no_source_in_the_notice(rules: Rules) -> None:
    notice = screen("i want to kill myself", rules)
    assert notice is not None
    assert (notice.basis, notice.sources) == ("safety", ())


def test_sources_are_those_of_the_fact_sheets_and_none_is_hearsay(rules: Rules) -> None:
    labels = {source.label for rule in rules.rules for source in rule.sources}
    assert labels == {"source", "copy", "candidate", "edition", "other"}
