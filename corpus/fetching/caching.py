"""Keeps pages on disk, whole or not at all, and remembers how far a run has come.

A page is one file: a line of JSON, then the content. So there is no moment at which one belongs to another page than
the other. It is written aside, made durable and only then given its name; what a kill leaves behind has no page's name.
"""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from corpus.fetching.refusals import FetchError

Outcome = Literal["fetched", "unchanged", "resumed"]

_VERSION: Final = 1
_STALE_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A page as it was received, whole.

    Attributes:
        url: The address that was asked for, without fragment.
        final_url: The address that sent the page, after redirects.
        media_type: In lower case, without parameters.
        charset: Encoding in which the whole content decodes; empty for what is no text.
        content: The bytes as received, unpacked.
        sha256: Of the content, in hex.
        fetched_at: When it was received, ISO 8601 in UTC.
        etag: What the server names this state of the page; empty if it names none.
        last_modified: The server's date of it, as it writes it; empty if it names none.
        outcome: Fetched just now, still the same as on disk, or taken from disk
            without asking, because an interrupted run, or this one, had fetched it before.
    """

    url: str
    final_url: str
    media_type: str
    charset: str
    content: bytes
    sha256: str
    fetched_at: str
    etag: str
    last_modified: str
    outcome: Outcome

    def __post_init__(self) -> None:
        if hashlib.sha256(self.content).hexdigest() != self.sha256:
            raise ValueError("the content of a page does not have the hash that is written beside it")

    @property
    def text(self) -> str | None:
        """The content as text without byte order mark; None for what is no text."""
        return self.content.decode(self.charset).removeprefix("\ufeff") if self.charset else None

    @property
    def readable_content(self) -> bytes:
        """The content for the readers: text in UTF-8 with its mark, which outweighs what the page says of itself."""
        text = self.text
        return self.content if text is None else text.encode("utf-8-sig")


class PageCache:
    """The pages of one folder, and the state of the run that fills it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pages = folder / "pages"
        self._state = folder / "run.json"
        with _Disk(folder):
            self._pages.mkdir(parents=True, exist_ok=True)
            for part in (*self._pages.glob("*.part"), *folder.glob("*.part")):
                if time.time() - part.stat().st_mtime > _STALE_SECONDS:  # a younger one may be another process's
                    part.unlink(missing_ok=True)

    def read(self, url: str, outcome: Outcome) -> FetchedPage | None:
        """Return the page of an address; None if there is none, or if it is damaged."""
        path = self._path(url)
        with _Disk(self._folder):
            if not path.is_file():
                return None
            head, _, content = path.read_bytes().partition(b"\n")
        try:
            fields = json.loads(head)
            if fields.pop("version") != _VERSION or fields["url"] != url:
                return None
            return FetchedPage(**fields, content=content, outcome=outcome)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self, page: FetchedPage) -> None:
        """Put a page in the place of the one before it."""
        fields = asdict(page)
        del fields["content"], fields["outcome"]
        head = json.dumps({"version": _VERSION, **fields}).encode() + b"\n"
        with _Disk(self._folder):
            _write_whole(self._path(page.url), head + page.content)

    def remove(self, url: str) -> bool:
        """Remove the page of an address; return whether there was one."""
        path = self._path(url)
        with _Disk(self._folder):
            there = path.is_file()
            path.unlink(missing_ok=True)
        return there

    def read_done(self, urls: Iterable[str]) -> set[str]:
        """Return the keys of the pages that an interrupted run over the same list has finished."""
        with _Disk(self._folder):
            if not self._state.is_file():
                return set()
            content = self._state.read_bytes()
        try:
            state = json.loads(content)
            fits = state["version"] == _VERSION and state["run"] == _run_key(urls)
            return {str(key) for key in state["done"]} if fits else set()
        except (ValueError, TypeError, KeyError):
            return set()

    def write_done(self, urls: Iterable[str], done: set[str]) -> None:
        """Remember how far the run has come."""
        state = {"version": _VERSION, "run": _run_key(urls), "done": sorted(done)}
        with _Disk(self._folder):
            _write_whole(self._state, json.dumps(state).encode())

    def finish(self) -> None:
        """Forget the run: the next one over the same list asks for every page again."""
        with _Disk(self._folder):
            self._state.unlink(missing_ok=True)

    def _path(self, url: str) -> Path:
        return self._pages / f"{page_key(url)}.page"


def page_key(url: str) -> str:
    """Return the name under which an address is kept: nothing of the address itself reaches the file system."""
    return hashlib.sha256(url.encode()).hexdigest()


def _run_key(urls: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(urls)).encode()).hexdigest()


class _Disk:
    """Turns the system's errors into ours; such an error ends the run, as it would meet the next page too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise FetchError("", "disk", f"the folder of pages cannot be used: {error.strerror}") from error


def _write_whole(path: Path, content: bytes) -> None:
    handle, aside = tempfile.mkstemp(prefix=f"{path.stem[:16]}-", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # other systems open no folders
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
