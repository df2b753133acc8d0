import pytest

from corpus.errors import UnreadableDocumentError
from corpus.reading.text import decode_text, read_markdown_file, read_text
from tests.corpus.reading.invariants import check_document, outline

_WORDS = "Rücken – 5 µg “naïve” €"


@pytest.mark.parametrize(
    "content",
    [
        _WORDS.encode("utf-8"),
        _WORDS.encode("utf-8-sig"),
        _WORDS.encode("utf-16"),
        b"\xff\xfe" + _WORDS.encode("utf-16-le"),
        b"\xfe\xff" + _WORDS.encode("utf-16-be"),
        b"\xff\xfe\x00\x00" + _WORDS.encode("utf-32-le"),
        b"\x00\x00\xfe\xff" + _WORDS.encode("utf-32-be"),
        _WORDS.encode("cp1252"),
    ],
)
def test_the_encoding_is_told_from_the_bytes(content: bytes) -> None:
    assert decode_text(content, "a.txt") == _WORDS


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_told_by_its_zeros(encoding: str) -> None:
    assert decode_text("A plain English sentence.".encode(encoding), "a.txt") == "A plain English sentence."


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            "first\nRücken größer\n".encode() + b"br\xfcchig",
            "byte 26 (line 3) is not UTF-8; save the file as UTF-8 text",
        ),
        ("Rücken".encode() + "…".encode()[:2], "byte 8 (line 1) is not UTF-8; save the file as UTF-8 text"),
        (b"a\n\x81b", "byte 3 (line 2) is not UTF-8, UTF-16 or Windows-1252; save the file as UTF-8 text"),
        (b"\xff\xfea\x00b", "byte 3 (line 1) is not UTF-16-LE; save the file as UTF-8 text"),
        (b"a\x00b\x01c\x02d\x03", "it is no text: it holds binary data; save it as UTF-8 text"),
    ],
)
def test_what_is_not_sure_is_refused_with_its_place(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocumentError) as caught:
        decode_text(content, "a.txt")
    assert (caught.value.name, caught.value.reason) == ("a.txt", reason)


def test_a_stray_control_character_is_dropped() -> None:
    assert read_text(b"One\x00 word.", "a.txt").marked.text == "One word."


def test_plain_text_is_one_section_without_a_guessed_title() -> None:
    document = read_text(b"Line one\r\nline two\r\n\r\nNew paragraph\r\n", "a.txt")
    check_document(document)
    assert document.marked.text == "Line one\nline two\n\nNew paragraph"
    assert (document.title, outline(document)) == ("", [((), None)])


def test_the_front_matter_says_what_the_text_does_not() -> None:
    content = (
        b'---\ntitle: "A title"\nurl: https://a.example/x\ndate: 2024-05-06\npublisher: Some Clinic\n'
        b"license: CC BY 4.0\nid: 17\n---\n\n# Heading\n\nText.\n\n## Part\n\nMore.\n"
    )
    document = read_markdown_file(content, "a.md")
    check_document(document)
    assert document.title == "A title"
    assert document.url == "https://a.example/x"
    assert document.published == "2024-05-06"
    assert document.publisher == "Some Clinic"
    assert document.licence == "CC BY 4.0"
    assert document.external_id == "17"
    assert document.media_type == "text/markdown"
    assert outline(document) == [((), None), (("Part",), None)]


def test_the_first_heading_is_the_title_without_front_matter() -> None:
    assert read_markdown_file(b"# Heading\n\nText.\n", "a.md").title == "Heading"


@pytest.mark.parametrize(
    ("field", "value"), [("url", "javascript:alert(1)"), ("published", "yesterday"), ("url", "https://a.example/\x07")]
)
def test_malformed_fields_are_left_out(field: str, value: str) -> None:
    document = read_markdown_file(f"---\n{field}: {value}\n---\nText.\n".encode(), "a.md")
    assert getattr(document, field) == ""
