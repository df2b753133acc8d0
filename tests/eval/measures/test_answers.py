"""Key facts, sources, proof, citations, length: worked by hand."""

import pytest

from eval.measures.citations import citation_precision, citation_recall, measure_citations
from eval.measures.correctness import is_right
from eval.measures.key_fact import is_met, measure_key_facts, share_met
from eval.measures.length import measure_length, reading_grade, redundancy, syllables, words_of
from eval.measures.proof import is_exact, is_proven, is_verbatim, measure_proof
from eval.measures.right_source import measure_right_source
from eval.records import AnswerItem, Citation, KeyFact, Reply, Sentence
from tests.eval.measures.replies import FAILED, SILENT, decline, exchange, question, said

GROUP = KeyFact(("right:F01", "other:F07"), ("hours to days",))
SPASM = ("A spasm lasts hours to days.", "right", "A spasm lasts hours to days.")
REST = ("Do not stay in bed.", "other", "Do not stay in bed. Move.")


def test_a_fact_is_met_by_a_fact_id_under_the_answer() -> None:
    assert is_met(GROUP, said(SPASM, facts=("other:F07",)))
    assert not is_met(GROUP, said(SPASM, facts=("other:F08",)))


def test_a_citation_that_no_sentence_leans_on_says_nothing() -> None:
    reply = Reply(
        "answered",
        "Rest.",
        (Sentence("Rest.", ("c1",)),),
        (Citation("c1", "x", "Rest."), Citation("c2", "right", "q", facts=("right:F01",))),
    )
    assert not is_met(GROUP, reply)


def test_words_decide_only_where_no_citation_carries_facts() -> None:
    assert is_met(GROUP, said(("It takes Hours  to\nDays.", "x", "")))
    assert not is_met(GROUP, said(("It takes weeks.", "x", "")))
    assert not is_met(GROUP, said(SPASM, facts=("right:F99",)))
    assert is_met(KeyFact((), ("hours to days",)), said(SPASM, facts=("right:F99",)))


def test_silence_and_failure_meet_nothing() -> None:
    exchanges = [
        exchange(question("a1"), said(SPASM, facts=("right:F01",))),
        exchange(question("a2"), SILENT),
        exchange(question("a3"), FAILED),
        exchange(decline(), said(SPASM, facts=("right:F01",))),
    ]
    all_met, share = measure_key_facts(exchanges)
    assert all_met.scores == {"a1": 1.0, "a2": 0.0, "a3": 0.0}
    assert share.figure.value == pytest.approx(1 / 3)


def test_half_of_two_facts_counts_half() -> None:
    item = AnswerItem("a", "?", "plain", ("right",), (GROUP, KeyFact(("right:F02",), ("x",))))
    assert share_met(item, said(SPASM, facts=("right:F01",))) == 0.5
    assert not is_right(exchange(item, said(SPASM, facts=("right:F01",))))
    assert is_right(exchange(item, said(SPASM, facts=("right:F01", "right:F02"))))


def test_an_answer_with_its_fact_from_a_wrong_source_is_wrong() -> None:
    assert not is_right(exchange(question("a", ("elsewhere",)), said(SPASM, facts=("right:F01",))))


def test_right_source_any_first_and_share() -> None:
    exchanges = [
        exchange(question("a1"), said(REST, SPASM)),
        exchange(question("a2"), said(SPASM)),
        exchange(question("a3"), SILENT),
    ]
    any_right, first, share = measure_right_source(exchanges)
    assert any_right.scores == {"a1": 1.0, "a2": 1.0, "a3": 0.0}
    assert first.scores == {"a1": 0.0, "a2": 1.0, "a3": 0.0}
    assert share.scores == {"a1": 0.5, "a2": 1.0, "a3": 0.0}


def test_a_sentence_is_proven_by_its_own_quote_to_the_letter() -> None:
    reply = said(REST)
    assert is_verbatim(reply.sentences[0], reply)
    assert not is_verbatim(Sentence("Do stay in bed.", ("c0",)), reply)
    assert not is_verbatim(Sentence("Do not stay in bed.", ("c9",)), reply)
    assert not is_verbatim(Sentence("Do not stay in bed.", ()), reply)
    assert not is_verbatim(Sentence(" ", ("c0",)), reply)
    assert is_verbatim(Sentence("Do not  stay\nin bed.", ("c0",)), reply)


def test_a_quote_is_exact_at_its_span_in_code_points() -> None:
    text = "\N{FACE WITH TEARS OF JOY} Rest helps."
    assert is_exact(Citation("c", "s", "Rest", source_start=2, source_end=6), text)
    assert not is_exact(Citation("c", "s", "Rest", source_start=3, source_end=7), text)
    assert not is_exact(Citation("c", "s", "Rest", source_start=2, source_end=60), text)
    assert not is_exact(Citation("c", "s", "", source_start=-1, source_end=-1), text)


def test_proof_counts_sentences_of_every_answer_and_a_failure_once() -> None:
    wrong = Reply("answered", "Rest.", (Sentence("Rest.", ()),))
    exchanges = [
        exchange(question("a1"), said(SPASM, REST)),
        exchange(decline("d1"), wrong),
        exchange(question("a2"), FAILED),
        exchange(question("a3"), SILENT),
        exchange(question("a4"), Reply("answered", "No sentences.")),
    ]
    cited, verbatim, exact = measure_proof(exchanges, lambda _id: None)
    assert cited.scores == {"a1#1": 1.0, "a1#2": 1.0, "d1#1": 0.0, "a2": 0.0, "a4": 0.0}
    assert verbatim.figure.value == 0.4
    assert exact.figure.n == 0
    assert is_proven(said(SPASM))
    assert not is_proven(wrong)


def test_citation_recall_and_precision_in_a_worked_case() -> None:
    # Sentence 1 needs c1, and c2 is idle beside it; sentence 2 is supported by nothing.
    reply = Reply(
        "answered",
        "Heat helps. Cold helps.",
        (Sentence("Heat helps.", ("c1", "c2")), Sentence("Cold helps.", ("c2",))),
        (Citation("c1", "s", "Heat helps."), Citation("c2", "s", "Walk.")),
    )
    assert citation_recall(reply) == 0.5
    assert citation_precision(reply) == pytest.approx(1 / 3)


def test_two_quotes_may_support_a_sentence_together() -> None:
    reply = Reply(
        "answered",
        "Heat helps.",
        (Sentence("Heat helps.", ("c1", "c2")),),
        (Citation("c1", "s", "Heat"), Citation("c2", "s", "helps.")),
    )
    assert (citation_recall(reply), citation_precision(reply)) == (1.0, 1.0)


def test_a_verifier_can_be_given() -> None:
    reply = said(("Warmth is good.", "s", "Heat helps."))
    assert citation_recall(reply) == 0.0
    assert citation_recall(reply, lambda _quotes, _text: True) == 1.0


def test_failures_score_zero_in_citations_and_silence_is_not_judged() -> None:
    recall, precision = measure_citations(
        [exchange(question("a1"), said(SPASM)), exchange(question("a2"), FAILED), exchange(question("a3"), SILENT)]
    )
    assert recall.scores == {"a1": 1.0, "a2": 0.0}
    assert precision.figure.value == 0.5


def test_words_syllables_and_grade() -> None:
    assert words_of("Don't lift low-back loads, 2 to 3 days.") == [
        "Don't",
        "lift",
        "low-back",
        "loads",
        "2",
        "to",
        "3",
        "days",
    ]
    assert [syllables(word) for word in ("pain", "muscle", "make", "exercise", "area", "nth")] == [1, 2, 1, 3, 2, 1]
    # 5 words, 1 sentence, 6 syllables: 0.39 * 5 + 11.8 * 6 / 5 - 15.59.
    assert reading_grade(["The muscle may go tight."]) == pytest.approx(0.52)
    assert reading_grade([]) == 0.0


def test_repeats_are_seen() -> None:
    assert redundancy(["Heat loosens a tight muscle.", "Heat loosens a tight muscle well."]) == 0.5
    assert redundancy(["Heat loosens a tight muscle.", "Cold packs ease a fresh strain."]) == 0.0
    assert redundancy([]) == 0.0


def test_length_is_of_answers_alone() -> None:
    found = {
        one.figure.name: one.figure
        for one in measure_length([exchange(question("a1"), said(SPASM, REST)), exchange(question("a2"), SILENT)])
    }
    assert (found["words"].value, found["words_median"].value, found["sentences"].value) == (11.0, 11.0, 2.0)
    assert found["words"].n == 1
