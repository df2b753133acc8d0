from dataclasses import replace

import pytest

from service.answering.answerer import Answerer
from service.answering.errors import BrokenProofError
from service.answering.records import Question


def test_a_quote_that_is_not_the_text_of_its_span_is_refused(answerer: Answerer) -> None:
    citation = answerer.answer(Question("What is a back spasm?")).citations[0]
    with pytest.raises(BrokenProofError):
        replace(citation, quote=citation.quote.replace("a", "e", 1))


def test_a_sentence_without_its_citation_is_refused(answerer: Answerer) -> None:
    answer = answerer.answer(Question("What is a back spasm?"))
    with pytest.raises(BrokenProofError):
        replace(answer, citations=())


def test_a_changed_sentence_is_refused(answerer: Answerer) -> None:
    answer = answerer.answer(Question("What is a back spasm?"))
    first = replace(answer.sentences[0], text=answer.sentences[0].text + " Never worry.")
    with pytest.raises(BrokenProofError):
        replace(answer, sentences=(first, *answer.sentences[1:]))
