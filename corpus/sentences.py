"""Sentence boundaries, with spans.

A rule splitter of our own, since no library is both good and kept: it knows abbreviations, decimals, initials,
list numbers, URLs, quotes and ellipses. Every non-blank character belongs to exactly one sentence.
"""

import re

from corpus.records import Span

# A full stop after these does not end a sentence, whatever follows.
_NEVER = frozenset(
    "dr mr mrs ms prof sr jr st rev hon gen col capt lt sgt vs e.g i.e eg ie cf viz approx ca incl esp resp fig "
    "figs eq eqs ref refs ch chap sec art al p pp vol ed eds dept univ assn jan feb mar apr jun jul aug sept oct "
    "nov dec mon tue wed thu fri mt ft".split()
)
# These end a sentence only before a capital that begins one.
_MAYBE = frozenset(
    "etc inc ltd co corp no nos a.m p.m am pm u.s u.k u.n e.u ph.d m.d b.sc m.sc d.o hr hrs min sec mg ml g kg lb "
    "lbs oz cm mm in".split()
)
_STARTERS = frozenset(
    "the a an this that these those it he she they we you i if when while after before most some many in on at "
    "for from with without to as there here what which who why how do does did is are was were can could should "
    "may might will call see ask take tell get go stop try use keep avoid rest heat ice pain back people doctors "
    "patients however but and or so because although though also then not no one two three".split()
)
_END = re.compile(r"[.!?…]+[\"'”’)\]»]*(?=\s|$)|\n\s*\n|\n(?=\s*(?:[-*•▪◦–]|\d{1,3}[.)]|[a-z][.)])\s)")
_CLOSERS = "\"'”’)]»"
_LIST_ITEM = re.compile(r"\s*(?:[-*•▪◦–]|\d{1,3}[.)]|[a-zA-Z][.)])\s")
_LAST_WORD = re.compile(r"([A-Za-z][A-Za-z.]*|\d+)$")


def split_sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Return the spans of the sentences of ``text[start:end]``, in order.

    Spans are trimmed of blanks and never overlap; together they hold every non-blank character. A list item, a
    heading line or a paragraph without a full stop is a sentence of its own. Cost is linear in the text.
    """
    stop = len(text) if end is None else end
    spans: list[Span] = []
    begin = start
    for match in _END.finditer(text, start, stop):
        if match.start() < begin or not _ends_sentence(text, begin, match, stop):
            continue
        _append(spans, text, begin, match.end())
        begin = match.end()
    _append(spans, text, begin, stop)
    return spans


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append(Span(start, end))


def _ends_sentence(text: str, begin: int, match: re.Match[str], stop: int) -> bool:
    mark = match.group()
    if mark[0] == "\n":
        return True
    bare = mark.rstrip(_CLOSERS)
    following = text[match.end() : min(stop, match.end() + 60)].lstrip()
    line_break = "\n" in text[match.end() : match.end() + 2]
    if not following:
        return True
    if bare in {"…", "..", "..."} or (len(bare) > 1 and set(bare) == {"."}):
        return following[0].isupper() or line_break
    if bare != ".":
        # "Really?" she said: a lower-case word goes on with the same sentence when the mark closes a quotation.
        return not (len(mark) > len(bare) and following[0].islower())
    before = text[max(begin, match.start() - 40) : match.start()]
    return _full_stop_ends(before, following, line_break=line_break, at_begin=match.start() - begin)


def _full_stop_ends(before: str, following: str, *, line_break: bool, at_begin: int) -> bool:
    word_match = _LAST_WORD.search(before)
    word = word_match.group(1) if word_match else ""
    if word.isdigit() and at_begin <= len(word) + 1:
        return False  # "1. Rest": a list number
    if not word or word.isdigit():
        return not following[0].islower() or line_break
    lowered = word.lower()
    first = re.match(r"[A-Za-z]+", following)
    capital_starter = bool(first and first.group()[0].isupper() and first.group().lower() in _STARTERS)
    if lowered in _NEVER:
        return False
    if lowered in {"no", "nos"} and following[0].isdigit():
        return False
    if lowered in _MAYBE or re.fullmatch(r"(?:[a-z]\.)+[a-z]", lowered):
        if lowered == "no":
            return not following[0].isdigit()
        return capital_starter or (line_break and following[0].isupper())
    if len(word) == 1 and word.isupper() and word != "I":
        return capital_starter  # an initial: "J. Smith"
    return not following[0].islower()


def is_list_item(line: str) -> bool:
    """Whether a line begins like an item of a list."""
    return _LIST_ITEM.match(line) is not None
