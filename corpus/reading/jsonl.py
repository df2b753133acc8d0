"""JSON Lines with ``_id``, ``title``, ``text`` and ``metadata``: one document a line."""

import json
from collections.abc import Iterable, Iterator

from corpus.errors import UnreadableDocumentError
from corpus.reading.markdown import read_plain_text
from corpus.reading.read_document import ReadDocument, iso_date, public_url, short_line

MEDIA_TYPE = "application/x-ndjson"
LINE_BYTES = 10 * 1024 * 1024
_WANTED = 'one JSON object with "_id", "title" and "text" on each line'


def read_jsonl(lines: Iterable[bytes], name: str) -> Iterator[ReadDocument | UnreadableDocumentError]:
    """Read documents line by line, holding one line at a time.

    Args:
        lines: Lines of the file; longer ones than ``LINE_BYTES`` are refused, so cut them there.
        name: The file's name; a document is named ``name#line``.

    Yields:
        A document, or why its line is refused; empty lines count but give nothing.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield read_record(line, name, number)
        except UnreadableDocumentError as error:
            yield error


def read_record(line: bytes, name: str, number: int) -> ReadDocument:
    """Read one line.

    Args:
        line: The line, UTF-8.
        name: The file's name.
        number: The line's number, from 1.

    Raises:
        UnreadableDocumentError: the line is too long, no JSON object, or has no text.
    """
    place = f"{name}#{number}"
    if len(line) > LINE_BYTES:
        raise UnreadableDocumentError(place, f"line {number} is longer than {LINE_BYTES // 1024**2} MB; split its text")
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnreadableDocumentError(place, f"line {number} is not UTF-8; save the file as UTF-8") from None
    except RecursionError:
        raise UnreadableDocumentError(place, f"line {number} is nested too deeply; write {_WANTED}") from None
    except ValueError:
        raise UnreadableDocumentError(place, f"line {number} is no JSON; write {_WANTED}") from None
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise UnreadableDocumentError(place, f'line {number} has no "text"; write {_WANTED}')
    try:
        marked = read_plain_text(record["text"], place)
    except UnreadableDocumentError:
        reason = f'the "text" of line {number} is empty; write {_WANTED}, or delete the line'
        raise UnreadableDocumentError(place, reason) from None
    found = record.get("metadata")
    metadata = found if isinstance(found, dict) else {}
    identifier = record.get("_id", record.get("id"))
    return ReadDocument(
        name=place,
        title=short_line(record.get("title")),
        url=public_url(metadata.get("url") or record.get("url")),
        publisher=short_line(metadata.get("publisher") or metadata.get("source")),
        published=iso_date(metadata.get("published") or metadata.get("date")),
        licence=short_line(metadata.get("licence") or metadata.get("license")),
        marked=marked,
        media_type=MEDIA_TYPE,
        external_id=short_line(str(identifier) if isinstance(identifier, int) else identifier),
    )
