"""Sentences of the shipped digests, changed where it matters, do not pass under the real model."""

import re
from collections import Counter
from pathlib import Path

from corpus.sentences import split_sentences
from service.answering.verifying import Text, verify
from service.application import load_parts
from service.settings import Settings

EVERY = 7
_UNIT = re.compile(r"\b(?:days|weeks|hours|months|years)\b")
_OTHER = {"days": "weeks", "weeks": "months", "hours": "days", "months": "years", "years": "months"}


def changes(sentence: str) -> list[str]:
    """Return the sentence with another number, another unit, a "not" less and a "not" more, where that can be."""
    made = [
        re.sub(r"\d+", lambda match: str(int(match[0]) + 1), sentence, count=1),
        _UNIT.sub(lambda match: _OTHER[match[0]], sentence, count=1),
        re.sub(r"\b(?:not|never|no)\b ", "", sentence, count=1),
        re.sub(r"\b(is|are|can|may|should|will)\b", r"\1 not", sentence, count=1),
    ]
    return [text for text in made if text != sentence]


def test_changed_sentences_do_not_pass_and_unchanged_ones_do(home: Path) -> None:
    replier, _ = load_parts(Settings(home=home)).open_newest()
    retriever = replier.answerer.retriever
    sentences = [
        (document, span.slice(document.text))
        for document in retriever.snapshot.documents.values()
        for span in split_sentences(document.text)
    ]
    verdicts: Counter[str] = Counter()
    for document, sentence in sentences[::EVERY]:
        texts = [Text(document.text, document.id)]
        assert verify(sentence, texts, retriever.embed).verdict == "verbatim"
        for changed in changes(sentence):
            verdicts[verify(changed, texts, retriever.embed).verdict] += 1
    assert verdicts["supported"] == verdicts["verbatim"] == 0, verdicts
    assert verdicts["contradicted"] >= 80
