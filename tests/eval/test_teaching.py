"""Teaching the second reader: the same table every time, and it tells what it was shown."""

import hashlib
import json
from pathlib import Path

import pytest

from eval.errors import CalibrationError
from eval.teaching import (
    EXAMPLES,
    choose_doubt,
    choose_threshold,
    read_examples,
    score,
    table_of,
    teach_alarm,
    teach_choice,
)
from service.triage.loading import read_rules
from service.triage.weights import BIAS, SHIPPED, read_weights

_SIGNS = [
    "cotton wool under my saddle",
    "like cotton wool down below",
    "cotton wool where the seat is",
    "all cotton wool",
]
_PLAIN = ["a soft pillow for the bed", "the garden was lovely", "pillow and bed advice", "my pillow and my bed"]


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    path = tmp_path / "few.jsonl"
    lines = [
        {"id": f"a-{n}", "kind": "alarm", "text": text, "level": "emergency", "rules": ["RF01" if n < 3 else "RF02"]}
        for n, text in enumerate(_SIGNS)
    ]
    near = [
        {"id": f"n-{n}", "kind": "near_miss", "text": text, "level": "none", "near": [], "why": "everyday"}
        for n, text in enumerate(_PLAIN)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, *near]), encoding="utf-8")
    return path


def test_what_was_taught_is_known_and_the_table_is_the_same_each_time(examples: Path) -> None:
    read = read_examples([examples], read_rules())
    alarm, told = teach_alarm(read)
    assert min(score(one, alarm) for one in read[:4]) > max(score(one, alarm) for one in read[4:])
    assert alarm["cotton wool"] > 0 > alarm["pillow"]
    again = teach_alarm(read)
    about = {"seed": "7"}
    assert table_of(alarm, teach_choice(told), about) == table_of(again[0], teach_choice(again[1]), about)


def test_both_kinds_are_needed(examples: Path) -> None:
    read = read_examples([examples], read_rules())
    with pytest.raises(CalibrationError, match="near misses"):
        teach_alarm(read[:4])


def test_the_threshold_lets_the_allowed_share_of_near_misses_through(examples: Path) -> None:
    import numpy as np

    read = read_examples([examples], read_rules())
    scores = np.array([9.0, 9.0, 9.0, 9.0, 0.5, 1.0, 1.5, 2.0])
    assert choose_threshold(read, scores, 0.0) == pytest.approx(2.01)
    assert choose_threshold(read, scores, 0.25) == pytest.approx(1.51)


def test_the_bound_of_doubt_lies_below_what_rules_catch(tmp_path: Path) -> None:
    import numpy as np

    texts = [
        "I'm 18 weeks pregnant and since Monday my lower back hurts a lot",
        "I'm 20 weeks pregnant and since Tuesday my lower back hurts a lot",
        "purple elephants are dancing on the roof of my house this whole evening",
        "I am pregnant and my back hurts",
        "Since Monday I cannot pee at all and my lower back hurts a lot",
    ]
    rows = [{"id": f"a-{n}", "kind": "alarm", "text": t, "level": "today", "rules": ["RF14"], "style": "plain"}
            for n, t in enumerate(texts)]  # fmt: skip
    path = tmp_path / "set.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    rules = read_rules()
    read = read_examples([path], rules)
    # What no rule catches, what is short, and emergencies take no part, however low they lie.
    scores = np.array([1.237, -0.504, -7.0, -9.0, -8.0])
    assert choose_doubt(read, scores, 0.0, rules) == pytest.approx(-0.51)
    assert choose_doubt(read, scores, 0.5, rules) == pytest.approx(-1.01)


def test_one_strange_alarm_in_a_thousand_does_not_move_the_bound(tmp_path: Path) -> None:
    import numpy as np

    rows = [
        {"id": f"a-{n}", "kind": "alarm", "text": f"I'm {n} days past week 18, pregnant, and my lower back hurts a lot"}
        for n in range(1_001)
    ]
    path = tmp_path / "set.jsonl"
    rest = {"level": "today", "rules": ["RF14"], "style": "plain"}
    path.write_text("".join(f"{json.dumps(row | rest)}\n" for row in rows), encoding="utf-8")
    rules = read_rules()
    read = read_examples([path], rules)
    scores = np.full(len(read), 1.0)
    scores[7] = -9.0
    assert choose_doubt(read, scores, 0.0, rules) == pytest.approx(1.0)
    scores[8] = -5.0
    assert choose_doubt(read, scores, 0.0, rules) == pytest.approx(-5.0)


def test_the_shipped_table_was_taught_from_the_shipped_examples() -> None:
    stated = read_weights(SHIPPED).about["examples"]
    assert EXAMPLES[0].name == "triage.examples.jsonl"
    assert hashlib.sha256(EXAMPLES[0].read_bytes()).hexdigest() in stated


def test_a_table_line_holds_weights_in_hundredths() -> None:
    assert table_of(
        {BIAS: 0.001, "numb": 0.5, "weak": 0.001},
        {"numb": {"RF01": 1.0, "RF02": 0.1}, BIAS: {"RF01": -4.0, "emergency": -0.05}},
        {"seed": "7"},
    ) == [
        "# seed: 7",
        "(bias)\t0.00\tRF01:-4.00 emergency:-0.05",  # what is near 0 is a constant all the same
        "numb\t0.50\tRF01:1.00",
    ]
