import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.errors import UnreadableDocumentError
from corpus.sandbox import Limits, Sandbox, SandboxError

_HOSTILE = "tests.corpus.hostile_readers:"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(wall_seconds=20)) as room:
        yield room


def _refusal(sandbox: Sandbox, reader: str, content: bytes = b"") -> UnreadableDocumentError:
    with pytest.raises(UnreadableDocumentError) as caught:
        sandbox.run(_HOSTILE + reader, content, "bad.pdf")
    return caught.value


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_content_and_name_reach_the_reader_and_its_result_comes_back(sandbox: Sandbox) -> None:
    assert sandbox.run(_HOSTILE + "echo", "Rücken\n".encode(), "a b.pdf") == {"content": "Rücken\n", "name": "a b.pdf"}


def test_five_megabytes_pass_through_the_pipes(sandbox: Sandbox) -> None:
    result = sandbox.run(_HOSTILE + "echo", b"x" * 5_000_000, "long")
    assert isinstance(result, dict)
    assert len(result["content"]) == 5_000_000


def test_one_worker_reads_many_files(sandbox: Sandbox) -> None:
    sandbox.run(_HOSTILE + "echo", b"", "a")
    pid = sandbox.worker_pid
    for _ in range(20):
        sandbox.run(_HOSTILE + "echo", b"", "a")
    _refusal(sandbox, "refuse")
    assert sandbox.worker_pid == pid


def test_a_worker_is_replaced_after_its_number_of_files() -> None:
    with Sandbox(Limits(files=2)) as sandbox:
        pids = []
        for _ in range(4):
            sandbox.run(_HOSTILE + "echo", b"", "a")
            pids.append(sandbox.worker_pid)
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_a_refusal_keeps_the_readers_words(sandbox: Sandbox) -> None:
    error = _refusal(sandbox, "refuse", b"torn")
    assert (error.name, error.reason) == ("bad.pdf", "page 3 is torn; save it again")


def test_an_exception_of_a_parser_becomes_a_refusal(sandbox: Sandbox) -> None:
    assert _refusal(sandbox, "fail").reason == "it is damaged (KeyError); save it again in the program that made it"


@pytest.mark.parametrize("reader", ["spin", "sleep", "forge"])
def test_a_reader_that_does_not_end_is_killed_and_the_next_file_is_read(reader: str) -> None:
    with Sandbox(Limits(wall_seconds=1, result_bytes=10**7)) as sandbox:
        sandbox.run(_HOSTILE + "echo", b"", "before")
        pid = sandbox.worker_pid
        assert pid is not None
        start = time.monotonic()
        error = _refusal(sandbox, reader)
        assert time.monotonic() - start < 5
        if reader != "forge":
            assert error.reason == "reading it takes longer than 1 seconds; split it, or save it as plain text"
        assert _gone(pid)
        assert sandbox.run(_HOSTILE + "echo", b"", "next") == {"content": "", "name": "next"}


def test_memory_is_limited_to_512_megabytes(sandbox: Sandbox) -> None:
    error = _refusal(sandbox, "hoard")
    assert error.reason == "reading it takes more than 512 MB of memory; split it, or save it as plain text"
    peak = sandbox.run(_HOSTILE + "peak_kilobytes", b"", "next")
    assert isinstance(peak, int)
    assert peak <= 512 * 1024


def test_a_crash_is_a_refusal_and_the_next_file_is_read(sandbox: Sandbox) -> None:
    assert "broke down" in _refusal(sandbox, "crash").reason
    assert sandbox.run(_HOSTILE + "echo", b"", "next") == {"content": "", "name": "next"}


def test_what_one_file_leaves_behind_does_not_decide_over_the_next() -> None:
    with Sandbox() as sandbox:
        assert [sandbox.run(_HOSTILE + "crash_second", b"", "a") for _ in range(3)] == ["read", "read", "read"]


def test_a_result_that_is_too_long_is_refused(sandbox: Sandbox) -> None:
    assert _refusal(sandbox, "shout").reason == "its text is longer than 32 MB; split it"


def test_a_result_that_is_nested_too_deeply_is_refused(sandbox: Sandbox) -> None:
    assert "nested" in _refusal(sandbox, "nest").reason


def test_printing_does_not_disturb_the_reply(sandbox: Sandbox) -> None:
    assert sandbox.run(_HOSTILE + "babble", b"", "a") == "quiet"


def test_a_worker_that_dies_between_two_files_is_replaced() -> None:
    with Sandbox() as sandbox:
        sandbox.run(_HOSTILE + "echo", b"", "a")
        pid = sandbox.worker_pid
        assert pid is not None
        os.kill(pid, 9)
        assert sandbox.run(_HOSTILE + "echo", b"", "b") == {"content": "", "name": "b"}


def test_a_reader_sees_no_secret_and_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKLINE_SECRET", "hidden")
    with Sandbox() as fresh:
        seen = fresh.run(_HOSTILE + "surroundings", str(tmp_path / "out.txt").encode(), "text to write")
    assert seen == {"environment": ["LANG"], "written": "OSError", "folder": "/"}
    assert not (tmp_path / "out.txt").exists() or (tmp_path / "out.txt").read_bytes() == b""


def test_closing_ends_the_worker() -> None:
    sandbox = Sandbox()
    sandbox.run(_HOSTILE + "echo", b"", "a")
    pid = sandbox.worker_pid
    assert pid is not None
    sandbox.close()
    sandbox.close()
    assert _gone(pid)
    assert sandbox.worker_pid is None


@pytest.mark.parametrize("executable", ["/bin/false", "/nowhere/python"])
def test_a_worker_that_cannot_start_is_no_fault_of_the_file(executable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", executable)
    with Sandbox() as sandbox, pytest.raises(SandboxError, match="does not start"):
        sandbox.run(_HOSTILE + "echo", b"", "a")
