"""Choosing and ordering the sentences of an answer. No model writes a word here."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from index.hits import SentenceHit
from service.answering.following_up import RETURNS

MAX_SENTENCES = 5
MAX_WORDS = 90
RELATIVE_COSINE = 0.75
"""A sentence whose cosine is below this share of the first one's is left out: what else a collection holds moves the
weight of words, but no cosine."""

REPEAT_OVERLAP = 0.6
"""Share of common stems from which two sentences say the same."""

Stems = Callable[[str], list[str]]


def choose_sentences(parts: Sequence[Sequence[SentenceHit]], stems: Stems) -> list[list[SentenceHit]]:
    """Choose the sentences that answer each part of a question.

    Args:
        parts: For each part of the question its sentences, best first.
        stems: Stems of a text, by which repeats are noticed.

    Returns:
        The chosen sentences a part, best first; parts take turns until five sentences or about 90 words are
        reached. A repeat of a chosen sentence is left out.
    """
    chosen: list[list[SentenceHit]] = [[] for _ in parts]
    taken: list[set[str]] = []
    words = 0
    queues = [list(hits) for hits in parts]
    while any(queues) and sum(map(len, chosen)) < MAX_SENTENCES:
        for number, queue in enumerate(queues):
            hit = _next(queue, parts[number], taken, stems)
            if hit is None:
                queue.clear()
                continue
            length = len(hit.text.split())
            total = sum(map(len, chosen))
            if total and (words + length > MAX_WORDS or total >= MAX_SENTENCES):
                if chosen[number]:
                    queue.clear()
                    continue
                if total >= MAX_SENTENCES:
                    break
            chosen[number].append(hit)
            taken.append(set(stems(hit.text)))
            words += length
    return chosen


def prefer(question: str, hits: Sequence[SentenceHit]) -> list[SentenceHit]:
    """Order sentences anew by what the question asks for.

    A definition is looked for under "What is …" headings, first sentences first; a duration or a number in sentences
    that have one; a cause, a treatment or the time for a doctor under headings that say so.

    Args:
        question: One part of a question.
        hits: Sentences, best first.

    Returns:
        The same sentences with their scores raised by at most 0.1; equal scores keep their order.
    """
    bonuses = [(pattern, bonus) for pattern, bonus in _PREFERENCES if pattern.search(question)]
    raised = [
        replace(hit, score=hit.score + min(0.1, sum(bonus(hit) for _, bonus in bonuses))) if bonuses else hit
        for hit in hits
    ]
    return sorted(raised, key=lambda hit: -hit.score)


def put_back_others(question: str, hits: Sequence[SentenceHit], whole: str = "") -> list[SentenceHit]:
    """Put sentences on another illness behind those on the one that is asked about.

    Kidney stones and kidney infections share nearly all words, and what holds for one may be wrong for the other.

    Args:
        question: One part of a question.
        hits: Sentences, best first.
        whole: All of it, which names the illness where that part does not.

    Returns:
        The same sentences; where the question names an illness, those that stand under or name only others, or only the
        back where neither the question nor the illness has to do with it, have lost 0.2 of score and cosine. Equal
        scores keep their order.
    """
    asked = _illnesses(question) or _illnesses(whole)
    if not asked:
        return list(hits)
    back = bool(asked & _OF_THE_BACK) or _names_back(f"{question} {whole}")
    placed = []
    for hit in hits:
        where = f"{hit.passage.context} {hit.text}"
        told = _illnesses(where)
        other = not told & asked and (bool(told) or (not back and _names_back(where)))
        placed.append(replace(hit, score=hit.score - _OTHER, cosine=hit.cosine - _OTHER) if other else hit)
    return sorted(placed, key=lambda hit: -hit.score)


def _illnesses(text: str) -> set[int]:
    return {number for number, pattern in enumerate(_ILLNESSES) if pattern.search(text)}


_OTHER = 0.2
_ILLNESSES = tuple(
    re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for words in (
        r"kidney ?stones?|renal (?:stones?|colic)|stones? in (?:(?:my|the|his|her|your) )?kidneys?",
        r"kidney infections?|pyelonephritis|infected kidneys?|infections? (?:of|in) (?:(?:my|the|his|her|your) )?kidneys?",
        r"gall ?stones?|gall ?bladders?",
        r"tumou?rs?",
        r"cauda equina",
        r"tether(?:ed|ing)?",
    )
)
"""Illnesses that each have pages of their own."""

_OF_THE_BACK = _illnesses("tumor, cauda equina, tethered cord")
_BACK = re.compile(
    r"\b(?:backs?|back ?aches?|spine|spinal|spasms?|lumbar|lumbago|sciatic\w*|(?:slipped )?dis[ck]s?|vertebra\w*)\b",
    re.IGNORECASE,
)
_BACK_AGAIN = re.compile(
    r"\b(?:is|are|was|were|gr[oe]ws?|growing|form(?:s|ing)?) back(?=\W*(?:$|[.,;?!]|again\b))", re.IGNORECASE
)


def _names_back(text: str) -> bool:
    return _BACK.search(_BACK_AGAIN.sub(" ", RETURNS.sub(" ", text))) is not None


def _under(pattern: str, worth: float) -> Callable[[SentenceHit], float]:
    heading = re.compile(pattern, re.IGNORECASE)

    def bonus(hit: SentenceHit) -> float:
        return worth if hit.passage.heading_path and heading.search(hit.passage.heading_path[-1]) else 0.0

    return bonus


def _saying(pattern: str, worth: float) -> Callable[[SentenceHit], float]:
    words = re.compile(pattern, re.IGNORECASE)

    def bonus(hit: SentenceHit) -> float:
        return worth if words.search(hit.text) else 0.0

    return bonus


def _first_in_section(worth: float) -> Callable[[SentenceHit], float]:
    def bonus(hit: SentenceHit) -> float:
        heading = hit.passage.heading_path[-1].lower() if hit.passage.heading_path else ""
        defining = heading.startswith(("what is", "what are", "what does"))
        return worth if defining and hit.span == hit.passage.sentences[0] else 0.0

    return bonus


_IGNORE = re.IGNORECASE
_DEFINITION = re.compile(
    r"^(?:so |and |ok |hi |hello )*(?:what(?:'s| is| are|s)|define|meaning of|explain)\b(?!.*\b(?:best|good|should|treatments?|causes?|symptoms?|signs?|risks?|tests?|difference|helps?)\b)",
    _IGNORE,
)
_PREFERENCES: tuple[tuple[re.Pattern[str], Callable[[SentenceHit], float]], ...] = (
    (_DEFINITION, _under(r"^what (?:is|are|does)\b", 0.03)),
    (_DEFINITION, _first_in_section(0.05)),
    (
        re.compile(r"\bhow (?:long|soon|fast|quick)", _IGNORE),
        _saying(r"\b(?:hours?|days?|weeks?|months?|minutes?|years?)\b", 0.05),
    ),
    (
        re.compile(r"\bhow (?:many|much|common|often)|\b(?:percent|number of|share)\b", _IGNORE),
        _saying(r"\d|\b(?:half|most|few|rare)", 0.04),
    ),
    (
        re.compile(
            r"\b(?:why|causes?|caused|reasons?|triggers?|come(?:s|ing)? from|set(?:s|ting)? (?:\w+ ){0,3}off|"
            r"bring(?:s|ing)? (?:\w+ ){0,3}on|behind|to blame|how (?:do|does|did) (?:\w+ ){1,2}(?:get|catch))\b",
            _IGNORE,
        ),
        _under(r"\b(?:why|causes?|come from|brings? on|set off|makes?)\b", 0.05),
    ),
    (
        re.compile(
            r"\b(?:symptoms?|signs?|feels? like|looks? like|show(?:s|ing)? (?:itself|themselves|up)|notice[sd]?|"
            r"how (?:do|does|would|can|will) (?:\w+ )(?:know|tell)|where (?:do|does|is|can) .*(?:pain|hurts?|feel|go))\b",
            _IGNORE,
        ),
        _under(r"\b(?:symptoms?|signs?|feel|look like|hurt)\b", 0.05),
    ),
    (
        re.compile(
            r"\b(?:what (?:should|can|do|shall) (?:i|we|you|they) do|(?:be|is|are) done|treat(?:ed|ments?|s|ing)?|cures?|fix(?:ed)?|helps?|"
            r"eas(?:e|es|ing)|rid of|(?:make|makes) (?:\w+ ){0,3}(?:stop|better|go away|let go))\b",
            _IGNORE,
        ),
        _under(r"\b(?:help|ease|treat|relie[fv]|home|do for|do about|do first)", 0.05),
    ),
    (
        re.compile(
            r"\b(?:tests?|tested|scans?|diagnos\w+|detect\w*|find (?:it|them|out)|found out|mri|x-?rays?)\b", _IGNORE
        ),
        _under(r"\b(?:tests?|find out|diagnos|scan)", 0.05),
    ),
    (
        re.compile(
            r"\b(?:prevent\w*|avoid\w*|coming back|come back|returns?|lower (?:\w+ ){0,3}(?:risk|chance))\b", _IGNORE
        ),
        _under(r"\b(?:prevent|avoid|lower|keep|coming back|come back)\b", 0.05),
    ),
    (
        re.compile(r"\b(?:who|risk|likel(?:y|ier|iest)|prone)\b", _IGNORE),
        _under(r"\b(?:who|risk|likely)\b", 0.05),
    ),
    (
        re.compile(r"\b(?:doctor|gp|hospital|a&e|appointment|get help|seen|checked|serious|worr(?:y|ied))\b", _IGNORE),
        _under(r"\b(?:doctor|medical help|emergency|right away|serious|warning)", 0.04),
    ),
    (
        re.compile(
            r"\b(?:er|a&e|emergency|hospital|ambulance|999|911|112|urgent(?:ly)?|right away|straight away)\b", _IGNORE
        ),
        _saying(r"\b(?:right away|emergency|at once|immediate)", 0.06),
    ),
)


def order_sentences(hits: Sequence[SentenceHit]) -> list[SentenceHit]:
    """Order the sentences of one part: the direct answer first, then each source's run in its own order."""
    if not hits:
        return []
    sources = list(dict.fromkeys(hit.passage.source_id for hit in hits))
    rest = sorted(hits[1:], key=lambda hit: (sources.index(hit.passage.source_id), hit.span.start))
    return [hits[0], *rest]


def _next(
    queue: list[SentenceHit], hits: Sequence[SentenceHit], taken: Sequence[set[str]], stems: Stems
) -> SentenceHit | None:
    floor = hits[0].cosine * RELATIVE_COSINE if hits else 0.0
    while queue:
        hit = queue.pop(0)
        if hit.cosine < floor:
            continue
        own = set(stems(hit.text))
        if own and not any(len(own & other) / len(own | other) >= REPEAT_OVERLAP for other in taken):
            return hit
    return None
