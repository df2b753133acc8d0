import json

import pytest

from service.helpdesk.events import Line
from service.helpdesk.platforms import Delivery, zendesk
from service.helpdesk.texts import as_html, as_markdown, as_plain, fingerprint, message_text, opening
from tests.service.helpdesk.payloads import NOW, QUESTION, SAMPLES, connection

LINES = (
    Line("EMERGENCY: <b>now</b>", "strong"),
    Line("Matched “a*b”.", lead="TODAY: *now*."),
    Line("One & two", "item"),
    Line("[1] *Three*", "item", "https://example.org/?a=1&b=2"),
    Line("End", url="javascript:alert(1)"),
)


def test_html_has_only_what_help_desks_leave_in() -> None:
    assert as_html(LINES) == (
        "<p><strong>EMERGENCY: &lt;b&gt;now&lt;/b&gt;</strong></p>\n"
        "<p><strong>TODAY: *now*.</strong> Matched “a*b”.</p>\n"
        "<ul><li>One &amp; two</li><li>[1] *Three* "
        '<a href="https://example.org/?a=1&amp;b=2">https://example.org/?a=1&amp;b=2</a></li></ul>\n'
        "<p>End</p>"
    )


def test_markdown_keeps_words_from_becoming_markup() -> None:
    assert as_markdown(LINES) == (
        "**EMERGENCY: \\<b\\>now\\</b\\>**\n\n**TODAY: \\*now\\*.** Matched “a\\*b”.\n\n- One & two\n- \\[1\\] \\*Three\\* <https://example.org/?a=1&b=2>\n\nEnd"
    )


def test_plain_text() -> None:
    assert (
        as_plain(LINES[1:4]) == "TODAY: *now*. Matched “a*b”.\n- One & two\n- [1] *Three* https://example.org/?a=1&b=2"
    )


def test_a_reply_is_known_again_in_every_form() -> None:
    lines = (Line("It's 5 < 6. [1]"), Line("[1] A page.", url="https://example.org/"), Line("End"))
    for form in (as_html(lines), as_markdown(lines), as_plain(lines)):
        assert opening(lines) in fingerprint(form)
    assert opening(lines) == "its5611apage"


@pytest.mark.parametrize(
    ("body", "subject", "is_html", "text"),
    [
        ("How long?\n\n> You wrote: go to a doctor\n> now", "", False, "How long?"),
        ("Thanks!\nOn Mon, 2 Nov 2026 at 10:00, Help wrote:\nEMERGENCY", "", False, "Thanks!"),
        ("How long?", "Re: RE: Back spasm", False, "Back spasm.\nHow long?"),
        ("My back spasm: how long?", "Back spasm", False, "My back spasm: how long?"),
        ("", "Can I walk?", False, "Can I walk?"),
        (
            "<p>Numb &amp; weak</p><style>p{}</style><script>x()</script><div>since today</div>",
            "",
            True,
            "Numb & weak\nsince today",
        ),
        ("<p>New</p><blockquote>Old words</blockquote>", "", True, "New"),
    ],
)
def test_what_a_person_wrote(body: str, subject: str, *, is_html: bool, text: str) -> None:
    assert message_text(body, subject, is_html=is_html) == text


def test_a_header_above_a_zendesk_comment_is_not_read() -> None:
    words = f"{'-' * 46}\n\nAnn Example, Nov 22, 2026, 10:00\n\n{QUESTION}"
    body = {**SAMPLES["zendesk"].body(1, words, NOW), "subject": ""}
    event = zendesk.read(
        Delivery({}, json.dumps(body).encode(), NOW), connection("zendesk", "https://desk.example.com")
    )
    assert event is not None
    assert event.text == QUESTION
