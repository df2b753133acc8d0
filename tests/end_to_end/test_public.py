"""A public service as an operator runs it: two processes of one home, keys, tokens of a site, the pause."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.conftest import run, serving

SITE = "https://clinic.example"
NAME = "ask.clinic.example"
QUESTION = {"question": "How long does a back spasm last?"}


@pytest.fixture(scope="module")
def public_home(warm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("public") / "var"
    shutil.copytree(warm, copy)
    return copy


@pytest.fixture(scope="module")
def key(public_home: Path) -> str:
    made = run(public_home, "keys", "create", "proxy", "--scope", "ask", "--rate", "3")
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture(scope="module")
def workers(public_home: Path, key: str) -> Iterator[tuple[str, str]]:
    assert key
    settings = {"BACKLINE_HOSTS": NAME, "BACKLINE_WIDGET_ORIGINS": SITE}
    with serving(public_home, **settings) as one, serving(public_home, **settings) as two:
        yield one, two


def ask(address: str, token: str = "", origin: str = "", host: str = NAME) -> httpx.Response:
    headers = {"host": host}
    if token:
        headers["authorization"] = f"Bearer {token}"
    if origin:
        headers["origin"] = origin
    return httpx.post(f"{address}/v1/ask", json=QUESTION, headers=headers, timeout=60)


def check(response: httpx.Response, status: int, code: str) -> Any:
    assert (response.status_code, response.json()["code"]) == (status, code)
    return response.json()


def test_without_a_key_it_does_not_start_and_says_what_to_do(tmp_path: Path) -> None:
    for arguments, extra in ((["--host", "0.0.0.0"], {}), ([], {"BACKLINE_HOSTS": NAME})):
        done = run(tmp_path / "var", "serve", *arguments, **extra)
        assert done.returncode == 2
        assert "backline keys create" in done.stderr
        assert "--public-ask" in done.stderr


def test_every_question_needs_a_key_whose_rate_holds_in_both_processes(workers: tuple[str, str], key: str) -> None:
    for address in workers:
        check(ask(address), 401, "no-key")
        check(ask(address, key, host="evil.example"), 400, "foreign-host")
    statuses = [ask(workers[turn % 2], key).status_code for turn in range(3)]
    assert statuses == [200, 200, 200]
    for address in workers:
        refused = ask(address, key)
        check(refused, 429, "rate-limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_a_site_asks_until_the_operator_pauses_it(workers: tuple[str, str], public_home: Path) -> None:
    one, two = workers
    headers = {"host": NAME, "origin": SITE}
    token = httpx.post(f"{one}/v1/widget-tokens", headers=headers).json()["token"]
    answered = ask(two, token, SITE)
    assert answered.json()["status"] == "answered"
    assert answered.headers["access-control-allow-origin"] == SITE
    assert run(public_home, "widget", "pause").returncode == 0
    for address in workers:
        check(ask(address, token, SITE), 503, "widget-paused")
        check(httpx.post(f"{address}/v1/widget-tokens", headers=headers), 503, "widget-paused")
    assert run(public_home, "widget", "resume").returncode == 0
    assert ask(one, token, SITE).status_code == 200
    assert run(public_home, "widget", "rotate").returncode == 0
    for address in workers:
        check(ask(address, token, SITE), 401, "token-invalid")
