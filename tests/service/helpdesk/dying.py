"""Polls and delivers in processes that are killed, each at another step; then once in one that lives.

``python -m tests.service.helpdesk.dying HOME ALLOW``: prints one line a process.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from corpus.sources import load_differences, load_shipped_documents
from index.building import build_snapshot
from index.retrieving import Retriever
from index.snapshot import open_snapshot
from service.answering.answerer import Answerer
from service.answering.replying import Replier
from service.application import open_delivering
from service.helpdesk import calling, polling
from service.keeping import AnswerKeeper
from service.queueing import Gate
from service.serving import Serving
from service.settings import Settings
from service.storage import outbox
from service.storage.connections import list_connections
from service.storage.database import open_database
from service.triage.screening import load_rules
from tests.service.fakes import StemEmbedder

STEPS = (
    "before put",
    "after put",
    "before write_mark",
    "after write_mark",
    "before save_payload",
    "after save_payload",
    "before POST",
    "after POST",
    "before save_payload",
    "after save_payload",
    "before POST",
    "after POST",
    "before save_payload",
    "after save_payload",
    "before PUT",
    "after PUT",
    "before save_payload",
    "after save_payload",
    "before PUT",
    "after PUT",
    "before save_payload",
    "after save_payload",
    "before finish",
    "after finish",
)
"""In the order of the work: taken in, planned, note, reply to the customer, tag, hand-over, end.

What a process did before its step stays; the next one goes on from there.
"""


def die_at(step: str) -> None:
    """Let this process be killed when it comes to a step for the first time."""

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            at = str(named.get("method", name))
            if step == f"before {at}":
                os.kill(os.getpid(), signal.SIGKILL)
            found = real(*arguments, **named)
            if step == f"after {at}":
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return call

    watched_names = ((outbox, "put"), (outbox, "save_payload"), (outbox, "finish"), (polling, "write_mark"))
    for module, name in (*watched_names, (calling, "ask")):
        setattr(module, name, watched(name, getattr(module, name)))


def work(replier: Replier, settings: Settings) -> None:
    """Poll once and deliver everything."""
    database = open_database(settings.database)
    deliverer, poller = open_delivering(settings, database, Serving(replier), Gate(), AnswerKeeper(database, 0))
    for connection in list_connections(database):
        polling.poll_connection(database, connection, poller._send)
    while deliverer.deliver_one():
        pass


def fates(replier: Replier, settings: Settings) -> Iterator[str]:
    """Yield how each process ended."""
    for step in (*STEPS, ""):
        child = os.fork()
        if child == 0:
            die_at(step)
            work(replier, settings)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        yield f"{step or 'to the end'}: {'killed' if killed else status}"


if __name__ == "__main__":
    embedder = StemEmbedder()
    with tempfile.TemporaryDirectory() as root:
        build_snapshot(load_shipped_documents(), embedder, Path(root))
        retriever = Retriever(open_snapshot(Path(root), embedder.model_id), embedder)
    whole = Replier(load_rules(), Answerer(retriever, None, load_differences()))
    for fate in fates(whole, Settings(home=Path(sys.argv[1]), helpdesk_allow=(sys.argv[2],))):
        print(fate, flush=True)
