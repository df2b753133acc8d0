"""Sentence boundaries, with spans.

A rule splitter of our own, since no library is both good and kept (docs/decisions/0003-sentence-splitter.md): it
knows abbreviations, units, decimals, initials, list numbers, brackets, URLs, quotes and ellipses. Every non-blank
character belongs to exactly one sentence.
"""

import re
from bisect import bisect_right
from collections.abc import Callable

from corpus.records import Span

_JOINING = frozenset("mr mrs ms mx messrs prof vs www e.g i.e p.s n.b eg ie cf viz bzw ggf nr drs".split())
"""A full stop after these never ends a sentence: something always follows."""

_TITLES = frozenset("dr st rev hon capt lt sgt gen gov sen rep".split())
"""These end a sentence only before a pronoun: "I saw my Dr. He was kind."."""

_BEFORE_NUMBERS = frozenset(
    "no nos fig figs eq eqs ref refs ch chap sec art p pp vol vols para tab ex app jan feb mar apr jun jul aug sep "
    "sept oct nov dec ca".split()
)
"""No end before a number ("No. 5", "Jan. 3"); else words like others, since many of them are ("no", "art")."""

_MIDDLE = frozenset(
    "jr sr esq inc ltd co corp dept univ assn approx esp incl avg est max temp mon tue tues wed thu thur thurs fri "
    "ph.d ft mt al ed eds resp bros mfg intl natl govt prob spp var subsp".split()
)
"""These end a sentence only before a word that begins one."""

_UNITS = frozenset(
    "hr hrs min mins sec secs mg mcg ml dl kg lb lbs oz cm mm km in ft yd yds mi kcal cal tsp tbsp qt gal wk wks mo "
    "mos yr yrs tabs caps".split()
)
_KNOWN = _JOINING | _TITLES | _BEFORE_NUMBERS | _MIDDLE | {"etc", "usw", "a.m", "p.m"}

_STARTERS = frozenset(
    "the a an this that these those it he she they we you i his her their our your my its if when while after before "
    "most some many several few all both each every another in on at for from with without to as there here what "
    "which who why how where do does did is are was were can could should may might will would has have call see ask "
    "take tell get go stop try use keep avoid rest heat ice pain back people doctors patients however but and or so "
    "because although though since until unless once during between about also then not no one two three four five "
    "by of symptoms treatment researchers scientists studies other let don doesn isn can't".split()
)
_AFTER_TITLES = frozenset("he she it they we this that there then but and my his her the i".split())

_CALENDAR = re.compile(
    r"(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?s?|(?:Jan|Febr?|Mar|Apr|May|Jun|Jul|Aug|Sept?|"
    r"Oct|Nov|Dec)(?:[a-z]*(?:ary|ch|il|e|y|ust|ber))?|(?:East|Centr|Pacif|Mount)[a-z]+ (?=T)|"
    r"[EP][SD]?T|C[SD]T|GMT|UTC|BST|CES?T)\b"
)
"""What goes on after "8 a.m.": days, months and time zones."""

_LETTERED = re.compile(
    r"\b(?:vitamins?|hepatitis|types?|groups?|grades?|stage|class|plan|part|appendix|factor|step|option|influenza|flu|"
    r"phase|table|immunoglobulin|category|schedule|toxin|figure|point)\s+(?:[A-Z](?:,|\s+(?:and|or))\s+)*[A-Z]$",
    re.IGNORECASE,
)
"""A letter after these names a kind, not a person."""

_CASUAL = re.compile(
    r"(?:i|i['’]m|i['’]ve|im|ive|it|it['’]s|its|he|she|they|we|my|the|this|these|there|what|when|how|why|where|who|"
    r"which|but|so|also|then|now|today|yesterday|sometimes|please|thanks|any|should|could|"
    r"(?:is|are) (?:it|this|that|there|these)|(?:can|do|does|did) (?:i|it|you|this|that|he|she|my))\b"
)
"""Lower-case words that begin a sentence where people type without capitals."""

_CLAUSE = re.compile(
    r"(?!Senate|Congress|Army|Navy|House|President|Census|Treasury|Surgeon)[A-Z][a-z]+ "
    r"(?!of\b|and\b|for\b|the\b)[a-z]{2,}"
)
_PLACES = frozenset({"u.s", "u.k", "u.n", "e.u", "d.c", "u.s.a"})
"""After these a capitalised word and a lower-case one begin a sentence: "in the U.S. Genetic tests are"."""

_SAID = re.compile(
    r"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.\s+)?(?:[A-Z][\w’-]*\s+|the\s+[a-z]+\s+|my\s+[a-z]+\s+){1,2}"
    r"(?:said|says|asked|asks|replied|added|wondered|explained|told|answered|wrote|writes)\b"
)
_CLOSERS = "\"'”’)]»*_"
_BULLETS = "*+•▪◦·●○■□◆►➤‣⁃✅✔☑❌➡"
_ITEM = rf"(?:[{_BULLETS}–-]\ufe0f?|\d{{1,3}}[.)]|[a-z][.)]|[A-Z]\)|\(\d{{1,2}}\)|\([a-z]\))\s"
_LIST_ITEM = re.compile(rf"\s*(?:{_ITEM}|[A-Z]\.\s)")
_ITEM_NEXT = re.compile(rf"\n[^\S\n]*(?:{_ITEM}|\n|$)")
_EMOJI = "[\u2600-\u2610\u2612-\u2704\u2706-\u2713\u2715-\u274b\u274d-\u27a0\u27a2-\u27bf\U0001f300-\U0001faff]"
_TAIL = rf"(?:[ ]?\[\d[\d,–-]*\]|[¹²³⁰⁴-⁹]|[ ]?{_EMOJI}[\ufe0f\u200d]*|[ ]?[:;]-?[)(DP](?=\s|$))"
_END = re.compile(
    rf"(?P<mark>\.(?:[ ]?\.)+|[.!?…؟۔।]+)(?P<close>[{re.escape(_CLOSERS)}]*){_TAIL}*(?=\s|$)"
    r"|(?P<wide>[。！？]+[」』”’）]*)"
    r"|(?P<glued>[.!?]+[\"”’)\]]*)(?!(?:Net|Com|Org|Gov|Edu|Info)\b)(?=[A-Z][a-z]|[AI]\s)"
    r"|(?P<line>\n)"
)
_BRACKETS = re.compile(r"[:;]-?[()]|[()\[\]]|\n\s*\n")
_BRACKET_LIMIT = 400
_WORD = re.compile(r"(?:[^\W\d_](?:[^\W\d_]|\.(?=[^\W\d_]))*|\d+)$")
_WINDOW = 60
_DOTTED = re.compile(r"(?:[a-z]\.)+[a-z]")
_INITIAL = re.compile(r"(?:^|[\s.(\"“])(?!I)[^\W\d_a-z]$")
_QUANTITY = re.compile(rf"\d+\s?(?:{'|'.join(sorted(_UNITS))})\b")
"""What goes on after a unit: "5 ft. 10 in."."""

_ISSUE = re.compile(r"(?:19|20)\d\d(?: [A-Z][a-z]{2})?(?: \d+)?;\d")
"""Year and volume go on after the name of a journal."""

_INNER_CAPITAL = re.compile("[a-z]{1,2}[A-Z]")
"""mRNA, pH, iPhone: they begin a sentence as they are."""

_FIRST_WORD = re.compile(r"([A-Z][A-Za-z]*)(?!\.\s|[A-Za-z])")
_LABEL = re.compile(
    r"\(?(?:\d{1,3}(?:\.\d{1,2})*|[A-Za-z]|[ivx]{1,4}|[IVX]{1,4}|(?:Step|Tip|Rule|Figure|Table|Question|Section|"
    r"Chapter|Part|Phase|Day|Week|Exercise|Answer)\s\d{1,3})\)?"
)
_LABEL_LIMIT = 20
_GLUED_WORD = re.compile(r"(?:^|[\s\"“(—–-])(?:[^\W\d_]?[a-z'’]{2,}|\d+(?:[.,]\d+)*%?|[^\W\d_]?[a-z'’]{2,}[)”\"])$")
_OPENERS = "\"'“‘«([" + _BULLETS + "–- \n\t"
_HEADING_LIMIT = 45
_GOES_ON = re.compile(r"(?:[^\w)]|\b(?:the|a|an|of|and|or|to|in|by|with|for|at|on|from|is|are|my|your))$")


def split_sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Return the spans of the sentences of ``text[start:end]``, in order.

    Spans are trimmed of blanks and never overlap; together they hold every non-blank character. A list item, a
    table row, a short heading line or a paragraph without a full stop is a sentence of its own; what stands in
    brackets, and an emoji after the full stop, stay with their sentence. Cost is linear in the text.
    """
    stop = len(text) if end is None else min(end, len(text))
    bracket_around = _bracket_finder(text, start, stop)
    spans: list[Span] = []
    begin = start
    for match in _END.finditer(text, start, stop):
        if match.group("line"):
            ends = _line_ends(text, begin, match.start(), stop)
        else:
            bracket = bracket_around(match.end() - 1)
            ends = (bracket < 0 or not text[begin:bracket].strip()) and _mark_ends(text, begin, match, stop)
        if ends:
            _append(spans, text, begin, match.end())
            begin = match.end()
    _append(spans, text, begin, stop)
    return spans


def is_list_item(line: str) -> bool:
    """Whether a line begins like an item of a list."""
    return _LIST_ITEM.match(line) is not None


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append(Span(start, end))


def _bracket_finder(text: str, start: int, stop: int) -> Callable[[int], int]:
    """Return what finds the outermost bracket around a place, or -1; pairs of over 400 characters don't count."""
    pairs: list[tuple[int, int]] = []
    opened: list[int] = []
    for match in _BRACKETS.finditer(text, start, stop):
        bracket = match.group()
        if bracket[0] == "\n":
            opened.clear()
        elif bracket in "([":
            opened.append(match.start())
        elif bracket in ")]" and opened:
            first = opened.pop()
            if match.start() - first <= _BRACKET_LIMIT:
                while pairs and pairs[-1][0] > first:
                    pairs.pop()
                pairs.append((first, match.start()))
    starts = [first for first, _ in pairs]

    def bracket_around(place: int) -> int:
        row = bisect_right(starts, place - 1) - 1
        return starts[row] if row >= 0 and place < pairs[row][1] else -1

    return bracket_around


def _line_ends(text: str, begin: int, at: int, stop: int) -> bool:
    """Whether the line break at ``at`` ends a sentence: before an empty line or an item, after a row or a heading."""
    if _ITEM_NEXT.match(text, at, stop):
        return True
    line_start = text.rfind("\n", begin, at) + 1 or begin
    next_end = text.find("\n", at + 1, stop)
    next_line = text[at + 1 : stop if next_end < 0 else next_end]
    if " | " in f" {text[line_start:at]} " or " | " in f" {next_line} ":
        return True
    if at - begin > _HEADING_LIMIT + 2:
        return False
    line = text[begin:at].strip()
    at_line_start = begin == 0 or "\n" in text[begin - 1 : begin + 1]
    following = text[at + 1 : stop][:1]
    is_heading = 0 < len(line) <= _HEADING_LIMIT and "\n" not in line and not _GOES_ON.search(line)
    return is_heading and at_line_start and (following.isupper() or following.isdigit())


def _mark_ends(text: str, begin: int, match: re.Match[str], stop: int) -> bool:
    """Whether the mark of ``match`` ends the sentence that starts at ``begin``."""
    if match.group("wide"):
        return True
    after = text[match.end() : min(stop, match.end() + _WINDOW)]
    following = after.lstrip()
    before = text[max(begin, match.start() - _WINDOW) : match.start()]
    if match.group("glued"):
        mark = match.group("glued")
        if not _glued_ends(before, mark, following):
            return False
        bare = mark.rstrip(_CLOSERS)
    else:
        mark, bare = match.group("mark") + match.group("close"), match.group("mark")
    if not following:
        return True
    closed = mark != bare
    if closed and (before[-1:] in {"(", "["} or following[0].islower() or _SAID.match(following)):
        return False  # "Really?" she said: the sentence goes on behind the quotation
    head = text[begin : match.start()].strip() if match.start() - begin <= _LABEL_LIMIT else "…" * _LABEL_LIMIT
    line_break = "\n" in after[: len(after) - len(following)]
    if bare == "…" or (len(bare) > 1 and set(bare) <= {".", " "}):
        hesitates = len(head) < _LABEL_LIMIT and len(head.split()) <= 2
        return (following.lstrip(_OPENERS)[:1].isupper() or line_break) and (closed or not hesitates)
    if bare != ".":
        return True
    if _LABEL.fullmatch(head):
        return False  # "1. Rest": a list number
    return _full_stop_ends(before, following, line_break=line_break)


def _glued_ends(before: str, mark: str, following: str) -> bool:
    """Whether a mark with no blank behind it may end a sentence: not in names such as "Back.Again" and not in URLs."""
    if _GLUED_WORD.search(before) is None:
        return False
    word = _last_word(before)
    first = _FIRST_WORD.match(following)
    starter = first is not None and first.group(1).lower() in _STARTERS
    return mark[0] != "." or (word.lower() not in _KNOWN and (starter or not word[:1].isupper()))


def _number_follows(word: str, lead: str, *, unit: bool) -> bool:
    """Whether a number goes on with what the full stop shortens: "No. 5", "5 ft. 10 in.", a journal's year."""
    if word in _BEFORE_NUMBERS and lead[:1].isdigit():
        return True
    return _ISSUE.match(lead) is not None or (unit and _QUANTITY.match(lead) is not None)


def _last_word(before: str) -> str:
    found = _WORD.search(before)
    return found.group() if found else ""


def _full_stop_ends(before: str, following: str, *, line_break: bool) -> bool:
    word = _last_word(before)
    acronym = len(word) > 1 and word.isupper() and "." not in word and word not in {"DR", "NO"}
    lowered = "" if acronym else word.lower()  # MS is an illness, Ms a title
    lead = following.lstrip(_OPENERS)
    first = _FIRST_WORD.match(lead)
    begins = first.group(1).lower() if first else ""
    unit = lowered in _UNITS and re.search(r"\d\s?[a-z]+$", before) is not None
    if lowered in _JOINING or _number_follows(lowered, lead, unit=unit):
        ends = False
    elif lowered in _TITLES:
        ends = begins in _AFTER_TITLES
    elif lowered in {"a.m", "p.m", "am", "pm"}:
        ends = begins in _STARTERS or (lead[:1].isupper() and not _CALENDAR.match(lead))
    elif not unit and (lowered in _MIDDLE or _DOTTED.fullmatch(lowered)):
        ends = begins in _STARTERS or (lowered in _PLACES and _CLAUSE.match(lead) is not None)
    elif _INITIAL.search(before) and not _LETTERED.search(before):
        ends = begins in _STARTERS  # an initial: "J. Smith"
    elif following[0].islower() and not _INNER_CAPITAL.match(following):
        casual = line_break or (len(word) != 1 and _CASUAL.match(following) is not None)
        ends = casual and not unit and lowered not in _KNOWN
    else:
        ends = True
    return ends
