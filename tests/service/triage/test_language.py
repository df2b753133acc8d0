"""Only English is screened, and short or misspelt English is English."""

import pytest

from service.triage import language
from service.triage.language import Warming, is_screened, unchecked_text


@pytest.mark.parametrize(
    "text",
    [
        "cant pee", "numb bum", "ow", "sciatica?", "peein blud", "me back's murder", "lumbago sciatica osteoporosis",
        "What is Emery-Dreifuss muscular dystrophy?", "cauda equina", "", "???", "bk pain 2 wks wot do i do",
        "I have strong pain of lumbar since yesterday", "dnt wnt 2 b here nemore. bk ruined evrything",
        "pissed claret, flank's murder", "paracetamol or ibuprofen gel", "Is Ehlers-Danlos syndrome inherited?",
    ],
)  # fmt: skip
def test_english_is_screened(text: str) -> None:
    assert is_screened(text) == (True, "en")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("No puedo orinar y me duele la espalda", "es"),
        ("dolor de espalda", "es"),
        ("Ich habe Rückenschmerzen und Fieber", "de"),
        ("J’ai mal au dos depuis hier", "fr"),
        ("mal di schiena forte da tre giorni", "it"),
        ("boli mnie plecy od wczoraj", "pl"),
        ("у меня болит спина", "ru"),
        ("背中が痛い", "ja"),
        # One short word that is English too does not make a text English.
        ("rygsmerter siden i går og jeg kan ikke tisse", "da"),
        ("ont i ryggen och kan inte kissa", "sv"),
        ("sinds gisteren pijn in de onderrug", "nl"),
        ("mam gorączkę i ból pleców", "pl"),
        ("am febra si dureri de spate", "ro"),
        ("taubes gefühl im schritt", "de"),
        ("masakit ang likod ko at hindi ako makaihi", "tl"),
    ],
)
def test_another_language_is_recognised(text: str, language: str) -> None:
    assert is_screened(text) == (False, language)


@pytest.mark.parametrize("language", ["en", "es", "de", "fr", "it"])
def test_what_was_not_checked_is_said_with_the_emergency_numbers(language: str) -> None:
    assert "(112, 911, 999)" in unchecked_text(language)


def test_a_language_without_a_sentence_of_its_own_gets_the_english_one() -> None:
    assert unchecked_text("pl") == unchecked_text("en")


def test_the_identifier_is_loaded_once_while_a_service_starts() -> None:
    language._identifier.cache_clear()
    done: list[str] = []
    warming = Warming(lambda: done.append("other work"))
    warming.start()
    warming.stop()
    assert done == ["other work"]
    assert language._identifier.cache_info().currsize == 1
    assert is_screened("boli mnie plecy od wczoraj") == (False, "pl")
    assert language._identifier.cache_info().misses == 1


def test_a_letter_alone_is_french_only_where_an_apostrophe_cut_it_off() -> None:
    assert is_screened("vitimin c aswell?") == (True, "en")
    for french in ("j'urine sang", "l'urine s'arrête", "c'est grave"):
        assert is_screened(french) == (False, "fr")
