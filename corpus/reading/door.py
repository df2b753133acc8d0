"""Where files come in: picks the reader by content, and sees to it that one bad file costs no other.

Parsers with a past (PDF, DOCX, HTML, Markdown, exports) run in the sandbox; plain text and JSON Lines need nothing
but the standard library and are read here. Nothing is ever written, and no name that comes with a file is opened.
"""

import gzip
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

from corpus.errors import UnreadableDocumentError
from corpus.normalising import normalise
from corpus.reading.jsonl import LINE_BYTES, read_jsonl
from corpus.reading.kinds import HEAD_BYTES, Kind, tell_kind
from corpus.reading.read_document import ReadDocument, document_from_json
from corpus.reading.text import read_text
from corpus.sandbox import Sandbox

__all__ = ["OnRefusal", "ReadDocument", "read_bytes", "read_path"]

OnRefusal = Callable[[UnreadableDocumentError], None]
_Outcome = ReadDocument | UnreadableDocumentError

_MEGABYTE = 1024 * 1024
_MOST_BYTES: dict[Kind, int] = {
    "pdf": 100 * _MEGABYTE,
    "docx": 50 * _MEGABYTE,
    "html": 20 * _MEGABYTE,
    "markdown": 10 * _MEGABYTE,
    "text": 10 * _MEGABYTE,
    "export": 50 * _MEGABYTE,
}
_READERS: dict[Kind, str] = {
    "pdf": "corpus.reading.pdf:read_pdf",
    "docx": "corpus.reading.docx:read_docx",
    "html": "corpus.reading.html:read_html",
    "markdown": "corpus.reading.text:read_markdown_file",
}
_LIST_ARTICLES = "corpus.reading.exports:list_articles"
_READ_ARTICLE = "corpus.reading.html:read_article"
_GZIP = b"\x1f\x8b"
_MOST_UNPACKED = 4 * 1024 * _MEGABYTE
_DEEPEST_FOLDER = 64
_LONGEST_NAME = 300


def read_path(
    path: Path, *, sandbox: Sandbox | None = None, on_refusal: OnRefusal | None = None
) -> Iterator[ReadDocument]:
    """Read a file, or a folder with everything below it.

    Names inside a folder are relative to it and come sorted, files before the folders beside them. Names that begin
    with a dot are passed over. A symbolic link to a place outside the folder is refused; one to a place inside is
    passed over, because what it leads to is read there.

    Args:
        path: File or folder; the path itself may be a link.
        sandbox: Where parsers run; without one, a sandbox of its own lasts as long as the iteration.
        on_refusal: Told of each file, line or article that cannot be read; reading goes on. Without it the first
            refusal is raised.

    Yields:
        Documents as they are read. A file of many (JSONL, exports) gives many, named ``file#place``.

    Raises:
        UnreadableDocumentError: something cannot be read and ``on_refusal`` is not given.
        corpus.sandbox.SandboxError: no worker process can be started.
    """
    with nullcontext(sandbox) if sandbox else Sandbox() as room:
        yield from _documents(_read_any(path, room), on_refusal)


def read_bytes(
    content: bytes, name: str, *, sandbox: Sandbox | None = None, on_refusal: OnRefusal | None = None
) -> Iterator[ReadDocument]:
    """Read content that did not come from this machine's disk, such as an upload.

    Args:
        content: The file.
        name: The name that came with it, from whomever: only its last part is used, for display and as a hint.
        sandbox: As for ``read_path``.
        on_refusal: As for ``read_path``.

    Yields:
        Documents, as ``read_path`` does.

    Raises:
        UnreadableDocumentError: something cannot be read and ``on_refusal`` is not given.
        corpus.sandbox.SandboxError: no worker process can be started.
    """
    shown = _display_name(name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1])
    with nullcontext(sandbox) if sandbox else Sandbox() as room:
        yield from _documents(_read_stream(io.BytesIO(content), shown, room), on_refusal)


def _documents(outcomes: Iterator[_Outcome], on_refusal: OnRefusal | None) -> Iterator[ReadDocument]:
    for outcome in outcomes:
        if isinstance(outcome, ReadDocument):
            yield outcome
        elif on_refusal is None:
            raise outcome
        else:
            on_refusal(outcome)


def _read_any(path: Path, sandbox: Sandbox) -> Iterator[_Outcome]:
    try:
        folder = path.resolve(strict=True)
        is_folder = folder.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        yield UnreadableDocumentError(_display_name(path.name), f"it cannot be found ({_why(error)}); check the path")
        return
    if not is_folder:
        yield from _read_file(folder, _display_name(path.name), sandbox)
        return
    for file, refusal in _walk(folder):
        name = _display_name(file.relative_to(folder).as_posix())
        if refusal:
            yield UnreadableDocumentError(name, refusal)
        else:
            yield from _read_file(file, name, sandbox)


def _walk(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files below a folder, sorted, each with "" or the reason why it is not opened."""
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            yield folder, f"the folder cannot be listed ({_why(error)}); check its permissions"
            continue
        folders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            place = folder / entry.name
            if entry.is_symlink():
                reason = _link_refusal(place, root)
                if reason:
                    yield place, reason
            elif entry.is_dir(follow_symlinks=False):
                folders.append(place)
            else:
                yield place, ""
        if depth == _DEEPEST_FOLDER and folders:
            yield folders[0], f"folders are nested more than {_DEEPEST_FOLDER} deep; move it up"
        else:
            waiting.extend((place, depth + 1) for place in reversed(folders))


def _link_refusal(link: Path, root: Path) -> str:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return "it is a link that leads nowhere; remove it"
    if not target.is_relative_to(root):
        return "it is a link that leads out of the folder; copy the file into the folder"
    return ""


def _read_file(path: Path, name: str, sandbox: Sandbox) -> Iterator[_Outcome]:
    # Not following links closes the gap between looking and opening; not blocking keeps a named pipe from holding us.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                yield UnreadableDocumentError(name, "it is no regular file; bring a file or a folder")
                return
            yield from _read_stream(stream, name, sandbox)
    except OSError as error:
        yield UnreadableDocumentError(name, f"it cannot be opened ({_why(error)}); check its permissions")


def _read_stream(stream: IO[bytes], name: str, sandbox: Sandbox) -> Iterator[_Outcome]:
    """Read what an open file holds, unpacking it where it is gzipped; refusals are yielded, never raised."""
    packed = stream.read(len(_GZIP)) == _GZIP
    stream.seek(0)
    if not packed:
        yield from _read_plain(stream, name, sandbox)
        return
    try:
        with gzip.GzipFile(fileobj=stream) as unpacked:
            yield from _read_plain(cast("IO[bytes]", unpacked), name, sandbox)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield UnreadableDocumentError(name, "what is packed in it is damaged or cut off; pack it again")


def _read_plain(stream: IO[bytes], name: str, sandbox: Sandbox) -> Iterator[_Outcome]:
    try:
        head = stream.read(HEAD_BYTES)
        kind = tell_kind(head, name.removesuffix(".gz"))
        if kind == "jsonl":
            stream.seek(0)
            yield from read_jsonl(_lines(stream), name)
            return
        most = _MOST_BYTES[kind]
        content = head + stream.read(most + 1 - len(head))
        if len(content) > most:
            yield UnreadableDocumentError(name, f"it is larger than {most // _MEGABYTE} MB; split it")
        elif kind == "export":
            yield from _read_export(content, name, sandbox)
        elif kind == "text":
            yield read_text(content, name)
        else:
            yield _decoded(sandbox.run(_READERS[kind], content, name), name)
    except UnreadableDocumentError as error:
        yield UnreadableDocumentError(name, error.reason)


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield lines; of one that is too long only as much as shows it, however long it is.

    What is packed can be a thousand times as long as its file, so there is an end to that too.
    """
    packed = isinstance(stream, gzip.GzipFile)
    while line := stream.readline(LINE_BYTES + 2):
        yield line
        if packed and stream.tell() > _MOST_UNPACKED:
            raise zlib.error("longer than anything that is read")
        while len(line) > LINE_BYTES and not line.endswith(b"\n"):
            line = stream.readline(LINE_BYTES + 2) or b"\n"


def _read_export(content: bytes, name: str, sandbox: Sandbox) -> Iterator[_Outcome]:
    """Read an export's articles one by one."""
    articles = sandbox.run(_LIST_ARTICLES, content, name)
    for number, article in enumerate(articles if isinstance(articles, list) else [], 1):
        fields = {key: str(value) for key, value in article.items()} if isinstance(article, dict) else {}
        place = f"{name}#{fields.get('external_id') or number}"
        try:
            if fields.get("refused"):
                raise UnreadableDocumentError(place, fields["refused"])  # noqa: TRY301 - one way out for every article
            html = fields.get("html", "").encode("utf-8", errors="replace")
            document = _decoded(sandbox.run(_READ_ARTICLE, html, place), place)
        except UnreadableDocumentError as error:
            yield error
        else:
            yield replace(
                document,
                title=fields["title"] or document.title,
                url=fields["url"],
                published=fields["published"],
                external_id=fields["external_id"],
            )


def _decoded(payload: object, name: str) -> ReadDocument:
    try:
        return replace(document_from_json(payload), name=name)
    except ValueError as error:
        reason = f"the reader's result makes no sense ({error}); save the file again in the program that made it"
        raise UnreadableDocumentError(name, reason) from None


def _display_name(name: str) -> str:
    """Return a name that is safe to show: one line, no control or direction characters."""
    line = " ".join(normalise(name.encode("utf-8", "replace").decode()).split())
    return (line if len(line) <= _LONGEST_NAME else "…" + line[1 - _LONGEST_NAME :]) or "unnamed"


def _why(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
