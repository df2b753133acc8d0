import pytest

from index.spelling import Speller, count_words, model_words, words_of_others

CORPUS = ["Back spasms ease with movement.", "Sciatica: pain along the nerve", "spasms, spasms; moments"]


@pytest.mark.parametrize(
    ("typed", "repaired"),
    [
        ("spasm", "spasm"),
        ("spazms", "spasms"),
        ("pane in my bakpain", "pain in my back pain"),
        ("sapsms in my back", "spasms in my back"),
        ("siatica", "sciatica"),
        ("scaitcia nrve", "sciatica nerve"),
        ("movment", "movement"),
        ("Back SPASMS", "Back SPASMS"),
        ("pian", "pian"),
        ("xylophone", "xylophone"),
        ("yoga don't bck", "yoga don't bck"),
        ("wen shud my bak", "when should my back"),
        ("", ""),
    ],
)
def test_unknown_words_become_the_nearest_word_of_the_corpus(typed: str, repaired: str) -> None:
    assert Speller(count_words(CORPUS), frozenset({"pian"})).repair(typed) == repaired


def test_of_equally_near_words_the_more_frequent_wins_and_then_the_alphabet() -> None:
    assert Speller(count_words(["warmth warmly warmly"]), frozenset()).repair("warml") == "warmly"
    assert Speller(count_words(["backs packs", "backe"]), frozenset()).repair("backx") == "backe"
    assert Speller(count_words(["backs backs", "backe"]), frozenset()).repair("backx") == "backs"


def test_a_repair_is_the_same_the_second_time() -> None:
    speller = Speller(count_words(CORPUS), frozenset())
    assert [speller.repair("siatica") for _ in range(3)] == ["sciatica"] * 3


def test_only_whole_words_of_a_vocabulary_are_words() -> None:
    assert model_words(["[CLS]", "##ing", "back", "of", "s1", "yoga"]) == {"back", "yoga"}


def test_what_other_questions_often_name_is_a_word() -> None:
    assert words_of_others(["Acne?", "acne scars", "my acne hurts", "scars"]) == {"acne"}
