import json

import pytest

from corpus.splitting import split_document
from index.lexical import LexicalIndex
from index.spelling import count_words
from index.weighing import WordCounts
from tests.index.fakes import HashingEmbedder, make_document

EMBEDDER = HashingEmbedder()
TEXTS = ["Heat helps a spasm. Heat, and walking.", "Walk a little every day.", "Cold packs for a spasm of the back."]
PASSAGES = [
    passage
    for number, text in enumerate(TEXTS)
    for passage in split_document(
        make_document(f"s{number}", "Guide", ("Spasms", text)), EMBEDDER.count_tokens, EMBEDDER.token_budget
    )
]
EMBEDDED = [passage.embedded_text for passage in PASSAGES]


@pytest.mark.parametrize("query", ["heat for a spasm", "walking heat heat", "guide", "zebra", ""])
def test_a_few_texts_have_the_scores_of_an_index_over_all(query: str) -> None:
    counts = WordCounts.sum(WordCounts.of([passage]) for passage in PASSAGES)
    wanted = LexicalIndex.build(EMBEDDED).scores(query).tolist()
    assert counts.score(query, EMBEDDED, counts.weights()) == wanted
    assert counts.score(query, EMBEDDED[1:], counts.weights()) == wanted[1:]


def test_words_weigh_what_they_would_in_an_index_over_all() -> None:
    counts, whole = WordCounts.of(PASSAGES), LexicalIndex.build(EMBEDDED)
    weights = counts.weights()
    assert weights.vocabulary == whole.vocabulary
    assert {stem: weights.idf(stem) for stem in (*whole.vocabulary, "zebra")} == {
        stem: whole.idf(stem) for stem in (*whole.vocabulary, "zebra")
    }
    assert len(weights) == len(PASSAGES)
    assert weights.search("heat", 3) == []


def test_counts_add_up_and_survive_being_written() -> None:
    whole = WordCounts.of(PASSAGES)
    assert WordCounts.sum(WordCounts.of([passage]) for passage in PASSAGES) == whole
    assert WordCounts.of_fields(json.loads(json.dumps(whole.to_fields()))) == whole
    assert whole.words == count_words(EMBEDDED)
    assert (whole.passages, whole.stems["heat"], whole.words["heat"]) == (3, 1, 2)
    assert WordCounts.sum([]) == WordCounts(0, 0, {}, {})
