"""R1: the process is killed at a random time while documents come in, again and again, over one home."""

import http.client
import json
import multiprocessing
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import pytest
import uvicorn

from service.http.connecting import Connection
from service.settings import Settings
from service.storage.database import open_database
from service.storage.documents import load_documents
from service.storage.keys import Scope, create_key
from service.triage.screening import load_rules
from tests.drilling import NIGHT
from tests.service.http.running import listen
from tests.service.http.serving import open_service

KILLS = 20
"""Of one home: what it holds is built anew after each, so more would only measure how long that takes."""
PAUSE = 0.1
"""Longest pause between two documents, seconds: a quick machine must not bring more than it can build anew."""

INGEST: tuple[Scope, ...] = ("ingest",)


def serve(home: Path, told: Pipe) -> None:
    """Serve a home until the process ends, and tell where."""
    service = open_service(home, load_rules())
    listener, address = listen()
    told.send(address)
    uvicorn.Server(uvicorn.Config(service.client.app, http=Connection, log_config=None)).run(sockets=[listener])


class Sender:
    """Sends one document after the other; remembers each, and the version of each that was acknowledged."""

    def __init__(self, secret: str) -> None:
        self.headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
        self.sent: set[str] = set()
        self.acknowledged: dict[str, str] = {}

    def send(self, address: str, chance: random.Random) -> None:
        """Send until the service is gone."""
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
        try:
            while True:
                name = f"{len(self.sent)}"
                text = f"Note {name}: walk a little. " * chance.randint(1, 400)
                self.sent.add(text.strip())
                body = json.dumps({"text": text, "external_id": name})
                connection.request("POST", "/v1/documents", body, self.headers)
                response = connection.getresponse()
                rows = json.loads(response.read())["data"]
                assert response.status == 202
                self.acknowledged[rows[0]["id"]] = rows[0]["version"]
                time.sleep(chance.uniform(0, PAUSE))
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()


def check(home: Path, sender: Sender) -> None:
    """Hold what is stored against what was sent and acknowledged."""
    place = Settings(home=home).database
    assert isinstance(place, Path)
    with closing(sqlite3.connect(place)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    engine = open_database(place)
    found = {document.id: document for document in load_documents(engine)}
    engine.dispose()
    assert {name: found[name].version for name in sender.acknowledged} == sender.acknowledged
    assert {document.text.strip() for document in found.values()} <= sender.sent


@pytest.mark.drill("R1", day=1, night=25)
def test_a_kill_at_any_time_loses_nothing_acknowledged(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    home, chance = tmp_path / "home", random.Random(tmp_path.name)  # noqa: S311 - a seed, no secret
    settings = Settings(home=home)
    engine = open_database(settings.database)
    secret, _ = create_key(engine, "drill", INGEST, None)
    engine.dispose()
    sender, slowest = Sender(secret), 0.0
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.service.http.test_killing"])
    for _ in range(KILLS):
        here, there = processes.Pipe(duplex=False)
        begin = time.monotonic()
        process = processes.Process(target=serve, args=(home, there), daemon=True)
        process.start()
        assert here.poll(60), "the service did not come back"
        sending = threading.Thread(target=sender.send, args=(here.recv(), chance))
        slowest = max(slowest, time.monotonic() - begin)
        sending.start()
        time.sleep(chance.uniform(0.05, 0.6))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        sending.join(timeout=30)
        assert not sending.is_alive()
        check(home, sender)
    assert len(sender.acknowledged) >= KILLS / 2
    record_property(f"back after each of {KILLS} kills in at most, s", f"{slowest:.0f}")
    if NIGHT:
        assert slowest <= 10
    service = open_service(home, load_rules())
    assert not list(settings.snapshots.glob(".building-*"))
    versions = {
        name: document.version for name, document in service.desk.replier.answerer.retriever.snapshot.documents.items()
    }
    assert sender.acknowledged.items() <= versions.items()
