"""The page on the screening is what the rules say."""

from pathlib import Path

from service.triage.documenting import document_rules
from service.triage.loading import Rules

_PAGE = Path(__file__).parents[3] / "docs" / "triage.md"


def test_the_page_is_written_from_the_rules(rules: Rules) -> None:
    assert _PAGE.read_text(encoding="utf-8") == document_rules(rules)


def test_the_page_says_that_no_clinician_has_reviewed_the_rules(rules: Rules) -> None:
    page = document_rules(rules)
    assert "**No clinician has reviewed these rules.**" in page
    assert "**This is not a medical device.**" in page


def test_the_page_has_every_rule_and_every_message(rules: Rules) -> None:
    page = document_rules(rules)
    assert [rule.id for rule in rules.rules if f"### {rule.id} " not in page] == []
    assert [v.text for rule in rules.rules for v in rule.variants if rules.texts[v.text] not in page] == []
