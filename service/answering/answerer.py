"""The path of a question, top to bottom: understand, search, decide, compose, cite."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from corpus.records import Span
from corpus.sources import Difference
from index.hits import SentenceHit
from index.lexical import stems
from index.retrieving import Filters, Found, Retriever
from service.answering.abstaining import (
    Calibration,
    features_of,
    kind_of_silence,
    message_of,
    silence,
)
from service.answering.citing import Citations, sentences_of_facts
from service.answering.composing import choose_sentences, order_sentences, prefer, put_back_others
from service.answering.following_up import Reading, complete_parts, names_topic, read_in_turn
from service.answering.records import (
    Abstention,
    Answer,
    Citation,
    Differing,
    Position,
    Probability,
    Question,
    Reason,
    Sentence,
)
from service.answering.understanding import Understanding, understand

SENTENCES = 24
"""Sentences that composing chooses from, a part."""

PART_SHARE = 0.5
"""Share of the threshold below which a part is unanswered: the question that it belongs to has passed it whole."""

NEAREST = 3
LEADING = 3
"""Differing positions that lead an answer."""


_URGENT = re.compile(r"right away|emergency|immediate|at once|straight away|within a day|medical help", re.IGNORECASE)
_HOME_CARE = re.compile(
    r"\b(?:home|rest|heat|ice|stretch|massage|exercise|can wait|several days|weeks?)\b", re.IGNORECASE
)

_DOCTOR = re.compile(rf"{_URGENT.pattern}|\b(?:doctor|provider|appointment|call)\b", re.IGNORECASE)
_AT_HOME = re.compile(r"\b(?:home|rest|heat|ice|stretch|massage|exercise|can wait)\b", re.IGNORECASE)

FOLLOW_UPS = 3

WITH_TOPIC, WITHOUT_TOPIC = 0.3, 0.5
"""How much of the whole question's embedding is added to that of a part, which names a topic or does not."""

IMPLIED = {"default": "back pain"}
"""What a question to a collection is about when it does not say."""


@dataclass(frozen=True, slots=True)
class _Search:
    """One search.

    Attributes:
        text: What is asked.
        words: The words to look for: the text, with those of the turn that it leans on.
        vector: Its embedding, shape ``(dimension,)``.
    """

    text: str
    words: str
    vector: NDArray[np.float32]


class Answerer:
    """Answers questions from one snapshot. Knows nothing of triage: that has come first."""

    def __init__(
        self, retriever: Retriever, calibration: Calibration | None, differences: Sequence[Difference] = ()
    ) -> None:
        self._retriever = retriever
        self._calibration = calibration
        self._differences = tuple(differences)
        self._facts = sentences_of_facts(retriever.snapshot.documents.digests)

    @property
    def retriever(self) -> Retriever:
        """What is searched."""
        return self._retriever

    @property
    def calibrated(self) -> bool:
        """Whether answers of the shipped corpus carry a probability."""
        return self._calibration is not None

    def answer(self, question: Question) -> Answer:
        """Answer one question, or say why not.

        Every sentence of the answer is verbatim in its quote, and every quote in its document: the records refuse
        anything else.
        """
        clock = _Clock()
        reading, understanding, searches = self._read(question)
        clock.lap("embed")
        founds = [self._find(search, question) for search in searches]
        clock.lap("search")
        reply = self._decide(understanding, searches, founds, question, reading)
        clock.lap("compose")
        rewritten = None if reading.shown == question.text else reading.shown
        return replace(reply, rewritten_question=rewritten, timings_ms=tuple(clock.laps))

    def answer_about_care(
        self, question: Question, sign: str, sources: Sequence[str], *, urgent: bool = True
    ) -> Answer | None:
        """Answer under an emergency: only what the rule's own sources say on when to get help for the sign.

        Args:
            question: The question; nothing else that it asks is answered here.
            sign: What fired: the matched words and the notice's message.
            sources: Sources that stand behind the rule; without any there is no answer.
            urgent: Whether only help at once will do; otherwise whoever says when to see a doctor is heard too.

        Returns:
            At most three sentences, or None when there are none.
        """
        if not sources:
            return None
        clock = _Clock()
        vector = self._retriever.embed(sign)
        clock.lap("embed")
        found = self._retriever.find(sign, vector, question.top_k, SENTENCES, Filters(tuple(sources)))
        clock.lap("search")
        wanted, unwanted = (_URGENT, _HOME_CARE) if urgent else (_DOCTOR, _AT_HOME)
        told = [hit for hit in found.sentences if wanted.search(hit.text) and not unwanted.search(hit.text)]
        if not told:
            return None
        answer = self._compose(understand(sign), [replace(found, sentences=tuple(told[:3]))], None, (), compare=False)
        clock.lap("compose")
        return replace(answer, follow_ups=(), timings_ms=tuple(clock.laps))

    def features(self, question: Question) -> dict[str, float]:
        """Return what the calibration looks at: for fitting it."""
        reading, understanding, searches = self._read(question)
        found = self._find(searches[0], question)
        return features_of(understanding.core, found, self._retriever.words(question.collection), reading.weight)

    def compose_unconditionally(self, question: Question) -> Answer:
        """Answer whatever the probability says: for calibration, never for people."""
        _, understanding, searches = self._read(question)
        return self._compose(understanding, [self._find(search, question) for search in searches], None, ())

    def _is_shipped(self, found: Found) -> bool:
        """Whether the best that was found is of a digest, or nothing is: the calibration knows digests alone."""
        best = found.sentences[:1]
        return all(self._retriever.document_of(hit.passage).source.digest for hit in best)

    def _read(self, question: Question) -> tuple[Reading, Understanding, list[_Search]]:
        """Return how a question is read and what it asks, spelt as its collection spells, and its searches.

        The first search is for the whole, the others for its parts.
        """
        collection = question.collection
        reading = read_in_turn(question.text, question.history, IMPLIED.get(collection, ""))
        whole = self._retriever.repair(reading.text, collection)
        understanding = understand(whole, reading.earlier)
        implied = "" if reading.earlier else IMPLIED.get(collection, "")
        parts = understanding.parts if len(understanding.parts) > 1 else ()
        texts = words = [understanding.core, *complete_parts(parts, whole, implied)]
        earlier = understand(self._retriever.repair(reading.earlier, collection)).core if reading.weight else ""
        # All at once: whoever asks for several embeddings one by one waits for each of them anew.
        embedded = self._retriever.embed_all([*texts, earlier] if earlier else texts)
        vector, *others = embedded[: len(texts)]
        shares = (WITH_TOPIC if names_topic(part) else WITHOUT_TOPIC for part in parts)
        vectors = [vector, *(own + share * vector for own, share in zip(others, shares, strict=True))]
        if earlier:
            vectors = [own + reading.weight * embedded[-1] for own in vectors]
            words = [f"{text} {earlier}" for text in texts]
        searches = [
            _Search(text, told, vector / np.linalg.norm(vector))
            for text, told, vector in zip(texts, words, vectors, strict=True)
        ]
        return reading, understanding, searches

    def _find(self, search: _Search, question: Question) -> Found:
        filters = Filters(question.source_ids, question.collection)
        return self._retriever.find(search.words, search.vector, question.top_k, SENTENCES, filters)

    def _decide(
        self,
        understanding: Understanding,
        searches: Sequence[_Search],
        founds: Sequence[Found],
        question: Question,
        reading: Reading,
    ) -> Answer:
        whole = founds[0]
        words = self._retriever.words(question.collection)
        features = features_of(understanding.core, whole, words, reading.weight)
        shipped = question.collection == "default" and self._is_shipped(whole)
        calibration = self._calibration if shipped else None
        probability = _probability(calibration, features)
        reason = silence(understanding)
        if reason is None and not whole.sentences:
            reason = "nothing_found"
        if reason is None and _too_unlikely(probability, features):
            recognised = self._retriever.recognised(understanding.core, question.collection)
            reason = kind_of_silence(understanding.core, features, recognised, whole.known, reading.earlier)
        if reason is not None:
            message = message_of(reason, question.collection, question.said.scope)
            return self._abstain(reason, message, whole, probability, understanding)
        missing = self._missing(understanding, searches, founds, calibration, question.collection, reading)
        return self._compose(understanding, founds, probability, missing, question.source_ids)

    def _missing(
        self,
        understanding: Understanding,
        searches: Sequence[_Search],
        founds: Sequence[Found],
        calibration: Calibration | None,
        collection: str,
        reading: Reading,
    ) -> tuple[str, ...]:
        """Return the parts that nothing answers."""
        missing = []
        words = self._retriever.words(collection)
        for part, search, found in zip(understanding.parts, searches[1:], founds[1:], strict=False):
            features = features_of(search.text, found, words, reading.weight)
            if not found.sentences or _too_unlikely(_probability(calibration, features), features, PART_SHARE):
                missing.append(part.rstrip("?.! "))
        return tuple(missing) if len(missing) < len(understanding.parts) else ()

    def _compose(
        self,
        understanding: Understanding,
        founds: Sequence[Found],
        probability: Probability | None,
        missing: tuple[str, ...],
        source_ids: Sequence[str] | None = None,
        *,
        compare: bool = True,
    ) -> Answer:
        answered = [
            self._ranked(part, found.sentences, source_ids, understanding.core, compare=compare)
            for part, found in zip(understanding.parts, founds[1:], strict=False)
            if part.rstrip("?.! ") not in missing
        ] or [self._ranked(understanding.core, founds[0].sentences, source_ids, compare=compare)]
        chosen = choose_sentences(answered, stems)
        citations = Citations(self._retriever)
        sentences: list[Sentence] = []
        at = 0
        for part in chosen:
            for hit in order_sentences(part):
                citation = citations.of(hit.passage, hit.span)
                sentences.append(Sentence(hit.text, at, at + len(hit.text), (citation.id,)))
                at += len(hit.text) + 1
        differences = self._differing(understanding, citations) if compare else ()
        return Answer(
            status="partial" if missing else "answered",
            text=" ".join(sentence.text for sentence in sentences),
            sentences=tuple(sentences),
            citations=citations.all,
            passages=founds[0].passages,
            missing=missing,
            differences=differences,
            probability=probability,
            follow_ups=self._follow_ups(founds[0], citations.all),
        )

    def _ranked(
        self,
        question: str,
        hits: Sequence[SentenceHit],
        source_ids: Sequence[str] | None,
        whole: str = "",
        *,
        compare: bool,
    ) -> Sequence[SentenceHit]:
        """Order sentences by what the question asks and, unless told otherwise, by where sources differ."""
        preferred = prefer(question, put_back_others(question, hits, whole))
        return self._strict_first(question, preferred, source_ids) if compare else preferred

    def _strict_first(
        self, question: str, hits: Sequence[SentenceHit], source_ids: Sequence[str] | None
    ) -> Sequence[SentenceHit]:
        """Where sources differ on what is asked, lead with their positions, the stricter first.

        That is so only when one of the positions is among the best three sentences anyway: a word such as "rest" in
        the question is not enough.
        """
        for difference in self._differences:
            places = [
                next((self._facts[fact] for fact in group if fact in self._facts), None)
                for group in difference.positions
            ]
            best = {(hit.passage.document_id, hit.span) for hit in hits[:3]}
            if not _is_about(difference, question) or not best & set(places):
                continue
            known = {(hit.passage.document_id, hit.span): hit for hit in hits}
            leading = [known.get(place) or self._hit_at(*place) for place in places[:LEADING] if place is not None]
            leading = [
                replace(hit, score=hits[0].score + (LEADING - rank) / 100)
                for rank, hit in enumerate(leading)
                if source_ids is None or hit.passage.source_id in source_ids
            ]
            led = {(hit.passage.document_id, hit.span) for hit in leading}
            return leading + [hit for hit in hits if (hit.passage.document_id, hit.span) not in led]
        return list(hits)

    def _hit_at(self, document_id: str, span: Span) -> SentenceHit:
        passage = self._retriever.snapshot.passage_at(document_id, span)
        text = passage.text[span.start - passage.span.start : span.end - passage.span.start]
        return SentenceHit(passage, span, text, 0.0, 0.0, 0.0)

    def _differing(self, understanding: Understanding, citations: Citations) -> tuple[Differing, ...]:
        """Return the topics on which sources differ, where the answer and the question are about them."""
        cited = {fact for citation in citations.all for fact in citation.facts}
        differing = []
        for difference in self._differences:
            facts = {fact for group in difference.positions for fact in group}
            if not facts & cited or not _is_about(difference, understanding.core):
                continue
            positions = []
            for group in difference.positions:
                place = next((self._facts[fact] for fact in group if fact in self._facts), None)
                if place is not None:
                    citation = citations.of(self._retriever.snapshot.passage_at(*place), place[1])
                    positions.append(Position(citation.quote, (citation.id,)))
            if len(positions) > 1:
                differing.append(Differing(difference.topic, tuple(positions), difference.care))
        return tuple(differing)

    def _abstain(
        self,
        reason: Reason,
        message: str,
        found: Found,
        probability: Probability | None,
        understanding: Understanding,
    ) -> Answer:
        citations = Citations(self._retriever)
        if reason not in {"out_of_scope", "unclear"}:
            for hit in found.sentences[:NEAREST]:
                citations.of(hit.passage, hit.span)
        follow_ups = self._follow_ups(found, ()) if reason == "unclear" else ()
        return Answer(
            status="abstained",
            text="",
            sentences=(),
            citations=(),
            passages=found.passages,
            abstention=Abstention(reason, message, citations.all, understanding.about_medicine),
            probability=probability,
            follow_ups=follow_ups,
        )

    @staticmethod
    def _follow_ups(found: Found, cited: Sequence[Citation]) -> tuple[str, ...]:
        """Return headings of what was found but not cited: questions that the sources answer."""
        used = {citation.passage.heading_path[-1:] for citation in cited}
        headings = [
            hit.passage.heading_path[-1]
            for hit in found.passages
            if hit.passage.heading_path and hit.passage.heading_path[-1:] not in used
        ]
        return tuple(dict.fromkeys(heading for heading in headings if heading.endswith("?")))[:FOLLOW_UPS]


def _is_about(difference: Difference, question: str) -> bool:
    lowered = question.lower()
    return any(re.search(rf"\b{re.escape(word)}", lowered) for word in difference.about)


class _Clock:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.laps: list[tuple[str, float]] = []

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.laps.append((stage, (now - self._last) * 1000))
        self._last = now


UNCALIBRATED_COSINE = 0.5
"""Without a calibration (a user's own collection or model) the best sentence must come at least this near."""


def _probability(calibration: Calibration | None, features: dict[str, float]) -> Probability | None:
    if calibration is None:
        return None
    return Probability(calibration.probability(features), calibration.calibrated_on, calibration.threshold)


def _too_unlikely(probability: Probability | None, features: dict[str, float], share: float = 1.0) -> bool:
    if probability is None:
        return features["best_sentence"] < UNCALIBRATED_COSINE
    return probability.value < share * probability.threshold
