from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from service.answering.replying import Replier
from service.http.app import create_app
from service.http.state import Desk
from service.serving import Serving
from service.settings import Settings
from service.storage.database import open_database
from service.storage.keys import Scope, create_key, revoke_key
from tests.service.http.test_app import check_problem

QUESTION = {"question": "How long does a back spasm last?"}
QUERY = {"query": "bed rest"}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(tmp_path / "b.sqlite")


def opened(replier: Replier, engine: Engine | None, *, open_reading: bool) -> Iterator[TestClient]:
    desk = Desk(Settings(home=Path("unused")), Serving(replier), "fake", engine, open_reading=open_reading)
    with TestClient(create_app(desk), base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def loopback(replier: Replier, engine: Engine) -> Iterator[TestClient]:
    yield from opened(replier, engine, open_reading=True)


@pytest.fixture
def public(replier: Replier, engine: Engine) -> Iterator[TestClient]:
    yield from opened(replier, engine, open_reading=False)


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def test_on_loopback_asking_searching_and_reading_need_no_key(loopback: TestClient) -> None:
    assert loopback.post("/v1/ask", json=QUESTION).status_code == 200
    assert loopback.post("/v1/search", json=QUERY).status_code == 200
    assert loopback.get("/v1/sources").status_code == 200


def test_elsewhere_they_need_one(public: TestClient) -> None:
    for response in (
        public.post("/v1/ask", json=QUESTION),
        public.post("/v1/search", json=QUERY),
        public.get("/v1/sources"),
        public.get("/v1/documents/doc_ninds-back-pain"),
    ):
        check_problem(response, 401, "no-key")
        assert response.headers["www-authenticate"].startswith("Bearer")
    assert public.get("/healthz").status_code == 200


@pytest.mark.parametrize("header", ["Bearer bl_wrong", "Bearer", "Basic YTpi", "bl_wrong", "Bearer " + "x" * 5000, ""])
def test_a_wrong_key_is_noticed_even_where_none_is_needed(loopback: TestClient, header: str) -> None:
    response = loopback.post("/v1/ask", json=QUESTION, headers={"authorization": header})
    check_problem(response, 401, "no-key")
    assert "bl_wrong" not in response.text


def test_a_key_opens_what_its_scopes_name_and_nothing_else(public: TestClient, engine: Engine) -> None:
    expected: dict[Scope, tuple[int, int, int]] = {
        "ask": (200, 403, 200),
        "search": (403, 200, 200),
        "ingest": (403, 403, 403),
        "admin": (403, 403, 403),
    }
    for scope, statuses in expected.items():
        headers = bearer(create_key(engine, scope, [scope])[0])
        responses = (
            public.post("/v1/ask", json=QUESTION, headers=headers),
            public.post("/v1/search", json=QUERY, headers=headers),
            public.get("/v1/sources", headers=headers),
        )
        assert tuple(response.status_code for response in responses) == statuses
        for response in responses:
            if response.status_code == 403:
                check_problem(response, 403, "key-not-allowed")
                assert 'error="insufficient_scope"' in response.headers["www-authenticate"]


def test_a_key_of_one_collection_sees_no_other(public: TestClient, engine: Engine) -> None:
    headers = bearer(create_key(engine, "clinic", ["ask", "search"], ["clinic"])[0])
    check_problem(public.post("/v1/ask", json=QUESTION, headers=headers), 403, "key-not-allowed")
    check_problem(public.post("/v1/search", json=QUERY, headers=headers), 403, "key-not-allowed")
    assert public.get("/v1/sources", headers=headers).json()["data"] == []
    check_problem(public.get("/v1/documents/doc_ninds-back-pain", headers=headers), 404, "not-found")
    inside = public.post("/v1/search", json={**QUERY, "filters": {"collection": "clinic"}}, headers=headers)
    assert inside.json()["data"] == []


def test_a_revoked_key_and_one_that_is_over_open_nothing(public: TestClient, engine: Engine) -> None:
    revoked, key = create_key(engine, "revoked", ["ask"])
    assert public.post("/v1/ask", json=QUESTION, headers=bearer(revoked)).status_code == 200
    revoke_key(engine, key.id)
    check_problem(public.post("/v1/ask", json=QUESTION, headers=bearer(revoked)), 401, "no-key")
    short, _ = create_key(engine, "short", ["ask"], lifetime=timedelta(microseconds=1))
    check_problem(public.post("/v1/ask", json=QUESTION, headers=bearer(short)), 401, "no-key")


def test_no_key_stands_in_the_log(
    public: TestClient, engine: Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    secret, _ = create_key(engine, "desk", ["ask"])
    caplog.set_level("DEBUG")
    public.post("/v1/ask", json=QUESTION, headers=bearer(secret))
    monkeypatch.setattr(Replier, "reply", fail)
    assert public.post("/v1/ask", json=QUESTION, headers=bearer(secret)).status_code == 500
    assert "failed" in caplog.text
    assert secret[3:15] not in caplog.text
