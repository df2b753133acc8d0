"""R13: uploads that are too much, that lie about their length, that stop in the middle."""

import json
import socket
import tempfile
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import uvicorn

from service.storage.documents import load_documents
from service.triage.loading import Rules
from service.triage.screening import load_rules
from tests.service.http.serving import Service, open_service
from tests.service.http.test_app import check_problem


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


@pytest.fixture
def service(home: Path, rules: Rules) -> Iterator[Service]:
    opened = open_service(home, rules, max_body_bytes=100_000, max_upload_bytes=400_000)
    with opened.client:
        yield opened


def open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def chunks(total: int) -> Iterator[bytes]:
    yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    for _ in range(total // 10_000):
        yield b"walking helps " * 714
    yield b"\r\n--x--\r\n"


def stream(service: Service, headers: dict[str, str], body: Iterator[bytes]) -> tuple[int, dict[str, Any], int]:
    """Send a body piece by piece, as a server hands it to the application; return status, reply, bytes taken."""
    taken = 0
    replies: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        piece = next(body, b"")
        taken += len(piece)
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(message: Any) -> None:
        replies.append(message)

    async def drive() -> None:
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/documents",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in {"host": "127.0.0.1", **headers}.items()],
        }
        await service.client.app(scope, receive, send)

    anyio.run(drive)
    content = b"".join(message.get("body", b"") for message in replies[1:])
    return replies[0]["status"], json.loads(content), taken


@pytest.mark.drill("R13")
@pytest.mark.parametrize("length", ["exact", "none", "lying"])
def test_an_upload_of_ten_times_the_limit_is_refused_and_leaves_nothing(
    home: Path, rules: Rules, length: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(aside))
    limit = 4_000_000  # more than a form keeps in memory: the file waits on the disk
    service = open_service(home, rules, max_upload_bytes=limit)
    headers = {**service.key(), "content-type": "multipart/form-data; boundary=x"}
    if length != "none":
        headers["content-length"] = str(10 * limit if length == "exact" else 100)
    open_before = open_files()
    tracemalloc.start()
    try:
        status, body, taken = stream(service, headers, chunks(10 * limit))
        grown = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (status, body["code"]) == (413, "body-too-large")
    assert taken <= (0 if length == "exact" else limit + 10_000)
    assert grown <= 32_000_000
    assert list(aside.iterdir()) == []
    assert open_files() <= open_before
    assert load_documents(service.database) == []


def test_an_upload_within_the_limit_leaves_no_temporary_file_either(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("starlette.formparsers.MultiPartParser.spool_max_size", 1_000)
    headers = {**service.key(), "content-type": "multipart/form-data; boundary=x"}
    open_before = open_files()
    status, body, _ = stream(service, headers, chunks(100_000))
    assert (status, body["data"][0]["outcome"]) == (202, "added")
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == []
    service.wait(lambda: open_files() <= open_before + 2)  # the database may have opened a connection


@pytest.mark.drill("R13")
def test_whoever_hangs_up_in_the_middle_leaves_nothing(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    config = uvicorn.Config(service.client.app, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            service.wait(lambda: server.started)
            key = service.key()["authorization"]
            head = f"POST /v1/documents HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {key}\r\n"
            with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
                part = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf'
                promise = "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 300000\r\n\r\n"
                one.sendall((head + promise).encode() + part)
            with socket.create_connection(("127.0.0.1", port), timeout=10) as other:
                other.sendall((head + "Content-Type: application/json\r\nContent-Length: 300000000\r\n\r\n").encode())
                assert other.recv(100).startswith(b"HTTP/1.1 413")
        finally:
            server.should_exit = True
            thread.join(timeout=20)
    assert not thread.is_alive()
    assert load_documents(service.database) == []
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == []
    assert "failed" not in caplog.text


def test_other_routes_keep_the_smaller_limit(service: Service) -> None:
    large = {"text": "walking helps " * 20_000}
    assert service.client.post("/v1/documents", json=large, headers=service.key()).status_code == 202
    check_problem(service.client.post("/v1/ask", json=large), 413, "body-too-large")
    check_problem(service.client.post("/v1/documents/", json=large), 413, "body-too-large")


def test_a_body_is_not_read_before_the_key_is_checked(service: Service) -> None:
    messages: list[str] = []

    def body() -> Iterator[bytes]:
        messages.append("read")
        yield b"{}"

    response = service.client.post("/v1/documents", content=body(), headers={"content-type": "application/json"})
    check_problem(response, 401, "no-key")
