import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import UnreadableDocumentError
from corpus.normalising import normalise
from corpus.reading.markdown import MarkedText, anchor_of, read_markdown, read_plain_text
from corpus.records import Section, Span
from tests.corpus.strategies import texts
from tests.drilling import PROPERTY


def sections_of(marked: MarkedText) -> list[tuple[tuple[str, ...], str]]:
    return [(section.heading_path, section.span.slice(marked.text)) for section in marked.sections]


def comments_of(marked: MarkedText) -> list[tuple[str, str]]:
    return [(span.slice(marked.text), comment) for span, comment in marked.comments]


def test_headings_become_sections() -> None:
    marked = read_markdown(
        "# Back pain\n\nIntro.\n\n## Rest\n\nOne.\n\nTwo.\n\n### How long?\n\nThree.\n\n## Heat\n\nFour.\n"
    )
    assert marked.title == "Back pain"
    assert marked.text == "Back pain\n\nIntro.\n\nRest\n\nOne.\n\nTwo.\n\nHow long?\n\nThree.\n\nHeat\n\nFour."
    assert marked.sections == (
        Section((), Span(11, 17)),
        Section(("Rest",), Span(25, 35), "rest"),
        Section(("Rest", "How long?"), Span(48, 54), "how-long"),
        Section(("Heat",), Span(62, 67), "heat"),
    )


def test_setext_headings_count_like_others() -> None:
    marked = read_markdown("Back pain\n=========\n\nRest\n----\n\nOne.\n")
    assert marked.title == "Back pain"
    assert sections_of(marked) == [(("Rest",), "One.")]


def test_the_title_is_only_what_stands_first() -> None:
    marked = read_markdown("Intro.\n\n# One\n\nText.\n\n# Two\n\nText too.\n")
    assert marked.title == ""
    assert sections_of(marked) == [((), "Intro."), (("One",), "Text."), (("Two",), "Text too.")]


def test_a_heading_without_text_has_no_section() -> None:
    assert sections_of(read_markdown("# A\n\n## B\n\n## C\n\nText.\n\n##\n\nMore.\n")) == [(("C",), "Text.\n\nMore.")]


def test_a_very_long_heading_is_cut_in_the_path_but_not_in_the_text() -> None:
    marked = read_markdown(f"## {'long ' * 60}\n\nText.\n")
    assert marked.sections[0].heading_path == (("long " * 60)[:199].rstrip() + "…",)
    assert marked.text == f"{('long ' * 60).strip()}\n\nText."


def test_nested_lists_keep_their_markers_one_item_a_line() -> None:
    marked = read_markdown("Try:\n\n- sit\n  - feet down\n  - back straight\n- stand\n\nThen rest.\n")
    assert marked.text == "Try:\n\n- sit\n- feet down\n- back straight\n- stand\n\nThen rest."


def test_numbered_lists_keep_their_numbers() -> None:
    assert read_markdown("3. three\n4. four\n").text == "3. three\n4. four"
    assert read_markdown("0. zero\n1. one\n").text == "0. zero\n1. one"
    assert read_markdown("1. one\n\n   - a\n   - b\n\n2. two\n").text == "1. one\n- a\n- b\n2. two"


def test_an_item_keeps_its_paragraphs_and_its_code() -> None:
    assert read_markdown("- one\n\n  more\n- two\n").text == "- one\nmore\n- two"
    assert read_markdown("- ```\n  code\n  ```\n- two\n").text == "- code\n- two"
    assert read_markdown("-\n- two\n").text == "- two"


def test_tables_keep_one_row_a_line() -> None:
    marked = read_markdown("Walks:\n\n| Day | Walk |\n|---|--:|\n| Mon | **10** min |\n| Tue | |\n\nRest.\n")
    assert marked.text == "Walks:\n\nDay | Walk\nMon | 10 min\nTue |\n\nRest."


def test_code_keeps_its_lines() -> None:
    assert read_markdown("```py\nx = 1\n\ny = 2\n```\n\n    indented\n").text == "x = 1\n\ny = 2\n\nindented"


def test_inline_marks_leave_their_words() -> None:
    marked = read_markdown(
        "Read **the** [*whole* page](https://example.org 'T') or <https://example.org>,\n"
        "see ![a chair](chair.png), `code`, &amp; 1 \\* 2.<br>Next\\\nline.\n"
    )
    assert marked.text == "Read the whole page or https://example.org, see a chair, code, & 1 * 2. Next line."


def test_comments_leave_the_text_and_come_back_beside_it() -> None:
    marked = read_markdown("## Rest\n\nRest 1 to 2 days. <!-- F01 F02 -->\nThen walk. <!--F03-->\n\nNo fact.\n")
    assert marked.text == "Rest\n\nRest 1 to 2 days. Then walk.\n\nNo fact."
    assert comments_of(marked) == [("Rest 1 to 2 days.", "F01 F02"), ("Then walk.", "F03")]


def test_a_comment_without_text_before_it_is_dropped() -> None:
    marked = read_markdown("<!-- note\n\nto self -->\n\nOne. <!-- A --> <!-- B -->\n\n- <!-- C --> item\n")
    assert marked.text == "One.\n\n- item"
    assert comments_of(marked) == [("One.", "A")]


def test_html_leaves_its_words_and_no_scripts() -> None:
    marked = read_markdown(
        "<div class='a'>Fish &amp; <b>chips</b></div>\n<SCRIPT>alert(1)</SCRIPT >\n<style>p {}</style>\n\nA <i>b</i> c.\n"
    )
    assert marked.text == "Fish & chips\n\nA b c."


@pytest.mark.parametrize("block", ["---\nid: leaflet\ntags: [a]\n---\n", "---\n---\n"])
def test_front_matter_is_skipped(block: str) -> None:
    assert read_markdown(f"{block}# Title\n\nText.\n").text == "Title\n\nText."


def test_a_rule_inside_the_text_is_no_front_matter() -> None:
    assert read_markdown("One.\n\n---\n\nTwo.\n\n---\n\nThree.\n").text == "One.\n\nTwo.\n\nThree."


def test_line_ends_and_byte_order_mark_change_nothing() -> None:
    plain = "---\nid: x\n---\n# Title\n\nOne\ntwo. <!-- F01 -->\n\n- a\n- b\n"
    assert read_markdown("\ufeff" + plain.replace("\n", "\r\n")) == read_markdown(plain)
    assert read_markdown(plain.replace("\n", "\r")) == read_markdown(plain)


@pytest.mark.parametrize(
    "empty", ["", " \n", "# Title only\n", "<!-- comment -->\n", "---\nid: x\n---\n", "<script>x</script>"]
)
def test_a_file_without_text_is_refused_by_name(empty: str) -> None:
    with pytest.raises(UnreadableDocumentError) as refused:
        read_markdown(empty, "empty.md")
    assert refused.value.name == "empty.md"
    assert str(refused.value) == "empty.md: there is no text in it; add text under its headings"


def test_plain_text_is_one_section() -> None:
    assert read_plain_text("One.\r\n\r\n\r\n# Two\x00  \n") == MarkedText(
        "", "One.\n\n# Two", (Section((), Span(0, 11)),)
    )


def test_plain_text_without_text_is_refused() -> None:
    with pytest.raises(UnreadableDocumentError, match=r"^notes\.txt: the file is empty$"):
        read_plain_text(" \n\u200b", "notes.txt")


def test_anchors_are_made_of_the_innermost_heading() -> None:
    assert anchor_of(("Rest", "How long — 1 to 2 days?")) == "how-long-1-to-2-days"
    assert anchor_of(("腰",)) is None
    assert anchor_of(()) is None


@pytest.mark.drill("R11")
@PROPERTY
@given(
    st.lists(st.one_of(texts, st.sampled_from(["\n# A\n", "\n## B\n", "\n- ", "\n| a | b |\n|-|-|\n", "<!-- F01 -->"])))
)
def test_whatever_is_read_is_in_its_stored_form(parts: list[str]) -> None:
    try:
        marked = read_markdown("".join(parts))
    except UnreadableDocumentError:
        return
    assert normalise(marked.text) == marked.text
    ends = [0, *[place for section in marked.sections for place in (section.span.start, section.span.end)]]
    assert ends == sorted(ends)
    assert ends[-1] <= len(marked.text)
    for section in marked.sections:
        assert section.span.slice(marked.text).strip() == section.span.slice(marked.text) != ""
    for span, comment in marked.comments:
        assert span.slice(marked.text).strip() != ""
        assert comment == comment.strip()


@pytest.mark.parametrize("unit", ["<!-- ", "<div>\n<", "<script>", "> ", "- ", "*a ", "| a ", "`", "\\"])
def test_time_grows_with_the_file_and_not_with_its_square(unit: str) -> None:
    begin = time.process_time()
    read_markdown("text\n\n" + unit * (60_000 // len(unit)))
    assert time.process_time() - begin < 5
