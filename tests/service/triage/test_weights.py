"""The table of the second reader: read as it stands, refused with the line at fault."""

from pathlib import Path

import pytest

from service.triage.errors import RulesError
from service.triage.weights import BIAS, SHIPPED, read_weights


def _table(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "likeness.tsv"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_a_table_is_read(tmp_path: Path) -> None:
    weights = read_weights(
        _table(
            tmp_path,
            "# alarm_from: 1.50",
            "# doubt_below: -2.00",
            "# seed: 7",
            "(bias)\t-2.00\tRF01:0.50 today:-1.00",
            "cotton wool\t0.75",
        )
    )
    assert (weights.about["seed"], weights.alarm_from, weights.doubt_below) == ("7", 1.5, -2.0)
    assert weights.alarm == {BIAS: -2.0, "cotton wool": 0.75}
    assert weights.choice_of(BIAS) == {"RF01": 0.5, "today": -1.0}
    assert weights.choice_of("cotton wool") == weights.choice_of("silk") == {}
    assert weights.chosen.keys() == {BIAS}  # what the table lacks is not kept: it may be anybody's words


@pytest.mark.parametrize(
    "lines",
    [
        ("# alarm_from: 1.00", "# doubt_below: -1.00", "cotton"),
        ("# alarm_from: 1.00", "# doubt_below: -1.00", "cotton\tmuch"),
        ("# alarm_from: 1.00", "# doubt_below: -1.00", "cotton\t1.00\tRF01"),
        ("# alarm_from: 1.00", "# doubt_below: -1.00", "cotton\t1.00\tRF01:0.50 today:-1.0O"),
        ("# alarm_from: 1.00", "# doubt_below: -1.00", "cotton\t1.00\tRF01:0.50", "", "wool\t1.00"),
        ("# doubt_below: -1.00", "cotton\t1.00"),
        ("# alarm_from: 1.00", "cotton\t1.00"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path, lines: tuple[str, ...]) -> None:
    with pytest.raises(RulesError, match="teach it again"):
        read_weights(_table(tmp_path, *lines))


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"likeness\.tsv"):
        read_weights(tmp_path / "likeness.tsv")


def test_the_shipped_table_names_its_examples_every_rule_and_every_level() -> None:
    weights = read_weights(SHIPPED)
    assert "triage.examples.jsonl sha256 " in weights.about["examples"]
    named = {f"RF{number:02d}" for number in range(1, 22)} | {"emergency", "today", "soon"}
    assert named == weights.choice_of(BIAS).keys()
