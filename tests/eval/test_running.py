from typing import Any

import pytest

from eval.errors import TargetError
from eval.records import DeclineItem, Reply, reply_from_json
from eval.running import HttpTarget, InProcessTarget, ask_all, document_reader, open_target
from eval.runs import measure_all
from tests.eval.fakes import DOCUMENT, ITEMS, FakeTarget, answered
from tests.eval.serving import served


def test_a_reply_is_read_from_the_object() -> None:
    body = answered(ITEMS[0])
    reply = reply_from_json(body)
    assert reply.status == "answered"
    assert [sentence.citation_ids for sentence in reply.sentences] == [("c1",), ("c2",)]
    assert reply.citations[0].facts == ("source-0:F01",)
    assert DOCUMENT[reply.citations[0].source_start : reply.citations[0].source_end] == reply.citations[0].quote
    assert reply.passage_sources == ("source-0", "source-y")
    assert (reply.probability, reply.threshold, reply.level) == (0.99, 0.5, "none")


def test_an_abstention_shows_its_nearest_passages_and_its_reason() -> None:
    reply = reply_from_json(
        {"status": "abstained", "abstention": {"reason": "unclear", "nearest": [{"source_id": "s"}]}, "passages": []}
    )
    assert (reply.reason, reply.passage_sources) == ("unclear", ("s",))


def test_a_notice_is_read() -> None:
    reply = reply_from_json(
        {"status": "withheld", "triage": {"level": "emergency", "rules": [{"id": "RF21", "matched": "x"}]}}
    )
    assert (reply.level, reply.rules, reply.is_alarm, reply.is_silent) == ("emergency", ("RF21",), True, True)


@pytest.mark.parametrize(
    "body",
    [{}, {"status": "answered", "sentences": [{}]}, {"status": "answered", "citations": [3]}],
)
def test_what_is_no_reply_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the reply has"):
        reply_from_json(body)


def test_a_target_that_raises_gets_a_failed_reply() -> None:
    exchanges, bodies = ask_all(FakeTarget(), [DeclineItem("d", "never heard of", "unclear", "nonsense")])
    assert exchanges[0].reply == Reply("failed", error="KeyError: 'never heard of'")
    assert bodies == [{}]


def test_over_http_and_in_process_give_the_same_measures() -> None:
    target = FakeTarget()
    direct, _ = ask_all(target, ITEMS)
    with served(target) as url:
        remote = open_target(url)
        over_http, _ = ask_all(remote, ITEMS)
        far = measure_all(over_http, document_reader(remote))
        assert isinstance(remote, HttpTarget)
        remote.close()
    near = measure_all(direct, document_reader(target))
    assert far.figures == near.figures
    assert far.scores == near.scores


def test_a_busy_service_is_asked_again() -> None:
    with served(FakeTarget(), busy=2) as url:
        target = HttpTarget(url, {"authorization": "Bearer x"})
        assert target.ask(ITEMS[0].question)["status"] == "answered"
        assert target.document_text("absent") is None
        with pytest.raises(TargetError, match="gave status 422"):
            target.ask("never heard of")
        target.close()


def test_an_address_is_checked_and_a_closed_door_named() -> None:
    with pytest.raises(TargetError, match="is no address"):
        HttpTarget("127.0.0.1:8000")
    with served(FakeTarget()) as url:
        pass
    with pytest.raises(TargetError, match="no connection"):
        HttpTarget(url).ask("anyone there?")


def test_our_own_service_is_asked_through_its_application() -> None:
    class Application:
        def ask(
            self,
            question: str,
            history: tuple[str, ...] = (),
            mode: str = "extractive",
            top_k: int = 10,
            *,
            collection: str = "default",
        ) -> dict[str, Any]:
            return {"status": "abstained", "asked": [question, history, mode, top_k, collection]}

    target = InProcessTarget(Application(), "auto", {"doc": DOCUMENT}, {"s": "A page"}, "own")
    asked = target.ask("And heat?", ["Does cold help?"])["asked"]
    assert asked == ["And heat?", ("Does cold help?",), "auto", 10, "own"]
    assert target.source_titles() == {"s": "A page"}
    assert [document_reader(target)(name) for name in ("doc", "absent")] == [DOCUMENT, None]


def test_each_document_is_read_once() -> None:
    asked: list[str] = []

    class Counting(FakeTarget):
        def document_text(self, document_id: str) -> str | None:
            asked.append(document_id)
            return super().document_text(document_id)

    read = document_reader(Counting())
    assert [read("doc"), read("doc"), read("")] == [DOCUMENT, DOCUMENT, None]
    assert asked == ["doc"]
