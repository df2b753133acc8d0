from dataclasses import replace

import pytest

from corpus.records import Passage, Span
from index.hits import SentenceHit
from index.lexical import stems
from service.answering.composing import MAX_SENTENCES, choose_sentences, order_sentences, prefer, put_back_others


def hit(text: str, score: float, source: str = "a", start: int = 0) -> SentenceHit:
    span = Span(start, start + len(text))
    passage = Passage(f"p{start}", f"doc_{source}", source, "default", span, text, "T", ("H?",), (span,), "T › H?")
    return SentenceHit(passage, span, text, score, score, 0.0)


@pytest.mark.parametrize(
    ("question", "heading"),
    [
        ("What sets off a back spasm", "Why do I get back spasms?"),
        ("How does spinal stenosis show itself?", "What are the symptoms of spinal stenosis?"),
        ("what makes muscle cramps stop?", "What can I take for muscle cramps? What helps?"),
        ("Can it be found out by a scan?", "What tests show gallstones?"),
        ("how do i avoid another stone", "How can I prevent kidney stones?"),
        ("Am I likelier to get one? Who is at risk", "Who gets kidney stones?"),
    ],
)
def test_the_kind_of_question_prefers_what_stands_under_such_a_heading(question: str, heading: str) -> None:
    under = replace(
        hit("Told there.", 0.8, "b"), passage=replace(hit("Told there.", 0.8).passage, heading_path=(heading,))
    )
    assert [h.text for h in prefer(question, [hit("Told elsewhere.", 0.84), under])] == [
        "Told there.",
        "Told elsewhere.",
    ]


def test_what_holds_for_another_illness_stands_behind() -> None:
    infection = hit("Diet does not matter for kidney infections.", 0.9)
    stone = hit("With kidney stones, eat less salt.", 0.8, "b", 50)
    plain = hit("Drink more.", 0.75, "c", 99)
    found = put_back_others("What may dad eat with a stone in his kidney?", [infection, stone, plain])
    assert [h.text for h in found] == [stone.text, plain.text, infection.text]
    assert found[-1].score == found[-1].cosine == pytest.approx(0.7)
    both = hit("Kidney stones can bring kidney infections.", 0.9)
    assert put_back_others("What may he eat with kidney stones?", [both, stone]) == [both, stone]
    assert put_back_others("What may he eat?", [infection, stone]) == [infection, stone]
    whole = put_back_others("What may he eat?", [infection, stone], "A kidney stone. What may he eat, what is it?")
    assert [h.text for h in whole] == [stone.text, infection.text]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Can kidney stones come back?", "stones"),
        ("How do I stop another kidney stone?", "stones"),
        ("My kidney stones are back, how do I stop them?", "stones"),
        ("Will my gallstones grow back?", "stones"),
        ("Can a kidney stone hurt in the back?", "back"),
        ("kidney stone or sciatica?", "back"),
        ("Gallstones or a slipped disc?", "back"),
        ("Can a kidney stone give me backache?", "back"),
        ("What are the warning signs of cauda equina?", "back"),
        ("Is a spinal tumor likely?", "back"),
        ("Does back pain come back?", "back"),
    ],
)
def test_only_who_asks_about_the_back_too_is_told_about_it_first(question: str, first: str) -> None:
    told = {
        "back": hit("Much lowers the chance of back pain.", 0.9),
        "stones": hit("Kidney stones and gallstones need water.", 0.8),
    }
    assert put_back_others(question, list(told.values()))[0] == told[first]


def test_repeats_are_left_out() -> None:
    hits = [hit("Bed rest should last two days at most.", 0.9), hit("Bed rest should last at most two days.", 0.89)]
    assert [h.text for h in choose_sentences([hits], stems)[0]] == ["Bed rest should last two days at most."]


def test_weak_sentences_are_left_out() -> None:
    hits = [hit("Heat relaxes muscles.", 0.9), hit("Vertebrae have names.", 0.4)]
    assert len(choose_sentences([hits], stems)[0]) == 1


def test_parts_take_turns() -> None:
    first = [hit(f"Cause {word} strains tissue.", 0.9) for word in ("one", "lifting", "falling", "sitting", "coughing")]
    second = [hit("Recovery takes several weeks.", 0.8)]
    chosen = choose_sentences([first, second], stems)
    assert [h.text for h in chosen[1]] == ["Recovery takes several weeks."]
    assert sum(map(len, chosen)) <= MAX_SENTENCES


def test_long_answers_stop_at_the_word_limit() -> None:
    words = "alpha beta gamma delta epsilon zeta eta theta iota kappa".split()
    hits = [hit(" ".join(f"{word}{row}" for word in words * 3) + ".", 0.9 - row / 100) for row in range(5)]
    assert len(choose_sentences([hits], stems)[0]) == 3


def test_the_direct_answer_leads_and_sources_keep_together() -> None:
    hits = [hit("B late.", 0.9, "b", 50), hit("A text.", 0.8, "a", 0), hit("B early.", 0.7, "b", 10)]
    assert [h.text for h in order_sentences(hits)] == ["B late.", "B early.", "A text."]
