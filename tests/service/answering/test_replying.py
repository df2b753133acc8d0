from service.answering.records import Question
from service.answering.replying import Replier
from service.triage.records import Level


def test_another_language_is_not_answered_but_told_so_in_its_words(replier: Replier) -> None:
    reply = replier.reply(Question("Wie lange dauert ein Hexenschuss und was kann ich gegen die Schmerzen tun?"))
    assert reply.notice is None
    assert reply.answer.status == "abstained"
    assert reply.answer.abstention is not None
    assert reply.answer.abstention.reason == "not_screened"
    assert "nicht auf Warnzeichen" in reply.answer.abstention.message
    assert "112" in reply.answer.abstention.message


def test_self_harm_gets_help_and_no_answer(replier: Replier) -> None:
    reply = replier.reply(Question("My back hurts so much that I want to kill myself"))
    assert reply.notice is not None
    assert reply.notice.self_harm
    assert reply.answer.status == "withheld"
    assert reply.answer.sentences == ()


def test_a_sign_in_an_earlier_turn_counts(replier: Replier) -> None:
    reply = replier.reply(Question("how long does it last?", history=("my back hurts and I can't feel when I wipe",)))
    assert reply.notice is not None
    assert reply.notice.level is Level.EMERGENCY


def test_no_notice_is_no_reassurance(replier: Replier) -> None:
    reply = replier.reply(Question("What is a back spasm?"))
    assert reply.notice is None
    assert "no red flag" not in reply.answer.text.lower()
    assert "probably" not in reply.answer.text.lower()
