"""R9 on the real service: half-sent requests and slow bodies stand around, and nobody who asks notices."""

import selectors
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.end_to_end.conftest import start_serving

HALF, SLOW, ASKED = 200, 50, 150
BODY = b'{"question": "How long does a back spasm last?"}'
HEAD = (
    b"POST /v1/ask HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n" % len(BODY)
)
WHOLE = HEAD + BODY


def ask(port: int) -> float:
    """Ask once over a connection of one's own; return the milliseconds."""
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as opened:
        opened.sendall(WHOLE)
        reply = b""
        while part := opened.recv(65_536):
            reply += part
    assert reply.startswith(b"HTTP/1.1 200")
    return 1000 * (time.perf_counter() - begin)


class Standing:
    """Connections that wait for their end, and how long each lasted."""

    def __init__(self) -> None:
        self.lasted: list[float] = []
        self._open = selectors.DefaultSelector()

    def add(self, opened: socket.socket) -> None:
        """Take in one connection, as of now."""
        self._open.register(opened, selectors.EVENT_READ, time.monotonic())

    def watch(self) -> None:
        """Stay until each has been refused, at most a minute."""
        deadline = time.monotonic() + 60
        while self._open.get_map() and time.monotonic() < deadline:
            for key, _ in self._open.select(timeout=1):
                opened: socket.socket = key.fileobj  # type: ignore[assignment] # only sockets were taken in
                self.lasted.append(time.monotonic() - key.data)
                self._open.unregister(opened)
                with opened:
                    assert opened.recv(65_536).startswith(b"HTTP/1.1 408")
        self._open.close()


@pytest.mark.night
@pytest.mark.drill("R9")
def test_those_who_send_slowly_delay_nobody_and_are_closed(
    home: Path, record_property: Callable[[str, object], None]
) -> None:
    with start_serving(home, BACKLINE_LOG_LEVEL="warning") as (address, _):
        port = urlsplit(address).port or 0
        for _ in range(20):
            ask(port)
        before = float(np.percentile([ask(port) for _ in range(ASKED)], 99))
        standing = Standing()
        for number in range(HALF + SLOW):
            opened = socket.create_connection(("127.0.0.1", port), timeout=30)
            opened.sendall(WHOLE[:40] if number < HALF else WHOLE[:-20])
            standing.add(opened)
        watching = threading.Thread(target=standing.watch)
        watching.start()
        # Asked while all of them stand: the first is closed after ten seconds.
        until = time.monotonic() + 8
        times = [ask(port)]
        while time.monotonic() < until and len(times) < ASKED:
            times.append(ask(port))
        during = float(np.percentile(times, 99))
        watching.join(timeout=60)
    longest = max(standing.lasted)
    assert len(standing.lasted) == HALF + SLOW
    record_property("p99 without and with them, ms", f"{before:.0f}, {during:.0f}")
    record_property("longest until closed, s", f"{longest:.1f}")
    assert during <= 2 * before
    assert longest <= 15
