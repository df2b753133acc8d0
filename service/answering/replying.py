"""Triage first, then the answer: the order that no request can change."""

import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime

from service.answering.answerer import Answerer
from service.answering.records import Abstention, Answer, Question, Reply
from service.triage.language import is_screened, unchecked_text
from service.triage.loading import Rules
from service.triage.records import Level, Notice
from service.triage.screening import screen

WITHHELD = Answer(status="withheld", text="", sentences=(), citations=(), passages=())
"""A notice that must stand alone: poisoning and self-harm."""


class Replier:
    """Makes the whole reply to one question."""

    def __init__(self, rules: Rules, answerer: Answerer) -> None:
        self.rules = rules
        self.answerer = answerer

    def screen(self, question: Question) -> Notice | None:
        """Screen one question and the turns before it for signs that need care."""
        return screen(question.text, self.rules, question.history)

    def reply(self, question: Question) -> Reply:
        """Screen and answer one question.

        A question in a language that is not screened is not answered: nobody would have looked for warning signs.
        Under an emergency the answer holds only what the sources say about the sign; a notice that must stand alone
        has none.
        """
        begin = time.perf_counter()
        notice = self.screen(question)
        screened = time.perf_counter()
        english, language = is_screened(question.text)
        if notice is not None and notice.withhold:
            answer = WITHHELD
        elif notice is None and not english:
            answer = _not_screened(language)
        elif notice is not None and notice.level is Level.EMERGENCY:
            sign = f"{notice.rules[0].matched}. {notice.message}"
            sources = tuple(source.source_id for source in notice.sources)
            answer = self.answerer.answer_about_care(question, sign, sources) or WITHHELD
        else:
            answer = self.answerer.answer(question)
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
        )


def _not_screened(language: str) -> Answer:
    """Return the silence for a question in another language, in words of that language where we have them."""
    abstention = Abstention("not_screened", unchecked_text(language), ())
    return replace(WITHHELD, status="abstained", abstention=abstention)
