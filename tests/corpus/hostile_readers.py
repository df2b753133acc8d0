"""Readers that misbehave on purpose; the sandbox's tests run them in its worker."""

import ctypes
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from corpus.errors import UnreadableDocumentError


def echo(content: bytes, name: str) -> dict[str, str]:
    return {"content": content.decode(), "name": name}


def refuse(content: bytes, name: str) -> None:
    raise UnreadableDocumentError(name, f"page 3 is {content.decode()}; save it again")


def fail(content: bytes, name: str) -> None:
    raise KeyError(name, content)


def spin(content: bytes, name: str) -> None:
    while content or name:
        pass


def sleep(content: bytes, name: str) -> None:
    time.sleep(600 + len(content) + len(name))


def hoard(content: bytes, name: str) -> int:
    return len(bytearray(2 * 1024**3)) + len(content) + len(name)


def crash(content: bytes, name: str) -> None:
    ctypes.string_at(len(content) * 0 + len(name) * 0)


def crash_second(content: bytes, name: str) -> str:
    """Crash unless this is the first file of the worker."""
    if "tests.corpus.hostile_readers.seen" in sys.modules:
        crash(content, name)
    sys.modules["tests.corpus.hostile_readers.seen"] = sys
    return "read"


def shout(content: bytes, name: str) -> str:
    return "a" * 40_000_000 + name + content.decode()


def nest(content: bytes, name: str) -> Any:
    value: list[object] = []
    for _ in range(20_000 + len(content) * 0 + len(name) * 0):
        value = [value]
    return value


def babble(content: bytes, name: str) -> str:
    """Write to standard output as a library might; the reply must not be disturbed."""
    print('{"bytes": 1000000}', content, name, flush=True)  # noqa: T201 - that is the point
    os.write(1, b'{"bytes": 7}\n')
    return "quiet"


def forge(content: bytes, name: str) -> None:
    """Write a header that promises more than may come, wherever the pipe is."""
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, json.dumps({"bytes": 10**12, "x": [name, len(content)]}).encode() + b"\n")
        except OSError:
            continue
    time.sleep(600)


def surroundings(content: bytes, name: str) -> dict[str, object]:
    written: str = "nothing"
    try:
        Path(content.decode()).write_text(name, encoding="utf-8")
        written = "a file"
    except OSError as error:
        written = type(error).__name__
    return {"environment": sorted(os.environ), "written": written, "folder": str(Path.cwd())}


def peak_kilobytes(content: bytes, name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii") + name * 0 + content.decode() * 0
    return int(next(line for line in status.splitlines() if line.startswith("VmPeak")).split()[1])
