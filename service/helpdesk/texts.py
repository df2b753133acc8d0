"""Lines as HTML, Markdown and plain text; and back from what people send.

HTML has only ``p strong ul li a``: help desks strip the rest, and fold a ``blockquote`` away.
"""

import html
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import groupby
from typing import Final

from service.helpdesk.events import Line

LONGEST_MESSAGE: Final = 8_000
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~])")
_ESCAPED: Final = r"\\\1"
_BLOCKS: Final = frozenset("p div br li tr h1 h2 h3 h4 h5 h6 blockquote pre ul ol table hr".split())
_QUOTED: Final = re.compile(r"^\s*>")
_QUOTE_HEAD: Final = re.compile(r"^(On .{4,120} wrote:|-{2,} ?Original Message ?-{2,})\s*$", re.IGNORECASE)


def as_html(lines: Sequence[Line]) -> str:
    """Return lines as the plainest HTML."""
    parts = []
    for is_list, group in groupby(lines, lambda line: line.kind == "item"):
        if is_list:
            parts.append("<ul>" + "".join(f"<li>{_html(line)}</li>" for line in group) + "</ul>")
        else:
            parts += [f"<p>{_html(line)}</p>" for line in group]
    return "\n".join(parts)


def as_markdown(lines: Sequence[Line]) -> str:
    """Return lines as Markdown; what a person wrote cannot become markup."""
    parts = []
    for is_list, group in groupby(lines, lambda line: line.kind == "item"):
        if is_list:
            parts.append("\n".join(f"- {_markdown(line)}" for line in group))
        else:
            parts += [_markdown(line) for line in group]
    return "\n\n".join(parts)


def as_plain(lines: Sequence[Line]) -> str:
    """Return lines as plain text."""
    parts = []
    for line in lines:
        text = f"{line.lead} {line.text} {line.url}".strip()
        parts.append(f"- {text}" if line.kind == "item" else text)
    return "\n".join(parts)


def fingerprint(text: str) -> str:
    """Return letters and digits alone: what stays the same whatever a help desk makes of a text's markup."""
    return re.sub(r"[\W_]+", "", html.unescape(re.sub(r"</?[a-zA-Z][^<>]*>", " ", text))).casefold()


def opening(lines: Sequence[Line]) -> str:
    """Return the fingerprint of a text up to its first address: help desks write addresses in their own way."""
    first = next((place for place, line in enumerate(lines) if line.url), len(lines))
    return fingerprint(" ".join(line.text for line in lines[: first + 1]))


def plain_from_html(markup: str) -> str:
    """Return the words of HTML, a block a line."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    lines = (re.sub(r"[ \t\xa0]+", " ", line).strip() for line in "".join(reader.parts).splitlines())
    return "\n".join(line for line in lines if line)


def message_text(body: str, subject: str = "", *, is_html: bool = False) -> str:
    """Return what a person wrote: without what is quoted from before, and with a subject that says more.

    A warning sign in quoted text was screened when it was written; quoting our own notice must not raise another.
    """
    text = plain_from_html(body) if is_html else body
    kept: list[str] = []
    for line in text.splitlines():
        if _QUOTE_HEAD.match(line):
            break
        if not _QUOTED.match(line):
            kept.append(line.rstrip())
    written = "\n".join(kept).strip()
    title = re.sub(r"^((re|fwd?|aw|wg)\s*:\s*)+", "", subject.strip(), flags=re.IGNORECASE)
    if not title or fingerprint(title) in fingerprint(written):
        return written
    end = "" if title[-1] in ".?!" else "."
    return f"{title}{end}\n{written}".strip()


def _html(line: Line) -> str:
    text = html.escape(line.text)
    if line.kind == "strong":
        text = f"<strong>{text}</strong>"
    if line.lead:
        text = f"<strong>{html.escape(line.lead)}</strong> {text}".strip()
    if line.url.startswith(("https://", "http://")):
        address = html.escape(line.url)
        text = f'{text} <a href="{address}">{address}</a>'
    return text


def _markdown(line: Line) -> str:
    text = _MARKDOWN.sub(_ESCAPED, line.text)
    if line.kind == "strong":
        text = f"**{text}**"
    if line.lead:
        text = f"**{_MARKDOWN.sub(_ESCAPED, line.lead)}** {text}".strip()
    return f"{text} <{line.url}>" if line.url.startswith(("https://", "http://")) else text


class _Reader(HTMLParser):
    """Collects text; scripts and styles are no words of a person."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._hidden += tag in {"script", "style"}
        if tag in _BLOCKS:
            self.parts.append("\n")
        if tag == "blockquote":
            self.parts.append("> ")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"} and self._hidden:
            self._hidden -= 1
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)
