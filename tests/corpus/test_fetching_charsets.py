import pytest

from corpus.fetching.charsets import tell_charset

_WORDS = "Rückenschmerzen – “back”"


def _meta(charset: str, text: str = _WORDS) -> str:
    return f'<html><head><meta charset="{charset}"></head><p>{text}</p></html>'


@pytest.mark.parametrize(
    ("text", "written", "header"),
    [
        (_WORDS, "utf-8", ""),
        (_WORDS, "utf-8", "utf-8"),
        (_WORDS, "utf-8", "UTF8"),
        (_WORDS, "utf-8", "iso-8859-1"),  # the server is wrong
        (_WORDS, "utf-8", "nonsense"),
        (_WORDS, "utf-8-sig", "iso-8859-1"),
        (_WORDS, "utf-16", "utf-8"),
        (_WORDS, "utf-16-le", "utf-16le"),
        (_WORDS, "cp1252", ""),
        (_WORDS, "cp1252", "iso-8859-1"),
        (_WORDS, "cp1252", "utf-8"),  # likewise
        (_WORDS, "cp1252", "utf-16"),
        (_meta("windows-1252"), "cp1252", ""),
        (_meta("windows-1252"), "cp1252", "utf-8"),
        (_meta("iso-8859-1"), "utf-8", "iso-8859-1"),
        (_meta("utf-16"), "utf-8", ""),
        (_meta("koi8-r", "Боль в спине"), "koi8-r", ""),
        (_meta("utf-8", "Боль в спине"), "cp1251", "windows-1251"),  # the header outweighs the page
        (_meta("shift_jis", "腰痛のとき"), "cp932", ""),
        (_meta("utf-8", "背痛"), "gb18030", "GB2312"),
        ('<?xml version="1.0" encoding="iso-8859-2"?><a>Łokieć</a>', "iso-8859-2", ""),
        ("plain", "ascii", ""),
        ("plain", "ascii", "utf-16"),
        ("", "ascii", "utf-8"),
    ],
)
def test_a_page_is_read_as_it_was_written(text: str, written: str, header: str) -> None:
    content = text.encode(written)
    charset = tell_charset(content, header, markup=True)
    assert charset is not None
    assert content.decode(charset).removeprefix("\ufeff") == text


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (_WORDS.encode() + b"\xff", "utf-8"),  # nearly UTF-8: another reading would spoil its good letters
        (_WORDS.encode() + b"\xff", "iso-8859-1"),
        (_WORDS.encode() + b"\xff", ""),
        (b"\x81\x8d\xff\xfe", ""),
        (b"\xff\xfea", ""),
        (b"\xef\xbb\xbf\xff", ""),
    ],
)
def test_an_encoding_that_cannot_be_told_is_not_guessed(content: bytes, header: str) -> None:
    assert tell_charset(content, header, markup=False) is None


@pytest.mark.parametrize("label", ["utf-7", "rot13", "hex", "zlib", "unicode_escape", "punycode", "idna", "base64"])
def test_codecs_that_are_no_encodings_of_the_web_are_passed_over(label: str) -> None:
    assert tell_charset(b"+ADw-script+AD4- \\u003c", label, markup=True) == "utf-8"


def test_plain_text_does_not_name_its_encoding_itself() -> None:
    content = _meta("koi8-r", "Rückenweh").encode("cp1252")
    assert tell_charset(content, "", markup=False) == "cp1252"
