"""Connections as a hostile or a slow client makes them: real sockets against the real server."""

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from service.http.connecting import HEADER_BYTES, Connection
from service.http.guarding import Door
from service.http.origins import Origins
from tests.service.http.running import listen, running

GOOD = b"GET /echo HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


class Impatient(Connection):
    """A connection that waits a short time for headers."""

    header_seconds = 0.5


async def echo(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = Door(
        Starlette(routes=[Route("/echo", echo, methods=["GET", "POST"])]),
        max_body_bytes=1_000_000,
        hosts=("127.0.0.1",),
        origins=Origins(()),
        body_seconds=0.5,
    )
    listener, address = listen()
    with running(app, listener, Impatient):
        yield int(address.rpartition(":")[2])


def connect(port: int, *parts: bytes) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), timeout=15)
    for part in parts:
        opened.sendall(part)
    return opened


def read_to_end(opened: socket.socket) -> bytes:
    """Return everything until the server closes; a connection that it leaves open fails by the socket's time-out."""
    with opened:
        parts = []
        while part := opened.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def parse(raw: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, body


def check_problem(raw: bytes, status: int, code: str) -> None:
    got, headers, body = parse(raw)
    assert got == status
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    problem: dict[str, Any] = json.loads(body)
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == headers["x-request-id"] != ""
    assert int(headers["content-length"]) == len(body)


@pytest.mark.parametrize(
    "sent", [b"", b"G", b"GET /echo HTTP/1.1\r\nhost: 127.0.0.1\r\n", b"GET /echo HTTP/1.1\r\nx: ", b"\r\n\r\n"]
)
def test_headers_that_do_not_come_are_not_awaited(port: int, sent: bytes) -> None:
    check_problem(read_to_end(connect(port, sent)), 408, "too-slow")


def test_empty_lines_do_not_keep_a_connection_open(port: int) -> None:
    opened = connect(port, GOOD)
    assert opened.recv(65_536).startswith(b"HTTP/1.1 200")
    ended = threading.Event()

    def drip() -> None:
        try:
            while not ended.wait(0.05):
                opened.sendall(b"\r\n")
        except OSError:
            pass

    dripping = threading.Thread(target=drip, daemon=True)
    dripping.start()
    try:
        raw = read_to_end(opened)
    except ConnectionResetError:  # the server closed while more was on its way
        raw = b""
    ended.set()
    dripping.join(timeout=5)
    assert raw == b"" or parse(raw)[0] == 408


def test_a_second_request_that_stops_halfway_is_not_awaited_either(port: int) -> None:
    opened = connect(port, GOOD)
    assert opened.recv(65_536).startswith(b"HTTP/1.1 200")
    opened.sendall(b"GET /echo HTT")
    check_problem(read_to_end(opened), 408, "too-slow")


def test_a_body_that_does_not_come_is_not_awaited(port: int) -> None:
    head = b"POST /echo HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n\r\n"
    for part in (b"", b"half"):
        check_problem(read_to_end(connect(port, head, part)), 408, "too-slow")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /echo HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + b"a" * (2 * HEADER_BYTES),
        b"GET /echo HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + b"a" * (2 * HEADER_BYTES) + b"\r\n\r\n",
        b"GET /echo?" + b"a" * (2 * HEADER_BYTES) + b" HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
        b"GET /echo HTTP/1.1\r\n" + b"".join(b"x-%d: a\r\n" % number for number in range(9_000)),
    ],
    ids=["endless line", "long line", "long address", "many lines"],
)
def test_headers_that_are_too_large_are_refused(port: int, sent: bytes) -> None:
    opened = connect(port)
    try:
        opened.sendall(sent)
        raw = read_to_end(opened)
    except (ConnectionResetError, BrokenPipeError):  # it may close while we still send
        return
    check_problem(raw, 431, "headers-too-large")


@pytest.mark.parametrize(
    "sent", [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"GET /echo HTTP/9.9\r\n\r\n", b"GET /echo HTTP/1.1\r\nbad header\r\n\r\n"]
)  # fmt: skip
def test_what_is_no_http_gets_a_problem(port: int, sent: bytes) -> None:
    check_problem(read_to_end(connect(port, sent)), 400, "not-http")


def test_head_says_what_get_says_without_the_body(port: int) -> None:
    request = b"HEAD /echo HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
    status, headers, body = parse(read_to_end(connect(port, request)))
    assert (status, headers["content-length"], body) == (200, "11", b"")


def test_two_requests_on_one_connection_are_both_answered(port: int) -> None:
    opened = connect(port, GOOD)
    assert opened.recv(65_536).startswith(b"HTTP/1.1 200")
    opened.sendall(b"POST /echo HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 4\r\nconnection: close\r\n\r\nabcd")
    assert parse(read_to_end(opened))[2] == b'{"bytes":4}'


@pytest.mark.drill("R9")
def test_others_are_served_while_many_stand_half_sent_and_all_of_these_are_closed(port: int) -> None:
    half = [connect(port, b"GET /echo HTTP/1.1\r\nhost: ") for _ in range(200)]
    head = b"POST /echo HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n\r\n"
    slow = [connect(port, head, b"x") for _ in range(50)]
    for _ in range(50):
        request = GOOD.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
        assert parse(read_to_end(connect(port, request)))[0] == 200
    for opened in (*half, *slow):
        check_problem(read_to_end(opened), 408, "too-slow")


class Full(Impatient):
    """A connection to a service without a place for POST."""

    @staticmethod
    def turn_away(scope: Scope) -> bytes | None:
        body = scope["path"].encode()
        return b"content-length: %d\r\n\r\n" % len(body) + body if scope["method"] == "POST" else None


async def slow(request: Request) -> Response:
    await asyncio.sleep(1.3)
    return await echo(request)


@pytest.fixture(scope="module")
def full() -> Iterator[int]:
    listener, address = listen()
    routes = [Route("/echo", echo, methods=["GET", "POST"]), Route("/slow", slow)]
    with running(Starlette(routes=routes), listener, Full, keep_alive=1):
        yield int(address.rpartition(":")[2])


POST = b"POST /echo HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 4\r\n\r\n"
LAST = GOOD.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")


@pytest.mark.parametrize(
    "parts", [(POST + b"body", LAST), (POST, b"bo", b"dy", LAST), (POST + b"bodyPOST", POST[4:] + b"body" + LAST)]
)
def test_a_refusal_takes_the_whole_request_and_the_connection_goes_on(full: int, parts: tuple[bytes, ...]) -> None:
    opened = connect(full)
    for part in parts:
        opened.sendall(part)
        time.sleep(0.05)
    read = read_to_end(opened)
    refusals = b"".join(parts).count(b"POST ")
    assert read.count(b"HTTP/1.1 503 ") == refusals
    assert read.count(b"\r\n\r\n/echo") == refusals
    assert read.endswith(b'{"bytes":0}')


def test_refusals_and_answers_come_in_the_order_of_their_requests(full: int) -> None:
    read = read_to_end(connect(full, GOOD + POST + b"body" + LAST))
    assert re.findall(rb"HTTP/1.1 (\d+) ", read) == [b"200"] * 3  # the second goes the long way behind the first


@pytest.mark.parametrize("change", [(b"HTTP/1.1", b"HTTP/1.0"), (b"\r\n\r\n", b"\r\nexpect: 100-continue\r\n\r\n")])
def test_what_is_not_plain_goes_the_long_way(full: int, change: tuple[bytes, bytes]) -> None:
    last = POST.replace(b"host", b"connection: close\r\nhost").replace(*change)
    assert b'{"bytes":4}' in read_to_end(connect(full, last + b"body"))


def test_the_rest_of_a_body_that_was_refused_is_no_header(full: int) -> None:
    large = POST.replace(b"length: 4", b"length: 100000")
    read = read_to_end(connect(full, large, b"x" * 100_000, LAST))
    assert re.findall(rb"HTTP/1.1 (\d+) ", read) == [b"503", b"200"]


def test_a_body_that_never_ends_gets_the_time_of_the_headers(full: int) -> None:
    read = read_to_end(connect(full, POST + b"bo"))
    assert b"HTTP/1.1 408 " in read


def test_a_refused_connection_that_stays_idle_is_closed_without_a_word(full: int) -> None:
    read = read_to_end(connect(full, POST + b"body"))
    assert read.count(b"HTTP/1.1 ") == 1


def test_of_many_refusals_at_once_only_the_first_takes_the_short_way(full: int) -> None:
    read = read_to_end(connect(full, (POST + b"body") * 3 + LAST))
    assert re.findall(rb"HTTP/1.1 (\d+) ", read) == [b"503", b"200", b"200", b"200"]


def test_what_follows_a_refusal_at_once_has_all_the_time_it_needs(full: int) -> None:
    opened = connect(full, POST + b"body" + GOOD.replace(b"/echo", b"/slow"))
    time.sleep(1.5)
    opened.sendall(LAST)
    assert re.findall(rb"HTTP/1.1 (\d+) ", read_to_end(opened)) == [b"503", b"200", b"200"]
