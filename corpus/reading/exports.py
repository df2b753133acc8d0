"""Exports of help centres: the articles of Zendesk and Freshdesk as their interfaces hand them out.

Zendesk: ``{"articles": [{"id", "title", "body", "html_url", "draft", …}]}``, also one such object a page in a list.
Freshdesk: a list of ``{"id", "title", "description", "status", …}``, or the account export, which nests such lists in
categories and folders. Bodies are HTML and are read one by one, so that a broken article costs nobody else a thing.
"""

import json
from collections.abc import Iterator

from corpus.errors import UnreadableDocumentError
from corpus.reading.read_document import iso_date, public_url, short_line
from corpus.reading.text import decode_text

_FRESHDESK_PUBLISHED = 2
_FRESHDESK_EVERYBODY = 1  # folders are for everybody, customers, agents or chosen companies
_WANTED = (
    "it is JSON, but no articles export of Zendesk or Freshdesk; "
    "write one document a line as JSONL, or export the articles with their bodies"
)


def list_articles(content: bytes, name: str) -> list[dict[str, str]]:
    """List the articles of an export.

    Args:
        content: The JSON file.
        name: Name for the error message.

    Returns:
        One entry an article, in the order of the file: ``external_id``, ``title``, ``url``, ``published``, ``html``,
        and ``refused``, which says why the article must not be read or is "". Drafts, and articles that Zendesk shows
        to some readers only, are not for everybody's answers.

    Raises:
        UnreadableDocumentError: it is no JSON, or no article is in it.
    """
    try:
        export = json.loads(decode_text(content, name))
    except RecursionError:
        raise UnreadableDocumentError(name, "it is nested too deeply; export the articles again") from None
    except ValueError as error:
        place = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UnreadableDocumentError(name, f"it is damaged JSON{place}; export the articles again") from None
    articles = [_article(entry, shown) for entry, shown in _find(export)]
    if not articles:
        raise UnreadableDocumentError(name, _WANTED)
    return articles


def _find(export: object) -> Iterator[tuple[dict[str, object], bool]]:
    """Yield every object with a title and a body, in the order of the file, and whether its folder is for everybody."""
    waiting: list[tuple[object, bool]] = [(export, True)]
    while waiting:
        value, shown = waiting.pop()
        if isinstance(value, list):
            waiting.extend((entry, shown) for entry in reversed(value))
        elif isinstance(value, dict):
            if isinstance(value.get("title"), str) and ("body" in value or "description" in value):
                yield value, shown
            else:
                shown = shown and value.get("visibility", _FRESHDESK_EVERYBODY) == _FRESHDESK_EVERYBODY
                waiting.extend((entry, shown) for entry in reversed(value.values()))


def _article(entry: dict[str, object], shown: bool) -> dict[str, str]:  # noqa: FBT001 - private, one caller
    identifier = entry.get("id")
    html = entry.get("body") if "body" in entry else entry.get("description")
    return {
        "external_id": short_line(str(identifier)) if isinstance(identifier, int | str) else "",
        "title": short_line(entry["title"]),
        "url": public_url(entry.get("html_url")),
        "published": iso_date(entry.get("edited_at") or entry.get("updated_at") or entry.get("created_at")),
        "html": html if isinstance(html, str) else "",
        "refused": _refusal(entry) or ("" if shown else "its folder is not for everybody; open it, or leave it out"),
    }


def _refusal(entry: dict[str, object]) -> str:
    status = entry.get("status")
    freshdesk_draft = "body" not in entry and isinstance(status, int) and status != _FRESHDESK_PUBLISHED
    if entry.get("draft") is True or freshdesk_draft:
        return "it is a draft; publish it and export again"
    if entry.get("user_segment_id") is not None:
        return 'only some readers may see it; open it to everybody, or set "user_segment_id" to null in the export'
    return ""
