"""A rules file that contradicts itself is refused, with the place at fault."""

import shutil
from pathlib import Path

import pytest

from service.triage import loading
from service.triage.errors import RulesError
from service.triage.loading import read_rules

_HOME = Path(loading.__file__).parent


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("rules.toml", "concepts.toml", "language.toml", "plain_words.txt"):
        shutil.copy(_HOME / name, tmp_path / name)
    return tmp_path / "rules.toml"


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_copy_of_the_rules_can_be_read(copy: Path) -> None:
    assert [rule.id for rule in read_rules(copy).rules][:2] == ["RF01", "RF02"]


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("rules.toml", '"saddle_numb"', '"sadle_numb"', "rules.toml RF01"),
        ("rules.toml", 'text = "rf.01"', 'text = "rf.99"', "rules.toml RF01"),
        ("rules.toml", 'topics = ["topic_cauda"]', 'topics = ["topic_nothing"]', "rules.toml"),
        ("rules.toml", 'raised_by = ["child"', 'raised_by = ["giant"', "rules.toml RF02"),
        ("rules.toml", "[levels.emergency]", "[levels.emergency", "rules.toml"),
        ("concepts.toml", "[concept.wipe]\nphrases", "[concept.wipe]\nwords", "concepts.toml wipe"),
        ("concepts.toml", "[concept.wipe]\nphrases = [", '[concept.wipe]\nphrases = ["<nowhere>", ', "concept wipe"),
        ("concepts.toml", "[concept.wipe]\nphrases = [", '[concept.wipe]\nphrases = ["<wipe> it", ', "concept wipe"),
        ("concepts.toml", "[concept.wipe]\nphrases = [", '[concept.wipe]\nphrases = ["@eons", ', "concept wipe"),
        ("language.toml", "[concept.denial]", "[concept.denials]", "language.toml"),
    ],
)
def test_a_contradiction_is_refused(copy: Path, name: str, old: str, new: str, place: str) -> None:
    _change(copy.with_name(name), old, new)
    with pytest.raises(RulesError) as refused:
        read_rules(copy)
    assert refused.value.place == place


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesError) as refused:
        read_rules(tmp_path / "rules.toml")
    assert refused.value.place == "rules.toml"
