"""What to do about one message: a reply and a connection in, actions out. The order is the order of doing.

The note comes first: when anything after it fails, a person has at least read why. The hand-over comes last: it may
put the ticket where nothing more can be changed.
"""

from typing import Final

from service.answering.records import Reply
from service.helpdesk.events import Action, Event, Urgency
from service.helpdesk.notes import draft_lines, note_lines, safety_lines, silence_reason, too_long_lines
from service.helpdesk.texts import LONGEST_MESSAGE
from service.linking import answer_url
from service.settings import Settings
from service.storage.connections import Connection
from service.storage.outbox import hash_key
from service.triage.records import Level, Notice

NO_DRAFT_TAG: Final = "backline-no-draft"


def marker_of(event: Event) -> str:
    """Return what tells the note on this message from every other: the same however often it is made."""
    return f"bln-{hash_key(event.connection, event.conversation_ref, event.message_id)[:16]}"


def plan_actions(event: Event, reply: Reply, connection: Connection, settings: Settings) -> tuple[Action, ...]:
    """Return what is done about a message.

    An emergency or today notice, and every silence, hands the conversation to a person. A reply goes to the customer
    only where the operator has asked for it: the safety text of an emergency, or a whole answer without any notice
    whose calibrated probability is high enough.
    """
    marker = marker_of(event)
    url = answer_url(connection, reply, settings)
    actions = [Action("note", note_lines(reply, settings, marker, url), marker=marker)]
    handoff: Action | None = None
    notice = reply.notice
    if notice is not None and notice.urgent:
        if notice.level is Level.EMERGENCY and connection.emergency_to_customer:
            actions.append(Action("reply", safety_lines(reply, settings), marker=marker))
        handoff = _urgent_handoff(notice)
    elif reply.answer.abstention is not None or not reply.answer.sentences:
        actions.append(Action("tag", tag=NO_DRAFT_TAG))
        handoff = Action("handoff", reason=f"No draft: {silence_reason(reply)}.")
    elif _may_send(reply, connection):
        actions.append(Action("reply", draft_lines(reply), marker=marker))
    else:
        actions.append(Action("draft", draft_lines(reply), marker=marker))
    if notice is not None and notice.level is not Level.INFO:
        actions.append(Action("tag", tag=f"triage-{notice.level.value}"))
    return (*actions, *(() if handoff is None else (handoff,)))


def plan_too_long(event: Event, notice: Notice | None) -> tuple[Action, ...]:
    """Return what is done about a message that is longer than what is read; its warning signs were looked for."""
    marker = marker_of(event)
    lines = too_long_lines(notice, marker, len(event.text), LONGEST_MESSAGE)
    note, tag = Action("note", lines, marker=marker), Action("tag", tag=NO_DRAFT_TAG)
    if notice is not None and notice.urgent:
        return (note, tag, Action("tag", tag=f"triage-{notice.level.value}"), _urgent_handoff(notice))
    return (note, tag, Action("handoff", reason="No draft: the message is too long."))


def _may_send(reply: Reply, connection: Connection) -> bool:
    probability = reply.answer.probability
    return (
        connection.reply_from is not None
        and probability is not None
        and probability.value >= connection.reply_from
        and reply.answer.status == "answered"
        and reply.notice is None
    )


def _urgent_handoff(notice: Notice) -> Action:
    urgency: Urgency = "emergency" if notice.level is Level.EMERGENCY else "today"
    reason = "Emergency: contact the customer now." if urgency == "emergency" else "Contact the customer today."
    return Action("handoff", urgency=urgency, reason=reason)
