"""Answers one message of a customer: reads, plans, acts. A crash anywhere is taken up where it happened.

The plan is kept before the first action, so that it is made once; what was done is kept after each. Between doing
and keeping a process can die: before a note or reply is written, the conversation is searched for it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sqlalchemy import Engine

from service.answering.records import Question, Reply
from service.delivering import GiveUpError
from service.helpdesk.calling import Send, run
from service.helpdesk.events import Action, Event
from service.helpdesk.planning import plan_actions, plan_too_long
from service.helpdesk.platforms import Platform, platforms
from service.helpdesk.receiving import thread_of
from service.helpdesk.texts import LONGEST_MESSAGE, fingerprint
from service.settings import Settings
from service.storage import outbox
from service.storage.connections import Connection, find_connection
from service.storage.outbox import Item
from service.triage.records import Notice

_log = logging.getLogger(__name__)

LOOP_SECONDS: Final = 600
LOOP_MESSAGES: Final = 10
"""More messages than this in ten minutes, and only agents hear: two machines must not answer each other."""

Ask = Callable[[Question], Reply]
Screen = Callable[[Question], Notice | None]
Keep = Callable[[Event, Question, Reply], None]
"""Keeps an answer with its question, as long as answers are kept."""
Earlier = Callable[[Event], tuple[str, ...]]
"""Returns what the customer asked before in the same conversation, as far as it is kept, the oldest first."""


class HelpdeskWorker:
    """Does what the outbox holds for help desks.

    Args:
        engine: The database.
        settings: The settings.
        ask: Replies to a question.
        screen: Looks for warning signs alone.
        send: Calls help desks.
        keep: Keeps what was answered.
        earlier: Looks up what was asked before, where the help desk does not say it.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        ask: Ask,
        screen: Screen,
        send: Send,
        keep: Keep,
        earlier: Earlier,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._ask = ask
        self._screen = screen
        self._send = send
        self._keep_answer = keep
        self._earlier = earlier

    def deliver(self, item: Item) -> None:
        """Answer one message.

        Raises:
            RetryLaterError: the help desk could not be reached; the next attempt goes on where this one stopped.
            GiveUpError: the connection is gone, or the help desk refuses for good.
        """
        event = Event.from_json(item.payload["event"])
        connection = find_connection(self._engine, event.connection)
        if connection is None:
            raise GiveUpError("the connection was removed")
        if "plan" not in item.payload:
            plan = [action.as_json() for action in self._plan(event, connection)]
            item = self._keep(item, {**item.payload, "plan": plan, "done": 0})
        adapter = platforms()[connection.platform]
        for position, kept in enumerate(item.payload["plan"]):
            if position >= item.payload["done"]:
                self._act(adapter, Action.from_json(kept), event, connection)
                item = self._keep(item, {**item.payload, "done": position + 1})

    def _plan(self, event: Event, connection: Connection) -> tuple[Action, ...]:
        history = event.history or self._earlier(event)
        question = Question(event.text, history, collection=connection.options.get("collection", "default"))
        if len(event.text) > LONGEST_MESSAGE:
            return plan_too_long(event, self._screen(question))
        reply = self._ask(question)
        connection = self._limited(connection, event, reply)
        self._keep_answer(event, question, reply)
        return plan_actions(event, reply, connection, self._settings)

    def _limited(self, connection: Connection, event: Event, reply: Reply) -> Connection:
        """Return the connection without what may not go to the customer now.

        Nothing may at a trial and in a busy conversation. What came back to us in our own words is not said again: an
        auto-responder quotes what it answers, and would never end.
        """
        came_back = fingerprint(event.text)
        notice = reply.notice
        said = notice is not None and fingerprint(f"{notice.how} {notice.message}") in came_back
        recent = outbox.count_thread(self._engine, thread_of(event), time.time() - LOOP_SECONDS)
        if event.trial or said or recent > LOOP_MESSAGES:
            return replace(connection, emergency_to_customer=False, reply_from=None)
        if fingerprint(reply.disclaimer) in came_back:
            return replace(connection, reply_from=None)
        return connection

    def _act(self, adapter: Platform, action: Action, event: Event, connection: Connection) -> None:
        if action.kind in {"note", "reply"} and run(adapter.is_done(action, event, connection), self._send):
            return
        try:
            run(adapter.perform(action, event, connection, time.time()), self._send)
        except GiveUpError as error:
            if action.kind != "tag":
                raise
            # The note and the hand-over matter more than a mark that the help desk does not take.
            _log.warning("a tag of %s was not set: %s", connection.name, error.reason)

    def _keep(self, item: Item, payload: dict[str, object]) -> Item:
        changed = item.with_payload(payload)
        outbox.save_payload(self._engine, changed)
        return changed
