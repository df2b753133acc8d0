import pytest

from eval.drawing import as_markdown, draw_answers
from eval.errors import RunError
from eval.replies import Told, tell
from eval.running import ask_all
from tests.eval.fakes import ITEMS, FakeTarget


def _told() -> dict[str, Told]:
    exchanges, _ = ask_all(FakeTarget(), ITEMS[:20])
    return {exchange.item.id: tell(exchange) for exchange in exchanges}


def test_the_draw_holds_answers_alone_in_their_order_and_is_the_same_again() -> None:
    drawn = draw_answers(_told(), 5)
    assert drawn == draw_answers(_told(), 5)
    names = [one.id for one in drawn]
    assert len(names) == 5
    assert names == [name for name in _told() if name in names]
    assert all(one.sources for one in drawn)
    assert len(draw_answers(_told(), 99)) == 12


def test_an_answer_is_printed_word_for_word() -> None:
    one = draw_answers(_told(), 1)[0]
    assert list(as_markdown([one])) == [f"1. **{one.question}** {one.got} ({', '.join(one.sources)})"]
    assert one.got in next(as_markdown([one]))


def test_a_run_without_answers_is_refused() -> None:
    with pytest.raises(RunError, match="no answer"):
        draw_answers({}, 3)
