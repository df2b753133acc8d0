"""Candidate questions from a user's own documents, for a person to read, mend and approve.

Nothing here understands a text. A heading says what stands under it, and a sentence of the form "X is a Y" says what
X is: both make a question whose answer is known to stand in the document. Such questions use the document's own
words, which people who look for help do not: a set of drafts alone flatters every system. docs/writing-questions.md
says what to do with them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import UnreadableDocumentError
from corpus.reading.door import read_path
from corpus.reading.read_document import ReadDocument
from corpus.sandbox import Sandbox
from corpus.sentences import split_sentences
from eval.errors import DraftError

_DEFINITION = re.compile(
    r"(?P<article>(?:An?|The)\s+)?(?P<term>[A-Za-z][\w'’-]*(?:\s+[\w'’-]+){0,3}?)\s+(?P<verb>is|are|means)\s+"
    r"(?P<rest>(?:an?|the|any|what|when|where)\s.+)"
)
_POINTING = frozenset(
    "this that these those it they there he she we you i here what which who one some many most".split()
)
_ASKING = frozenset(
    "how what when where which who why can may do does is are should must will could would has have".split()
)
_GERUND = re.compile(r"([A-Za-z]+)ing\b")
_LONGEST_SAYING = 120
_NOTE = "drafted from {place}; ask it the way people do, keep of say the words that a right answer cannot do without"


@dataclass(frozen=True, slots=True)
class Draft:
    """One candidate.

    Attributes:
        question: What might be asked.
        source: Title of the document that answers it.
        saying: Words of the document that answer it.
        place: Where they stand, for whoever approves.
    """

    question: str
    source: str
    saying: str
    place: str


def draft_questions(paths: Iterable[Path]) -> tuple[list[Draft], list[str]]:
    """Draft from files and folders.

    Returns:
        The drafts in the order of the documents, each question once, and a line for each file that was refused.

    Raises:
        DraftError: nothing could be drafted.
    """
    refused: list[UnreadableDocumentError] = []
    drafts: dict[str, Draft] = {}
    with Sandbox() as sandbox:
        for path in paths:
            for read in read_path(path, sandbox=sandbox, on_refusal=refused.append):
                for draft in draft_from(read):
                    drafts.setdefault(draft.question.casefold(), draft)
    if not drafts:
        raise DraftError("no heading and no definition to ask about was found in these files")
    return list(drafts.values()), [str(error) for error in refused]


def draft_from(read: ReadDocument) -> Iterator[Draft]:
    """Yield the drafts of one document."""
    text = read.marked.text
    title = read.title or read.marked.title or read.name
    for section in read.marked.sections:
        sentences = [text[s.start : s.end] for s in split_sentences(text, section.span.start, section.span.end)]
        if not sentences:
            continue
        heading = section.heading_path[-1] if section.heading_path else ""
        place = " > ".join((read.name, *section.heading_path))
        if heading:
            yield Draft(question_of_heading(heading, title), title, _saying(sentences[0]), place)
        for sentence in sentences:
            asked = question_of_definition(sentence)
            if asked is not None:
                yield Draft(asked, title, _saying(sentence), place)


def question_of_heading(heading: str, title: str) -> str:
    """Turn a heading into a question: one that asks already stays, "How to" gets a person, others name the topic."""
    plain = heading.strip().rstrip(".:!")
    first = plain.split()[0].lower() if plain.split() else ""
    if plain.endswith("?"):
        return plain
    if plain.lower().startswith("how to "):
        return f"How do I {plain[7:]}?"
    if first in _ASKING:
        return f"{plain}?"
    if _GERUND.fullmatch(plain.split()[0]) and len(plain.split()) > 1:
        return f"What is there to know about {_lowered(plain)}?"
    return f"What does “{title}” say about {_lowered(plain)}?"


def question_of_definition(sentence: str) -> str | None:
    """Turn "A loan is the right to …" into "What is a loan?", None where the sentence defines nothing."""
    match = _DEFINITION.match(sentence)
    if match is None or match["term"].split()[0].lower() in _POINTING:
        return None
    named = f"{(match['article'] or '').lower()}{_lowered(match['term'])}"
    if match["verb"] == "means":
        return f"What does {named} mean?"
    return f"What {match['verb']} {named}?"


def drafts_as_items(drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    """Return the drafts as lines of a set, none of them approved."""
    return [
        {
            "id": f"draft-{number:03}",
            "kind": "answer",
            "question": draft.question,
            "sources": [draft.source],
            "key_facts": [{"say": [draft.saying]}],
            "approved": False,
            "note": _NOTE.format(place=draft.place),
        }
        for number, draft in enumerate(drafts, 1)
    ]


def _saying(sentence: str) -> str:
    """Return the sentence as a set compares it, cut at a word where it is long."""
    plain = " ".join(sentence.lower().split()).rstrip(".!?:")
    if len(plain) <= _LONGEST_SAYING:
        return plain
    return plain[:_LONGEST_SAYING].rpartition(" ")[0].rstrip(",;:")


def _lowered(text: str) -> str:
    """Take the capital of a sentence's start away; names and abbreviations keep theirs."""
    first, space, rest = text.partition(" ")
    return (first.lower() if first[1:].islower() or len(first) == 1 else first) + space + rest
