"""The component's files over the wire, and what the ask page switches on."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.answering.replying import Replier
from service.http.app import create_app
from service.http.routes.pages import WIDGET
from service.http.state import Desk
from service.serving import Serving
from service.settings import Settings


def open_client(replier: Replier, **settings: Any) -> TestClient:
    desk = Desk(Settings(home=Path("unused"), **settings), Serving(replier), "fake")
    return TestClient(create_app(desk), base_url="http://127.0.0.1:8000")


@pytest.mark.parametrize("name", ["widget.js", "static/turns.js", "static/page.css", "static/mark.svg"])
def test_files_are_served_as_they_are_committed_and_travel_compressed(replier: Replier, name: str) -> None:
    committed = (WIDGET / name).read_bytes()
    with open_client(replier) as client:
        plain = client.get(f"/{name}", headers={"accept-encoding": "identity"})
        packed = client.get(f"/{name}", headers={"accept-encoding": "br, gzip"})
    assert plain.content == packed.content == committed
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["vary"]
    assert int(packed.headers["content-length"]) < len(committed)


def test_the_page_asks_for_feedback_only_where_answers_are_kept(replier: Replier) -> None:
    with open_client(replier) as client:
        assert " feedback" in client.get("/").text
        assert " handoff" not in client.get("/").text
    with open_client(replier, keep_answers=0) as client:
        assert " feedback" not in client.get("/").text
