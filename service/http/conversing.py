"""One turn of a conversation: what was asked before is taken along, and the reply is kept."""

import json
import secrets
from dataclasses import replace
from typing import Any

from service.answering.records import Question
from service.http.presenting import reply_json
from service.http.state import Desk
from service.storage.answers import StoredAnswer


def take_turn(desk: Desk, question: Question, asker: str, conversation_id: str | None) -> tuple[dict[str, Any], str]:
    """Answer a question as the next one of a conversation.

    Triage and answering see the questions before it: those that came along, else the asker's last ones in the
    conversation. The id of another asker's conversation opens nothing.

    Args:
        desk: The service.
        question: The question.
        asker: Who asks.
        conversation_id: Which conversation goes on; None begins one.

    Returns:
        The object of ``POST /v1/ask``, and its JSON exactly as it is sent and kept.
    """
    keeper = desk.keeper
    if keeper is None or not keeper.keeps:
        reply = reply_json(desk.replier.reply(question, desk.gate))
        _note(desk, question, reply)
        return reply, _text(reply)
    if conversation_id is None:
        conversation_id = f"conv_{secrets.token_hex(16)}"
    elif not question.history:
        question = replace(question, history=keeper.earlier_questions(asker, conversation_id))
    reply = reply_json(desk.replier.reply(question, desk.gate), conversation_id)
    _note(desk, question, reply)
    text = _text(reply)
    keeper.keep(
        StoredAnswer(reply["id"], asker, conversation_id, question.collection, question.text, text, reply["created"])
    )
    return reply, text


def _note(desk: Desk, question: Question, reply: dict[str, Any]) -> None:
    """Count a reply, and log its question where that is wanted."""
    desk.telemetry.reply(reply)
    if desk.questions is not None:
        notice = reply["triage"]
        desk.questions.write(question.text, reply["status"], None if notice is None else notice["level"])


def _text(reply: dict[str, Any]) -> str:
    return json.dumps(reply, ensure_ascii=False, separators=(",", ":"))
