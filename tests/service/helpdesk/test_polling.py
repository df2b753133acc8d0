"""Polling a Request Tracker that is slow, down, busy or answers nonsense: nothing is lost, and it is left alone."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from corpus.fetching.policy import FetchPolicy
from service.helpdesk import calling
from service.helpdesk.calling import sender
from service.helpdesk.polling import Poller
from service.storage import outbox
from service.storage.connections import Connection, read_mark, store_connection, write_mark
from service.storage.database import open_database

QUESTION = "How long does a back spasm last?"


class Tracker:
    """What the few calls of polling get to hear; ``faults`` come first."""

    def __init__(self) -> None:
        self.faults: list[Any] = []
        self.calls = 0
        self.port = 0

    def answer(self, path: str) -> Any:
        if "/transactions" in path:
            row = {"id": "7", "Type": "Create", "ObjectId": "1", "Creator": {"id": "ann"}, "Created": "2026-11-22"}
            return {"items": [row]}
        if "/attachments" in path:
            return {"items": [{"ContentType": "text/plain", "Content": QUESTION, "Headers": ""}]}
        return {"Subject": "Spasm", "Requestor": [{"id": "ann"}]}


@contextmanager
def tracking() -> Iterator[Tracker]:
    tracker = Tracker()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tracker.calls += 1
            fault = tracker.faults.pop(0) if tracker.faults else None
            if fault == "slow":
                time.sleep(1.5)
                return
            status, headers = fault if isinstance(fault, tuple) else (200, {})
            body = b"<html>" if fault == "nonsense" else json.dumps(tracker.answer(self.path)).encode()
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the library has it
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tracker.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield tracker
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("fault", ["slow", "nonsense", (500, {}), (503, {}), (401, {}), (429, {"retry-after": "120"})])
def test_a_message_is_taken_once_however_the_help_desk_behaves(
    fault: Any, place: int, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with tracking() as tracker:
        allow = (f"127.0.0.1:{tracker.port}",)
        hasty = FetchPolicy(allow=frozenset(allow), read_seconds=0.9)
        monkeypatch.setattr(calling, "FetchPolicy", lambda **_: hasty)
        database = open_database(home / "backline.sqlite")
        options = {"url": f"http://{allow[0]}", "user": "backline", "password": "hidden words", "queue": "General"}
        store_connection(database, Connection("rt", "rt", options, (), emergency_to_customer=False))
        write_mark(database, "rt", '{"last": 0, "recent": []}')
        poller = Poller(database, home / "lock", sender(allow), timedelta(days=30))
        tracker.faults = [*([None] * place), fault]
        poller.look()
        assert read_mark(database, "rt") == '{"last": 0, "recent": []}'
        assert outbox.next_due(database, ("helpdesk",)) is None
        before = tracker.calls
        poller.look()  # it is left alone
        assert tracker.calls == before
        wait = poller._due["rt"] - time.monotonic()
        assert 100 < wait <= 120 if isinstance(fault, tuple) and fault[0] == 429 else 3 < wait <= 6
        for _ in range(2):
            poller._due.clear()
            poller.look()
        item = outbox.next_due(database, ("helpdesk",))
        assert item is not None
        assert item.payload["event"]["text"].endswith(QUESTION)
        outbox.finish(database, item.id)
        assert outbox.next_due(database, ("helpdesk",)) is None
    for hidden in ("hidden words", QUESTION):
        assert hidden not in caplog.text


def test_a_help_desk_that_is_down_is_asked_again_ever_more_seldom(home: Path) -> None:
    with tracking() as gone:
        pass
    database = open_database(home / "backline.sqlite")
    options = {"url": f"http://127.0.0.1:{gone.port}", "user": "backline", "password": "p", "queue": "General"}
    store_connection(database, Connection("rt", "rt", options, (), emergency_to_customer=False))
    write_mark(database, "rt", '{"last": 0, "recent": []}')
    poller = Poller(database, home / "lock", sender((f"127.0.0.1:{gone.port}",)), timedelta(days=30))
    waits = []
    for _ in range(9):
        poller._due.clear()
        poller.look()
        waits.append(round(poller._due["rt"] - time.monotonic()))
    assert waits == [6, 12, 24, 48, 96, 192, 300, 300, 300]
