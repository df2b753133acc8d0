"""A service that can be written to: its own database and snapshots, the fake embedder, a small corpus."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from starlette.testclient import TestClient

from corpus.records import Document, Section, Source, Span
from index.building import build_snapshot
from index.retrieving import Retriever
from index.snapshot import drop_snapshots_with, open_newest_intact
from service.answering.answerer import Answerer
from service.answering.replying import Replier
from service.following import Follower
from service.helpdesk.receiving import Reception
from service.http.app import create_app
from service.http.state import Desk
from service.keeping import AnswerKeeper
from service.question_log import QuestionLog
from service.rebuilding import Rebuilder
from service.serving import Serving
from service.settings import Settings
from service.storage.collections import say_for
from service.storage.counters import open_counters
from service.storage.database import open_database
from service.storage.documents import load_documents, withdrawn_versions
from service.storage.keys import Scope, create_key
from service.triage.loading import Rules
from tests.service.fakes import StemEmbedder


def shipped() -> Document:
    text = "Most back spasms get better within two weeks. Gentle walking keeps the muscles loose."
    source = Source("ninds-test", "Spasms", "NINDS", "NINDS", "https://example.org/", digest=True)
    return Document("doc_shipped", source, "Spasms", text, (Section(("How long?",), Span(0, len(text))),))


@dataclass(frozen=True, slots=True)
class Service:
    """An opened service and what is behind it."""

    client: TestClient
    desk: Desk
    database: Engine
    home: Path

    def key(self, *scopes: Scope, collections: Sequence[str] | None = None) -> dict[str, str]:
        """Return the header of a new key."""
        secret, _ = create_key(self.database, "test", scopes or ("ingest",), collections)
        return {"authorization": f"Bearer {secret}"}

    def token(self, origin: str, collection: str = "default") -> dict[str, str]:
        """Return the header of a new widget token."""
        headers = {"origin": origin}
        response = self.client.post("/v1/widget-tokens", json={"collection": collection}, headers=headers)
        assert response.status_code == 200, response.text
        return {"authorization": f"Bearer {response.json()['token']}"}

    @property
    def own_origin(self) -> str:
        """The origin of the service's own pages."""
        return str(self.client.base_url).rstrip("/")

    def found(self, query: str, collection: str = "default") -> list[str]:
        """Return the texts that a search finds."""
        body = {"query": query, "filters": {"collection": collection}}
        return [row["text"] for row in self.client.post("/v1/search", json=body).json()["data"]]

    def wait(self, condition: Callable[[], Any]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.02)

    def wait_for_build(self) -> None:
        """Wait until the published snapshot holds everything."""
        assert self.desk.rebuilder is not None
        rebuilder = self.desk.rebuilder
        self.wait(lambda: rebuilder.state != "building")
        assert rebuilder.state == "current"


def open_service(
    home: Path, rules: Rules, *, open_reading: bool = True, public: bool = False, **settings: Any
) -> Service:
    """Put a service together around a small corpus; ``with service.client`` runs it.

    Two of them on one home are like two worker processes: each has connections and a snapshot of its own.
    """
    chosen = Settings(home=home, **settings)
    database = open_database(chosen.database)
    embedder = StemEmbedder()

    def build() -> None:
        build_snapshot([shipped(), *load_documents(database)], embedder, chosen.snapshots)
        drop_snapshots_with(chosen.snapshots, withdrawn_versions(database))

    def reopen() -> tuple[Replier, tuple[str, ...]]:
        snapshot, damage = open_newest_intact(chosen.snapshots, embedder.model_id)
        replier = Replier(rules, Answerer(Retriever(snapshot, embedder), None), say_for(chosen.database))
        return replier, () if damage is None else (str(damage),)

    build()
    serving = Serving(*reopen(), database)
    follower = Follower(chosen.snapshots, serving, reopen, seconds=0.05)
    rebuilder = Rebuilder(build, follower.look, seconds=0.01)
    keeper = AnswerKeeper(database, chosen.keep_answers)
    questions = QuestionLog(chosen.question_log, chosen.log_questions)
    background = (follower, rebuilder, keeper, questions)
    desk = Desk(
        chosen,
        serving,
        "fake",
        database,
        open_reading,
        rebuilder,
        keeper,
        background,
        reception=Reception(database),
        questions=questions,
        counters=open_counters(chosen.counters),
        public=public,
        hosts=chosen.hosts,
    )
    client = TestClient(create_app(desk), base_url="http://127.0.0.1:8000", raise_server_exceptions=False)
    return Service(client, desk, database, home)
