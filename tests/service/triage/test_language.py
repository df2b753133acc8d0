"""Only English is screened, and short or misspelt English is English."""

import pytest

from service.triage.language import is_screened, unchecked_text


@pytest.mark.parametrize(
    "text",
    [
        "cant pee", "numb bum", "ow", "sciatica?", "peein blud", "me back's murder", "lumbago sciatica osteoporosis",
        "What is Emery-Dreifuss muscular dystrophy?", "cauda equina", "", "???", "bk pain 2 wks wot do i do",
        "I have strong pain of lumbar since yesterday",
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
    ],
)
def test_another_language_is_recognised(text: str, language: str) -> None:
    assert is_screened(text) == (False, language)


@pytest.mark.parametrize("language", ["en", "es", "de", "fr", "it"])
def test_what_was_not_checked_is_said_with_the_emergency_numbers(language: str) -> None:
    assert "(112, 911, 999)" in unchecked_text(language)


def test_a_language_without_a_sentence_of_its_own_gets_the_english_one() -> None:
    assert unchecked_text("pl") == unchecked_text("en")
