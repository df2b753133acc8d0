"""What the agent reads, and what the customer may be sent: lines made of a reply.

Order of a note: triage line, draft, sources, machine line. A draft holds no probability, no rule and no name of ours.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from service.answering.records import Abstention, Citation, Differing, Reply
from service.helpdesk.events import Line
from service.printing import EVIDENCE
from service.settings import Settings
from service.triage.records import Level, MatchedRule, Notice

_HEAD: Final = Line("[Backline, private note: the customer cannot see this]")
_CONTACT: Final = {
    Level.EMERGENCY: "EMERGENCY: contact the customer now.",
    Level.TODAY: "TODAY: contact the customer today.",
    Level.SOON: "NEXT FEW DAYS: ask them to book an appointment.",
    Level.INFO: "GOOD TO KNOW: the question is about a danger, not about the customer.",
}
_ASK: Final = {
    Level.EMERGENCY: "Ask whether help is on its way.",
    Level.TODAY: "Ask whether somebody can see them today.",
}
_SILENCE: Final = {
    "out_of_scope": "not about back pain",
    "nothing_found": "nothing found in the sources",
    "personal_advice": "asks for a personal dose or diagnosis",
    "not_in_sources": "not in the sources",
    "unclear": "no clear question",
    "not_screened": "in a language that is not checked for warning signs",
}


def silence_reason(reply: Reply) -> str:
    """Return why there is no draft, in a few words."""
    abstention = reply.answer.abstention
    return "the sources hold nothing that may be said here" if abstention is None else _SILENCE[abstention.reason]


def note_lines(reply: Reply, settings: Settings, marker: str, url: str = "") -> tuple[Line, ...]:
    """Return the private note on one message of a customer.

    Args:
        reply: The reply.
        settings: The settings.
        marker: What tells this note from every other.
        url: Where an agent sees all passages and says what is wrong, or "".
    """
    lines = [_HEAD]
    notice = reply.notice
    answer = reply.answer
    urgent = notice is not None and notice.urgent
    if notice is not None:
        lines += _triage_lines(notice)
    numbers = number_citations(answer.citations)
    if urgent and notice is not None:
        lines += [Line("SAFETY TEXT (no ordinary draft)", "strong"), *safety_lines(reply, settings)]
    elif answer.abstention is not None or not answer.sentences:
        lines += _silence_lines(reply)
    else:
        lines += [Line("DRAFT REPLY (check before you send)", "strong"), *_draft_body(reply, numbers)]
        lines += [Line("SOURCES", "strong")]
        lines += [Line(f"[{n}] {_source(citation)}", url=citation.url) for n, citation in _numbered(answer.citations)]
    machine = _machine_line(reply, marker)
    return (*lines, Line(f"{machine} | feedback:", url=url) if url else Line(machine))


def draft_lines(reply: Reply) -> tuple[Line, ...]:
    """Return what may be sent to the customer: the answer with its sources."""
    numbers = number_citations(reply.answer.citations)
    return (*_draft_body(reply, numbers), Line("Sources", "strong"), *_public_sources(reply), Line(reply.disclaimer))


def safety_lines(reply: Reply, settings: Settings) -> tuple[Line, ...]:
    """Return what a customer must hear under a warning: the notice, whom to call, what the sources say on it."""
    notice = reply.notice
    if notice is None:
        return ()
    lines = [Line(f"{notice.title}.", "strong")]
    if notice.level is Level.EMERGENCY:
        first = settings.crisis_lines if notice.self_harm else ()
        lines.append(Line(f"Call {', '.join((*first, *settings.emergency_numbers))} or your local emergency number."))
    lines += [Line(text) for text in (notice.how, notice.message) if text]
    lines += [Line(text, "item") for text in notice.conditional if text not in notice.message]
    if notice.level is Level.EMERGENCY and reply.answer.sentences:
        numbers = number_citations(reply.answer.citations)
        lines += [Line(text) for text in _sentences(reply, numbers)]
        lines += _public_sources(reply)
    return tuple(lines)


def too_long_lines(notice: Notice | None, marker: str, letters: int, limit: int) -> tuple[Line, ...]:
    """Return the note on a message that is longer than what is read; its warning signs were looked for."""
    reason = f"No draft: the message has {letters:,} characters, more than {limit:,}. Please read it yourself."
    warning = [] if notice is None else _triage_lines(notice)
    return (_HEAD, *warning, Line(reason, "strong"), Line(f"note {marker}"))


def number_citations(citations: Sequence[Citation]) -> Mapping[str, int]:
    """Return the number of each citation, from 1; citations of one section of one page share theirs."""
    pages = list(dict.fromkeys(_page(citation) for citation in citations))
    return {citation.id: pages.index(_page(citation)) + 1 for citation in citations}


def _numbered(citations: Sequence[Citation]) -> Iterator[tuple[int, Citation]]:
    """Yield the first citation of each number."""
    first = {_page(citation): citation for citation in reversed(citations)}
    return enumerate((first[page] for page in dict.fromkeys(map(_page, citations))), start=1)


def _page(citation: Citation) -> tuple[str, ...]:
    return (citation.title, citation.publisher, citation.url, citation.evidence, *citation.passage.heading_path)


def _triage_lines(notice: Notice) -> list[Line]:
    said = "; ".join(_matched(rule) for rule in notice.rules if rule.matched)
    asked = " ".join(notice.conditional)
    parts = [
        f"Matched {said}." if said else "",
        _ASK.get(notice.level, ""),
        f"Also ask about the signs in “{asked}”" if asked else "",
    ]
    return [Line(" ".join(filter(None, parts)), lead=_CONTACT[notice.level])]


def _matched(rule: MatchedRule) -> str:
    where = " in an earlier message" if rule.turn < 0 else ""
    return f"“{rule.matched}” ({rule.id}){where}"


def _draft_body(reply: Reply, numbers: Mapping[str, int]) -> list[Line]:
    lines = []
    if reply.notice is not None and reply.notice.level is Level.SOON:
        lines.append(Line(reply.notice.message))
    lines += [Line(text) for text in _sentences(reply, numbers)]
    lines += [Line(f"Not in the sources: {part}") for part in reply.answer.missing]
    for differing in reply.answer.differences:
        lines += _differing_lines(differing, numbers)
    return lines


def _differing_lines(differing: Differing, numbers: Mapping[str, int]) -> list[Line]:
    lines = [Line(f"The sources differ: {differing.topic}")]
    lines += [Line(side.text + _marks(side.citation_ids, numbers), "item") for side in differing.positions]
    if differing.care:
        lines.append(Line("If they differ on when to get help, go by the earliest time."))
    return lines


def _sentences(reply: Reply, numbers: Mapping[str, int]) -> list[str]:
    return [sentence.text + _marks(sentence.citation_ids, numbers) for sentence in reply.answer.sentences]


def _marks(citation_ids: Sequence[str], numbers: Mapping[str, int]) -> str:
    return "".join(f" [{number}]" for number in dict.fromkeys(numbers[name] for name in citation_ids))


def _silence_lines(reply: Reply) -> list[Line]:
    lines = [Line(f"No draft: {silence_reason(reply)}.", "strong")]
    abstention: Abstention | None = reply.answer.abstention
    if abstention is None:
        return lines
    lines.append(Line(abstention.message))
    if abstention.nearest:
        lines.append(Line("NEAREST PASSAGES", "strong"))
        lines += [Line(f"“{c.quote}” {c.title}, {c.publisher}.", "item", c.url) for c in abstention.nearest]
    return lines


def _source(citation: Citation) -> str:
    heading = f", “{citation.passage.heading_path[-1]}”" if citation.passage.heading_path else ""
    evidence = EVIDENCE[citation.evidence]
    kind = f"Our digest. {evidence[0].upper()}{evidence[1:]}" if citation.source.digest else "Quoted"
    date = f"dated {citation.published}" if citation.published else "date not known"
    credit = f" {citation.credit.rstrip('.')}." if citation.credit else ""
    return f"{citation.title}, {citation.publisher}{heading}. {kind}; {date}.{credit}"


def _public_sources(reply: Reply) -> list[Line]:
    lines = []
    for number, citation in _numbered(reply.answer.citations):
        kind = " Our own summary of this page." if citation.source.digest else ""
        credit = f" {citation.credit.rstrip('.')}." if citation.credit else ""
        lines.append(Line(f"[{number}] {citation.title}, {citation.publisher}.{kind}{credit}", url=citation.url))
    return lines


def _machine_line(reply: Reply, marker: str) -> str:
    parts = []
    if reply.answer.sentences:
        digests = any(citation.source.digest for citation in reply.answer.citations)
        parts.append(f"Word for word from {'our digests' if digests else 'the sources'}, no AI writing")
    parts += [f"answer {reply.id}", f"snapshot {reply.snapshot_id.removeprefix('snap_')[:6]}"]
    probability = reply.answer.probability
    if probability is not None and reply.answer.sentences:
        name, _, version = probability.calibrated_on.partition(" sha256:")
        parts.append(f"probability {probability.value:.2f} ({name} {version[:6]})".replace(" )", ")"))
    return " | ".join([*parts, f"note {marker}"])
