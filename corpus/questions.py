"""Questions whose outcome is known: which facts answer them, or why none does.

``data/questions.jsonl`` holds questions as lay people put them, written from the facts without sight of a report half.
One line holds either ``facts`` (each of which answers each of the questions) or ``reason`` (the kind of silence that is
due), and ``questions``. None of them stands in a development or report set, so that those measure what becomes of
questions that are not known. Nothing of the file is ever shown: it teaches which sentence answers what, and how near a
new question comes to either kind tells whether the sources answer it (``docs/evaluation.md``).

Source: R. Nogueira, W. Yang, J. Lin, K. Cho (2019), Document Expansion by Query Prediction, arXiv:1904.08375, for the
idea of storing the questions that a text answers.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import RegistryError
from corpus.sources import DATA, load_facts

FILE = "questions.jsonl"

REASONS = frozenset({"out_of_scope", "nothing_found", "not_in_sources", "personal_advice"})


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """A question of which it is known whether the sources answer it.

    Attributes:
        text: The question.
        facts: Ids of the facts that answer it, ``source-id:Fnn``; none where it has no answer.
        reason: The kind of silence that is due, or "" where it has an answer.

    Raises:
        ValueError: it has both facts and a reason, or neither.
    """

    text: str
    facts: tuple[str, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        if bool(self.facts) == bool(self.reason):
            raise ValueError("a known question has either facts or a reason")


def load_questions(data: Path = DATA) -> tuple[KnownQuestion, ...]:
    """Return the known questions of the shipped corpus, in the order of the file.

    Raises:
        RegistryError: a line is malformed, names an unknown fact or reason, or repeats a question.
    """
    facts = load_facts(data)
    known: dict[str, KnownQuestion] = {}
    for number, line in enumerate((data / FILE).read_text(encoding="utf-8").splitlines(), start=1):
        where = f"{FILE}:{number}"
        try:
            row = json.loads(line)
            made = [
                KnownQuestion(text, tuple(row.get("facts", ())), row.get("reason", "")) for text in row["questions"]
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise RegistryError(where, f"needs questions, and either facts or a reason: {error}") from error
        for question in made:
            unknown = [fact for fact in question.facts if fact not in facts]
            if unknown or (question.reason and question.reason not in REASONS):
                raise RegistryError(where, f"unknown {' '.join(unknown) or question.reason}")
            if known.setdefault(question.text.lower(), question) is not question:
                raise RegistryError(where, f"the question {question.text!r} stands twice")
    return tuple(known.values())
