"""Reads a stranger's file in a process of its own, with little memory, little time and nothing to lose.

Parsers of PDF, HTML and DOCX are large, and files are made to break them. So the bytes go through a pipe to a worker
with an empty environment that may not write files, and the result comes back through another as JSON of bounded
size. A worker serves many files, because starting one costs more than reading most files; it is replaced when it dies,
when it was killed, and after ``Limits.files`` files.

Memory is limited on Linux only (other systems ignore or refuse that limit); time is limited everywhere.
"""

import importlib
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, NoReturn, Self, TypeVar

from corpus.errors import CorpusError, UnreadableDocumentError
from corpus.reading.read_document import ReadDocument, document_to_json

_ROOT = Path(__file__).resolve().parents[1]
_START = "import sys; sys.path.insert(0, sys.argv[1]); from corpus.sandbox import work; work(sys.argv[2:])"
_LONGEST_HEADER = 8_192

_TIME_SIGNAL = 24  # SIGXCPU; the name is missing on systems without that limit
_T = TypeVar("_T")

Failure = Literal["unreadable", "memory", "time", "crash", "too long"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker may use.

    Attributes:
        memory_bytes: Address space, all of it: code, heap and stacks.
        wall_seconds: Time for one file, by the clock; the same again of processor time.
        result_bytes: Length of a result's JSON.
        files: Files after which a worker is replaced, so that leaks do not add up.
    """

    memory_bytes: int = 512 * 1024 * 1024
    wall_seconds: float = 20.0
    result_bytes: int = 32 * 1024 * 1024
    files: int = 500


class SandboxError(CorpusError):
    """The worker cannot be started: nothing is wrong with the file, but no file can be read."""


class _FailedError(Exception):
    """One file could not be read; carries why, in the worker's or our words."""

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure: Failure = failure
        self.reason = reason


class Sandbox:
    """Runs readers in a limited worker process.

    Threads may share one: files are read one at a time. Close it, or use it in a ``with`` statement.

    Example:
        >>> with Sandbox() as sandbox:  # doctest: +SKIP
        ...     payload = sandbox.run("corpus.reading.pdf:read_pdf", content, "leaflet.pdf")
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._worker: _Worker | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, or None while there is none."""
        return self._worker.process.pid if self._worker else None

    def run(self, reader: str, content: bytes, name: str) -> object:
        """Call a reader on ``content`` in the worker.

        A failure for want of memory and a crash are tried once more in a new worker if the old one had read other
        files before: what one file leaves behind must not decide over the next.

        Args:
            reader: ``module:function``; it takes content and name and returns a ``ReadDocument`` or something that
                JSON can carry. It is code of ours, never taken from a file.
            content: The file.
            name: Name for the error message.

        Returns:
            What the reader returned, after a trip through JSON.

        Raises:
            UnreadableDocumentError: the reader refused the file, failed on it, or had to be killed.
            SandboxError: no worker can be started.
        """
        with self._lock:
            try:
                used = self._worker is not None and self._worker.files > 0
                try:
                    return self._run_once(reader, content, name)
                except _FailedError as error:
                    if not used or error.failure not in {"memory", "crash"}:
                        raise
                return self._run_once(reader, content, name)
            except _FailedError as error:
                raise UnreadableDocumentError(name, error.reason) from None

    def close(self) -> None:
        """End the worker; the next file starts another."""
        if self._worker:
            self._worker.close()
        self._worker = None

    def _run_once(self, reader: str, content: bytes, name: str) -> object:
        if self._worker is None or self._worker.files >= self.limits.files or self._worker.process.poll() is not None:
            self.close()
            self._worker = _Worker(self.limits)
        try:
            return self._worker.read(reader, content, name)
        except _FailedError as error:
            if error.failure != "unreadable":
                self.close()
            raise
        except BaseException:
            self.close()  # an interrupt leaves half a reply in the pipe
            raise


class _Worker:
    """Our end of one worker process."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.files = 0
        arguments = [str(limits.memory_bytes), str(limits.wall_seconds), str(limits.result_bytes)]
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own code
                [sys.executable, "-I", "-B", "-X", "utf8", "-c", _START, str(_ROOT), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"LANG": "C.UTF-8"},  # no secret of the parent's environment is in reach of a parser
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"the reading process does not start: {error.strerror}") from error
        try:
            hello = self._timed(lambda: _read_header(self._stdout))
        except _FailedError as error:
            self.close()
            raise SandboxError(f"the reading process does not start: {error.reason}") from error
        if hello != {"ready": True}:
            self.close()
            raise SandboxError("the reading process does not start")

    @property
    def _stdin(self) -> IO[bytes]:
        assert self.process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        return self.process.stdin

    @property
    def _stdout(self) -> IO[bytes]:
        assert self.process.stdout is not None  # noqa: S101 - likewise
        return self.process.stdout

    def read(self, reader: str, content: bytes, name: str) -> object:
        """Send one file and wait for its result."""
        self.files += 1
        head = json.dumps({"reader": reader, "name": name, "bytes": len(content)}).encode() + b"\n"
        body = self._timed(lambda: self._exchange(head, content))
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise _FailedError("crash", _reason("crash", self.limits)) from None

    def close(self) -> None:
        """Kill the process and reap it; it has nothing to save."""
        self.process.kill()
        for pipe in (self._stdin, self._stdout):
            try:
                pipe.close()
            except OSError:
                continue  # what was still to be written has no reader any more
        self.process.wait()

    def _exchange(self, head: bytes, content: bytes) -> bytes:
        self._stdin.write(head + content)
        self._stdin.flush()
        reply = _read_header(self._stdout)
        failure, length = reply.get("failure"), reply.get("bytes")
        if failure in {"unreadable", "memory", "too long"}:
            reason = str(reply.get("reason")) if failure == "unreadable" else _reason(failure, self.limits)
            raise _FailedError(failure, reason)
        if not isinstance(length, int) or not 0 <= length <= self.limits.result_bytes:
            raise ValueError("the reply has no length")
        body = self._stdout.read(length)
        if len(body) != length:
            raise EOFError
        return body

    def _timed(self, action: Callable[[], _T]) -> _T:
        """Do what waits for the worker; a timer kills the worker, which ends the waiting."""
        fired = threading.Event()

        def kill() -> None:
            fired.set()
            self.process.kill()

        timer = threading.Timer(self.limits.wall_seconds, kill)
        timer.start()
        try:
            return action()
        except (OSError, EOFError, ValueError, RecursionError):
            self.process.kill()  # it is dying already, or talks nonsense
            status = self.process.wait()
            failure: Failure = "time" if fired.is_set() or status == -_TIME_SIGNAL else "crash"
            raise _FailedError(failure, _reason(failure, self.limits)) from None
        finally:
            timer.cancel()
            timer.join()


def _read_header(pipe: IO[bytes]) -> dict[str, object]:
    line = pipe.readline(_LONGEST_HEADER)
    if not line.endswith(b"\n"):
        raise EOFError
    header = json.loads(line)
    if not isinstance(header, dict):
        raise ValueError("the header is not an object")  # noqa: TRY004 - one error for every malformed reply
    return header


def _reason(failure: Failure, limits: Limits) -> str:
    """Say what happened to a file and what to do about it."""
    if failure == "time":
        return f"reading it takes longer than {limits.wall_seconds:g} seconds; split it, or save it as plain text"
    if failure == "memory":
        megabytes = limits.memory_bytes // (1024 * 1024)
        return f"reading it takes more than {megabytes} MB of memory; split it, or save it as plain text"
    if failure == "too long":
        return f"its text is longer than {limits.result_bytes // (1024 * 1024)} MB; split it"
    return "the reader broke down on it: it is damaged or made to do harm; save it again in the program that made it"


def work(arguments: list[str]) -> NoReturn:
    """Serve files on standard input until it ends. This is the worker's main function.

    Args:
        arguments: Bytes of memory, seconds a file, bytes a result.
    """
    memory_bytes, wall_seconds, result_bytes = int(arguments[0]), float(arguments[1]), int(arguments[2])
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nothing, standard)  # a library that prints or asks must not touch the pipes
    _limit_process(memory_bytes)
    _send(replies, {"ready": True})
    while line := requests.readline():
        request = json.loads(line)
        content = requests.read(request["bytes"])
        _limit_time(wall_seconds)
        _answer(replies, request["reader"], content, request["name"], result_bytes)
    os._exit(0)


def _answer(replies: IO[bytes], reader: str, content: bytes, name: str, result_bytes: int) -> None:
    """Read one file and send what came of it."""
    try:
        module, function = reader.split(":")
        result = getattr(importlib.import_module(module), function)(content, name)
        payload = document_to_json(result) if isinstance(result, ReadDocument) else result
        body = json.dumps(payload).encode()
    except UnreadableDocumentError as error:
        _send(replies, {"failure": "unreadable", "reason": error.reason[:1000]})
    except MemoryError:
        _send(replies, {"failure": "memory"})
    except RecursionError:
        _send(replies, {"failure": "unreadable", "reason": "it is nested too deeply; simplify it and save it again"})
    except Exception as error:  # noqa: BLE001 - whatever a parser throws at a broken file, the file is refused
        reason = f"it is damaged ({type(error).__name__}); save it again in the program that made it"
        _send(replies, {"failure": "unreadable", "reason": reason})
    else:
        if len(body) > result_bytes:
            _send(replies, {"failure": "too long"})
        else:
            _send(replies, {"bytes": len(body)}, body)


def _send(replies: IO[bytes], header: dict[str, object], body: bytes = b"") -> None:
    replies.write(json.dumps(header).encode() + b"\n" + body)
    replies.flush()


def _limit_process(memory_bytes: int) -> None:
    """Limit memory and open files, and take away written files and core dumps, for good."""
    import resource

    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ]
    if sys.platform == "linux":
        limits.append((resource.RLIMIT_AS, memory_bytes))
    for kind, value in limits:
        resource.setrlimit(kind, (value, value))


def _limit_time(seconds: float) -> None:
    """Allow this file so much processor time; the clock is watched from outside."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = usage.ru_utime + usage.ru_stime
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(spent + seconds), resource.RLIM_INFINITY))
