"""Any application on a real port of the loopback interface, with the connections of ``backline serve``."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from service.http.connecting import Connection


def listen() -> tuple[socket.socket, str]:
    """Take a free port; return its socket and the address that will answer there."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def running(
    app: Any, listener: socket.socket, connection: type[Connection] = Connection, keep_alive: int = 5
) -> Iterator[None]:
    """Serve until the block ends."""
    config = uvicorn.Config(
        app, http=connection, ws="none", log_level="error", timeout_graceful_shutdown=3, timeout_keep_alive=keep_alive
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
