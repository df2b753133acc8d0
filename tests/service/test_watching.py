from index.errors import EngineError
from service.watching import EngineWatch


class Checked:
    """An engine that counts how often it is asked."""

    def __init__(self) -> None:
        self.down = False
        self.asked = 0

    def check(self) -> None:
        self.asked += 1
        if self.down:
            raise EngineError("Milvus does not answer")


def test_an_answer_counts_for_a_moment() -> None:
    engine = Checked()
    watch = EngineWatch(engine.check, seconds=3_600)
    assert (watch.reason, watch.reason, engine.asked) == (None, None, 1)


def test_what_is_wrong_is_said_until_it_is_right_again() -> None:
    engine = Checked()
    watch = EngineWatch(engine.check, seconds=0)
    engine.down = True
    assert watch.reason == "Milvus does not answer"
    engine.down = False
    assert watch.reason is None
