import json

import pytest

from corpus.errors import UnreadableDocumentError
from corpus.reading.jsonl import LINE_BYTES, read_jsonl
from corpus.reading.read_document import ReadDocument
from tests.corpus.reading.invariants import check_document


def test_every_field_is_found() -> None:
    record = {
        "_id": "7-1",
        "title": "A title",
        "text": "First.\r\n\r\nSecond.",
        "metadata": {
            "url": "https://a.example/7",
            "publisher": "Some Clinic",
            "published": "2023-04",
            "licence": "CC0",
        },
    }
    (document,) = read_jsonl([json.dumps(record).encode()], "set.jsonl")
    assert isinstance(document, ReadDocument)
    check_document(document)
    assert document.name == "set.jsonl#1"
    assert document.title == "A title"
    assert document.marked.text == "First.\n\nSecond."
    assert document.url == "https://a.example/7"
    assert document.publisher == "Some Clinic"
    assert document.published == "2023-04"
    assert document.licence == "CC0"
    assert document.external_id == "7-1"
    assert document.media_type == "application/x-ndjson"


def test_other_names_of_fields_and_a_byte_order_mark() -> None:
    line = b'\xef\xbb\xbf{"id": 3, "text": "Words.", "metadata": {"source": "S", "date": "2020-01-02T03:04:05Z"}}\n'
    (document,) = read_jsonl([line], "a")
    assert isinstance(document, ReadDocument)
    assert (document.external_id, document.publisher, document.published) == ("3", "S", "2020-01-02")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "line 2 is no JSON; "),
        (b"words", "line 2 is no JSON; "),
        (b"[1, 2]", 'line 2 has no "text"; '),
        (b'{"_id": "1"}', 'line 2 has no "text"; '),
        (b'{"text": 5}', 'line 2 has no "text"; '),
        (b'{"text": " \\u200b "}', 'the "text" of line 2 is empty; '),
        (b'{"text": "\xff"}', "line 2 is not UTF-8; "),
        (b"[" * 100_000, "line 2 is nested too deeply; "),
        (b'{"text": "' + b"a" * LINE_BYTES + b'"}', "line 2 is longer than 10 MB; "),
    ],
)
def test_a_bad_line_is_refused_with_its_number_and_the_others_go_on(line: bytes, reason: str) -> None:
    first, second, third = read_jsonl([b'{"text": "One."}\n', line + b"\n", b"\n", b'{"text": "Two."}'], "a.jsonl")
    assert isinstance(first, ReadDocument)
    assert isinstance(second, UnreadableDocumentError)
    assert isinstance(third, ReadDocument)
    assert second.name == "a.jsonl#2"
    assert second.reason.startswith(reason)
    assert third.name == "a.jsonl#4"


@pytest.mark.parametrize("metadata", ["text", [1], None, {"url": 5, "publisher": ["x"], "date": {}}])
def test_metadata_of_a_wrong_shape_is_left_out(metadata: object) -> None:
    (document,) = read_jsonl([json.dumps({"text": "Words.", "title": 5, "metadata": metadata}).encode()], "a")
    assert isinstance(document, ReadDocument)
    assert (document.title, document.url, document.publisher, document.published) == ("", "", "", "")


def test_a_lone_surrogate_can_be_stored() -> None:
    (document,) = read_jsonl([b'{"text": "a \\ud800 b", "title": "\\udfff"}'], "a")
    assert isinstance(document, ReadDocument)
    check_document(document)
    assert document.marked.text == "a ? b"
