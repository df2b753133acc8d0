"""Fixtures of the index: two small corpora and the fake embedder."""

import pytest

from corpus.records import Document
from tests.index.fakes import HashingEmbedder, make_document


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder()


@pytest.fixture
def documents() -> list[Document]:
    return [
        make_document(
            "warmth",
            "Warmth and cold",
            ("Heat", "A warm bath relaxes tight muscles. Keep heat packs away from bare skin."),
            ("Ice", "An ice pack can numb soreness. Wrap it in a towel."),
        ),
        make_document(
            "walking",
            "Walking",
            ("Short walks", "Walk a little every hour. Étirez-vous — stretch “gently” 🙂 before a walk."),
        ),
        make_document("private", "House notes", ("Heat", "The warm bath is on the second floor."), collection="clinic"),
    ]


@pytest.fixture
def more_documents(documents: list[Document]) -> list[Document]:
    return [
        *documents,
        make_document("sleeping", "Sleep", ("Mattress", "A pillow under the knees helps side sleepers.")),
    ]
