import pytest

from eval.errors import SetError
from eval.naming import exchange_in_titles, set_in_titles, source_titles
from eval.records import AnswerItem, Citation, DeclineItem, Exchange, KeyFact, QuestionSet, Reply
from tests.eval.fakes import FakeTarget

FACT = (KeyFact((), ("x",)),)
TITLES = {"src_1": "Late fees", "src_2": "Opening hours", "src_3": "Late fees"}


class Titled(FakeTarget):
    """Two sources of one title, and one more."""

    def source_titles(self) -> dict[str, str]:
        return TITLES


def asking(*sources: str) -> QuestionSet:
    items = (AnswerItem("a", "q?", "plain", sources, FACT), DeclineItem("d", "r?", "unclear", "nonsense"))
    return QuestionSet("mine", "hash", items)


def test_a_set_may_name_sources_by_id_and_by_title() -> None:
    found = set_in_titles(asking("late  FEES", "src_2", "src_3"), TITLES)
    assert isinstance(found.items[0], AnswerItem)
    assert found.items[0].sources == ("Late fees", "Opening hours")
    assert found.sha256 == "hash"


def test_a_reply_names_them_in_the_same_way() -> None:
    reply = Reply("answered", citations=(Citation("c1", "src_3", "q"),), passage_sources=("src_2", "elsewhere"))
    named = exchange_in_titles(Exchange(asking("x").items[0], reply), TITLES).reply
    assert named.citations[0].source_id == "Late fees"
    assert named.passage_sources == ("Opening hours", "elsewhere")


def test_a_source_that_is_not_there_is_a_fault() -> None:
    with pytest.raises(SetError, match='a: the collection has no source "Fees"; its sources are "Late fees", "Opening'):
        set_in_titles(asking("Fees"), TITLES)


def test_a_target_that_does_not_name_its_sources_is_taken_at_its_word() -> None:
    assert source_titles(Titled()) == TITLES
    assert source_titles(FakeTarget()) == {}
    assert set_in_titles(asking("anything"), {}) == asking("anything")
