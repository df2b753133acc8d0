"""Whether a sentence says what its quote says and nothing else, by its words alone.

The measure of a reworded sentence, strict on purpose. A quote falls into clauses. Every telling word of the sentence
must stand in clauses that it tells whole; what a clause says beside it (how often, how surely, for how many, not) must
stay with its word; and the order of the words may change only as far as it does when a clause is moved or a sentence
is turned into the passive. What passes is the quote in another order with other small words and a few equals. What a
reader would accept may still fail; then the quote itself is there to be shown.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

from index.stemming import stems

Flaw = Literal["numbers", "names", "wording", "scope", "strength", "negation", "order", "address"]

_PHRASES: Final = tuple(
    (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), f" {instead} ")
    for pattern, instead in (
        (r"(?:right|straight) away|at once|immediately", "immediately"),
        (r"(?:right|straight) after", "straightafter"),
        (r"at most|no more than|not more than|up to", "atmost"),
        (r"at least|no less than|not less than", "atleast"),
        (r"sold without a prescription", "overthecounter"),
        (r"over[- ]the[- ]counter", "overthecounter"),
        (r"set(?:s|ting)? off|trigger(?:s|ed|ing)?", "trigger"),
        (r"in general|as a rule", "generally"),
        (r"in most cases|most of the time", "usually"),
        (r"at times|now and then|from time to time", "sometimes"),
        (r"have to|has to|had to", "must"),
        (r"a while", "awhile"),
        (r"health ?care providers?", "provider"),
        (r"one(?= (?:to|or) (?:two|three|four|[2-4])\b)", "1"),
    )
)
_WORD: Final = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’.-][^\W\d_]+)*|%")
_BOUNDARY: Final = re.compile(r"\s*[;:()–—,]\s*")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9“\"])")
_ADDRESS: Final = re.compile(
    r"https?:|www\.|\b[\w-]+\.(?:com|org|net|gov|edu|io|info|example|test|[a-z]{2}/)", re.IGNORECASE
)

_NUMBERS: Final = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
        " seventeen eighteen nineteen twenty".split()
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90", "hundred": "100", "%": "percent"}
_IRREGULAR: Final = {
    form: base
    for base, forms in {
        "feel": "felt", "take": "took taken", "give": "gave given", "find": "found", "make": "made", "see": "saw seen",
        "go": "went gone", "grow": "grew grown", "keep": "kept", "hold": "held", "know": "knew known", "get": "got",
        "begin": "began begun", "child": "children", "woman": "women", "man": "men", "foot": "feet", "think": "thought",
        "vertebra": "vertebrae", "drug": "drugs", "bring": "brought", "lie": "lay lain", "break": "broke broken",
        "run": "ran", "wear": "wore worn", "spread": "spreads", "say": "says said", "tell": "told", "show": "shown",
    }.items()
    for form in forms.split()
}  # fmt: skip
_EQUALS: Final = {
    stem: one
    for group in (
        "pee urine", "lower reduce decrease lessen", "raise increase", "doctor physician", "medicine medication drug",
        "belly abdomen abdominal", "start begin", "quickly fast", "almost nearly", "hot heat", "bones bone",
        "disk disc", "tumor tumour", "swollen swelling", "backache backaches", "diarrhea diarrhoea", "ease relieve",
    )
    for one in stems(group.split()[0])
    for stem in stems(group)
}  # fmt: skip
"""Words that the digests and their readers use for each other."""

_UNITS: Final = frozenset(
    stems("seconds minutes hours days weeks months years percent mg mcg g ml litres liters cm mm inches degrees times")
)

_SMALL: Final = frozenset(
    "a an the this that these those it its he she his her him they them their there here you your yours we us our i my "
    "me one's someone somebody oneself who whom whose which what where how why of in on at for to from by with as into "
    "onto upon about and or but so nor yet if when whenever while whereas though although because since than be is am "
    "are was were been being do does did have has had having get gets getting then also too even still such like "
    "including includes other others else own itself themselves yourself very quite well any it's that's there's one "
    "ones need needs example examples s t ll ve re d m".split()
)
"""Words that join and point; what they do is held by order and strength."""

_TELLERS: Final = frozenset(
    "say says said according states stated notes noted reports reported writes wrote adds tells told".split()
)
_PAGES: Final = frozenset(
    "fact sheet page pages manual edition older blog review editorial encyclopedia article guideline".split()
)

_PLACES: Final = frozenset("in of at for from with on under".split())

_STRENGTHS: Final = {
    word: kind
    for kind, words in {
        "not": "not no never none neither nobody nothing without cannot",
        "possible": "may might can could possibly perhaps",
        "sometimes": "sometimes occasionally",
        "some": "some certain",
        "few": "few rarely seldom hardly uncommon rare unlikely",
        "often": "often frequently commonly",
        "usual": "usually generally typically normally mostly",
        "many": "many",
        "most": "most majority",
        "likely": "likely probably",
        "should": "should ought",
        "must": "must",
        "sure": "will would always certainly definitely surely certain sure",
        "all": "all every everyone everybody anyone anybody",
        "only": "only solely",
    }.items()
    for word in words.split()
}
_KEPT_BY: Final = {
    "possible": {"possible", "sometimes", "some"},
    "sometimes": {"sometimes", "possible", "some"},
    "some": {"some", "sometimes"},
    "often": {"often"},
    "usual": {"usual", "most"},
    "most": {"most", "usual"},
}
"""Which words may stand for a strength of the quote, where others than its own may."""

_LEADING: Final = frozenset({"usual", "often", "sometimes"})
_LED: Final = 5
"""Strengths that may open a sentence, and how many telling words behind them they may belong to."""

_CONDITIONS: Final = frozenset("if when whenever".split())
_LIMITS: Final = frozenset("if when whenever unless until except only".split())
_RELATIVES: Final = frozenset("that which who".split())
_PRONOUNS: Final = frozenset("it they them".split())
_BE: Final = frozenset("be is are was were been being".split())
_MAY_GO: Final = re.compile(
    r"(?:which|who|including|such as|like|for example|and|or|but|though|although|while|whereas|so|because)\b",
    re.IGNORECASE,
)
"""How a clause begins that may be left out: it adds something, and limits nothing."""

_ORDERS: Final = re.compile(
    r"(?:^|\b(?:to|and|then|says|say)\s+|[,;:]\s+)(?:first\s+)?(?:see|call|go|get|seek|ask|keep|avoid|stop|start|use|put|apply|try|take|lie|lift|stretch"
    r"|walk|move|drink|wear|sleep|bend|hold|sit|stand|tell|talk|rest|aim|make|visit|limits?|empty)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    """A word: ``stem`` for telling words, ``kind`` for strengths; a name or teller is ``aside``."""

    word: str
    stem: str
    kind: str
    aside: bool
    clause: int


@dataclass(frozen=True, slots=True)
class _Read:
    """A text as tokens and clauses; ``may_go`` says which clauses may be left out."""

    tokens: tuple[_Token, ...]
    may_go: tuple[bool, ...]

    def told(self, clause: int) -> frozenset[str]:
        return frozenset(t.stem for t in self.tokens if t.clause == clause and t.stem and not t.aside)


def flaws(sentence: str, quote: str) -> tuple[Flaw, ...]:
    """Return what keeps a sentence from saying just what a quote says; nothing when it does.

    Args:
        sentence: One sentence.
        quote: One sentence of a source, or several that follow each other.
    """
    if _ADDRESS.search(sentence):
        return ("address",)
    said, read = _read(" ".join(sentence.split())), _read(" ".join(quote.split()))
    words = {token.stem for token in said.tokens if token.stem}
    whole = [n for n in range(len(read.may_go)) if read.told(n) and read.told(n) <= words]
    there = [token for token in read.tokens if token.clause in whole]
    known = {token.stem for token in there} | {token.stem for token in read.tokens if token.aside}
    found: list[Flaw] = []
    strange = [t for t in said.tokens if t.stem and t.stem not in known and t.word not in _TELLERS]
    if strange:
        found.append(_kind_of(strange))
    if not whole or _drops_a_limit(read, whole):
        found.append("scope")
    measured = set(_measures(there))
    if set(_measures(said.tokens)) != {(number, unit) for number, unit in measured if number in words}:
        found.append("numbers")
    found += _flaws_of_strength(said.tokens, there, quote)
    if not strange and not _order_holds(said.tokens, there):
        found.append("order")
    return tuple(dict.fromkeys(found))


def _kind_of(strange: Sequence[_Token]) -> Flaw:
    if any(token.stem[0].isdigit() for token in strange):
        return "numbers"
    return "names" if any(token.aside for token in strange) else "wording"


@lru_cache(maxsize=512)
def _read(text: str) -> _Read:
    """Cut a text into clauses and those into tokens; what tells nothing alone ("rarely") belongs to what follows."""
    tokens: list[_Token] = []
    may_go: list[bool] = []
    for sentence in _SENTENCE_END.split(text):
        at = 0
        waiting: list[_Token] = []
        for start, end in [*(match.span() for match in _BOUNDARY.finditer(sentence)), (len(sentence), len(sentence))]:
            piece = sentence[at:start].strip()
            mark = sentence[max(0, at - 2) : at].strip()[-1:]
            own = list(_tokens(piece, len(may_go), first=at == 0))
            at = end
            if not any(token.stem for token in own):
                waiting += own
                continue
            limits = any(token.word in _LIMITS for token in own)
            free = (not limits and bool(_MAY_GO.match(piece) or mark in {"(", ";"})) or _only_tells_who(own)
            may_go.append(free and not any(token.kind for token in waiting))
            tokens += [*waiting, *own]
            waiting = []
        tokens += [replace(token, clause=max(0, len(may_go) - 1)) for token in waiting]
    return _Read(tuple(tokens), tuple(may_go))


def _only_tells_who(clause: Sequence[_Token]) -> bool:
    """Whether a clause only says who says it: "a review of 2020 says"."""
    telling = [token for token in clause if token.stem]
    tellers = [at for at, token in enumerate(telling) if token.word in _TELLERS]
    if all(token.aside for token in telling):
        return True
    first = telling[0].aside or telling[0].stem[0].isdigit()
    return first and bool(tellers) and all(t.aside or t.stem[0].isdigit() for t in telling[tellers[-1] :])


def _tokens(piece: str, clause: int, *, first: bool) -> Iterator[_Token]:
    for pattern, instead in _PHRASES:
        piece = pattern.sub(instead, piece)
    words = [re.sub(r"'s$|s'$", "", word) for word in _WORD.findall(piece.replace("’", "'"))]
    for word, name in zip(words, _names(words, first=first), strict=True):
        lowered = word.lower()
        denied = lowered.endswith("n't") or lowered == "cannot"
        kind = "not" if denied else _STRENGTHS.get(lowered, "")
        small = lowered in _SMALL or lowered.endswith(("'re", "'ve", "'ll"))
        short = len(word) > 1 and word.isupper()  # WHO is no "who"
        stem = "" if (kind or small) and not short else _stem(lowered)
        yield _Token(lowered, stem, "" if stem else kind, name or lowered in _TELLERS or lowered in _PAGES, clause)


def _names(words: Sequence[str], *, first: bool) -> list[bool]:
    """Say which words name who tells: capitals at the start of a sentence, or in a clause that tells who says it.

    What stands after "in", "of" and the like is a place or a kind, and limits what is told: no such name.
    """
    tells = any(word.lower() in _TELLERS | _PAGES for word in words)
    names: list[bool] = []
    for at, word in enumerate(words):
        capital = word[:1].isupper()
        if at == 0 and first:
            after = words[1] if len(words) > 1 else ""
            capital = capital and (
                any(char.isupper() for char in word[1:]) or after[:1].isupper() or after.lower() in _TELLERS
            )
        begin = next((n for n in range(at - 1, -1, -1) if not names[n] and words[n].lower() != "the"), None)
        opening = first and all(names[n] or words[n].lower() in {"a", "an", "the", "older"} for n in range(at))
        place = begin is not None and words[begin].lower() in _PLACES
        names.append(capital and (tells or opening) and not place)
    return names


def _stem(word: str) -> str:
    if word in _NUMBERS:
        return _NUMBERS[word]
    if word[0].isdigit():
        return word.replace(",", "")
    found = stems(_IRREGULAR.get(word, word)) or [word]
    return _EQUALS.get(found[0], "-".join(found))


def _measures(tokens: Sequence[_Token]) -> Iterator[tuple[str, str]]:
    """Yield each number with its unit."""
    telling = [token for token in tokens if token.stem and not token.aside]
    for at, token in enumerate(telling):
        unit = next((t.stem for t in telling[at + 1 : at + 3] if t.clause == token.clause and t.stem in _UNITS), "")
        if token.stem[0].isdigit() and unit:
            yield token.stem, unit


def _drops_a_limit(read: _Read, whole: Sequence[int]) -> bool:
    """Whether a clause is left out, or told by half, that limits what is told.

    A clause that may go takes those along that follow it without a mark of their own, to the end.
    """
    gone = False
    for clause in range(len(read.may_go)):
        if clause in whole:
            gone = False
        elif read.told(clause):
            gone = read.may_go[clause] or (gone and clause > max(whole))
            if not gone:
                return True
    return False


def _flaws_of_strength(said: Sequence[_Token], there: Sequence[_Token], quote: str) -> Iterator[Flaw]:
    """Yield what differs in how surely, how often, for how many, and whether at all.

    Each such word of the quote has one of its own in the sentence beside the same telling word; there are no more.
    """
    left = list(_strengths(said))
    for kind, near in _strengths(there):
        kept = [one for one in left if one[0] in _KEPT_BY.get(kind, {kind}) and near & one[1]]
        if kept:
            left.remove(next((one for one in kept if one[0] == kind), kept[0]))
        else:
            yield "negation" if kind == "not" else "strength"
    for kind, _ in left:
        if kind != "possible" and not (kind == "should" and _ORDERS.search(quote)):
            yield "negation" if kind == "not" else "strength"
    kept_conditions = [set(words) for words in _after(said, _CONDITIONS | _RELATIVES)]
    if any(words and not any(words[0] in kept for kept in kept_conditions) for words in _after(there, _CONDITIONS)):
        yield "scope"
    asked, told = ({t.word for t in tokens} for tokens in (there, said))
    if ("or" in told) != ("or" in asked) and ("and" in told) != ("and" in asked):
        yield "wording"


def _after(tokens: Sequence[_Token], words: frozenset[str]) -> Iterator[list[str]]:
    """Yield the few telling words after each of some words."""
    for at, token in enumerate(tokens):
        if token.word in words:
            yield [t.stem for t in tokens[at + 1 :] if t.stem and not t.aside][:_LED]


def _strengths(tokens: Sequence[_Token]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each strength with the telling words next to it; a pronoun there stands for the first ones of all."""
    for at, token in enumerate(tokens):
        if not token.kind:
            continue
        before = next((t.stem for t in reversed(tokens[:at]) if t.stem and not t.aside), "")
        behind = [n for n in range(at + 1, len(tokens)) if tokens[n].stem and not tokens[n].aside]
        near = {before, *(tokens[n].stem for n in behind[:1])}
        if token.kind in _LEADING and not before:
            near |= {tokens[n].stem for n in behind[:_LED]}
        if any(t.word in _PRONOUNS for t in tokens[at + 1 : behind[0] if behind else len(tokens)]):
            near |= {t.stem for t in [t for t in tokens if t.stem and not t.aside][:2]}
        yield token.kind, frozenset(near - {""})


def _order_holds(said: Sequence[_Token], there: Sequence[_Token]) -> bool:
    """Whether words follow each other as in the quote, but for one moved clause, or a passive."""
    places: dict[str, list[int]] = {}
    for at, token in enumerate(there):
        if token.stem and not token.aside:
            places.setdefault(token.stem, []).append(at)
    told = [at for at, token in enumerate(said) if token.stem in places and not token.aside]
    steps = dict.fromkeys(places[said[told[0]].stem], 0) if told else {}
    for before, now in pairwise(told):
        joined = any(token.word in {"and", "or"} for token in said[before + 1 : now])
        steps = {
            place: min(moves + _is_move(last, place, there, joined=joined) for last, moves in steps.items())
            for place in places[said[now].stem]
        }
    moves = min(steps.values(), default=0)
    words = [token.word for token in said]
    passive = "by" in words and bool(_BE & set(words))
    return moves <= (2 if passive != _is_passive(there) else 1)


def _is_passive(tokens: Sequence[_Token]) -> bool:
    words = {token.word for token in tokens}
    return "by" in words and bool(_BE & words)


def _is_move(last: int, place: int, there: Sequence[_Token], *, joined: bool) -> bool:
    """Whether going from one place of the quote to the other is a step back; two joined words may change places."""
    if place >= last:
        return False
    between = [token for token in there[place + 1 : last] if token.stem]
    return not (joined and not between and any(t.word in {"and", "or"} for t in there[place:last]))
