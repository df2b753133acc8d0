"""One text, read: how each word is meant agrees with reading it place by place."""

from service.triage.loading import Rules
from service.triage.turns import read_turn


def test_words_out_of_reach_of_every_cue_are_asserted(rules: Rules) -> None:
    turn = read_turn(
        "No fever, no chills. My groin went numb last year, what if my leg goes? We walked home slowly.", 0, rules
    )
    meant = [reading.value for reading in turn.assertions.of_words()]
    assert meant[:4] == ["asserted", "denied", "asserted", "denied"]
    assert "supposed" in meant
    assert meant[-4:] == ["asserted"] * 4


def test_slips_of_the_pen_are_repaired(rules: Rules) -> None:
    assert read_turn("numbnes and tinglng", 0, rules).plain == ["numbness", "and", "tingling"]
