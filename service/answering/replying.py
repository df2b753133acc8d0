"""Triage first, then the answer: the order that no request can change."""

import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from service.answering.answerer import Answerer
from service.answering.generating import Generator
from service.answering.records import DISCLAIMER, Abstention, Answer, Generation, Question, Reply, Said
from service.answering.understanding import asks
from service.triage.language import is_screened, unchecked_text
from service.triage.loading import Rules
from service.triage.records import Level, Notice
from service.triage.screening import screen

WITHHELD = Answer(status="withheld", text="", sentences=(), citations=(), passages=())
"""A notice that must stand alone: poisoning and self-harm."""


Say = Callable[[str], Said]
"""Returns what the operator says of a collection."""


class Replier:
    """Makes the whole reply to one question.

    Args:
        rules: The warning rules.
        answerer: Answers what they let through.
        say: Looks up what is said of a collection; None knows nothing of any.
        generator: Words answers where a question asks for that; None where no language model is set.
    """

    def __init__(
        self, rules: Rules, answerer: Answerer, say: Say | None = None, generator: Generator | None = None
    ) -> None:
        self.rules = rules
        self.answerer = answerer
        self._say = say
        self._generator = generator

    def screen(self, question: Question) -> Notice | None:
        """Screen one question and the turns before it for signs that need care."""
        return screen(question.text, self.rules, question.history)

    def reply(self, question: Question, gate: AbstractContextManager[Any] | None = None) -> Reply:
        """Screen and answer one question.

        A question in a language that is not screened is not answered: nobody would have looked for warning signs.
        Under an emergency the answer holds only what the sources say about the sign; a notice that must stand alone
        has none. No language model is asked about a question that was not screened, raises a notice or stays
        unanswered.

        Args:
            question: The question.
            gate: Held while this machine computes, never while a language model is waited for; can be entered
                several times in turn.
        """
        gate = gate or nullcontext()
        begin = time.perf_counter()
        with gate:
            said = Said() if self._say is None else self._say(question.collection)
            question = replace(question, said=said)
            notice = self.screen(question)
            screened = time.perf_counter()
            answer = self._answer(question, notice)
        if question.mode != "extractive":
            answer = self._reword(question, notice, answer, gate)
        total = time.perf_counter() - begin
        snapshot = self.answerer.retriever.snapshot
        return Reply(
            id=f"ans_{secrets.token_hex(16)}",
            created=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            notice=notice,
            answer=replace(answer, timings_ms=()),
            snapshot_id=snapshot.id,
            model=snapshot.manifest.model_id,
            timings_ms=(("triage", (screened - begin) * 1000), *answer.timings_ms, ("total", total * 1000)),
            disclaimer=said.disclaimer or DISCLAIMER,
        )

    def _answer(self, question: Question, notice: Notice | None) -> Answer:
        english, language = is_screened(question.text)
        if notice is not None and notice.withhold:
            return WITHHELD
        if notice is None and not english:
            return _not_screened(language)
        if notice is None or notice.level is Level.INFO:
            return self.answerer.answer(question)
        about_care = self._answer_about_care(question, notice)
        if notice.level is Level.EMERGENCY:
            return about_care or WITHHELD
        # Who only tells a sign and asks nothing is told when to get help, not whatever is near the words.
        return self.answerer.answer(question) if asks(question.text) or about_care is None else about_care

    def _answer_about_care(self, question: Question, notice: Notice) -> Answer | None:
        sign = f"{notice.rules[0].matched}. {notice.message}"
        sources = tuple(source.source_id for source in notice.sources)
        return self.answerer.answer_about_care(question, sign, sources, urgent=notice.urgent)

    def _reword(
        self, question: Question, notice: Notice | None, answer: Answer, gate: AbstractContextManager[Any]
    ) -> Answer:
        if self._generator is None:
            asked = question.mode == "generative"
            return replace(answer, generation=Generation("not_configured")) if asked else answer
        if notice is not None:
            return replace(answer, generation=Generation("not_asked", self._generator.name))
        return self._generator.reword(question, answer, self.answerer.retriever, gate)


def _not_screened(language: str) -> Answer:
    """Return the silence for a question in another language, in words of that language where we have them."""
    message = unchecked_text(language)
    spoken = "en" if message == unchecked_text("en") else language
    abstention = Abstention("not_screened", message, (), language=spoken)
    return replace(WITHHELD, status="abstained", abstention=abstention)
