import pytest

from service.answering.understanding import condense, split_parts, understand, wanted


@pytest.mark.parametrize(
    "question",
    [
        "How many ibuprofen can I take a day for my back?",
        "can I double my muscle relaxant tonight",
        "My doctor gave me 5 mg diazepam, should I stop taking it?",
        "what dose of naproxen is right for my wife",
    ],
)
def test_a_personal_dose_is_recognised(question: str) -> None:
    assert understand(question).asks_dose


@pytest.mark.parametrize(
    "question",
    ["Can I take ibuprofen for back pain?", "Do muscle relaxants make people sleepy?", "how long should I rest"],
)
def test_a_general_question_on_medicine_is_no_dose(question: str) -> None:
    assert not understand(question).asks_dose


@pytest.mark.parametrize(
    "question",
    ["Do I have a slipped disc?", "what's wrong with my back", "Have I torn a muscle?", "diagnose me please"],
)
def test_asking_for_a_diagnosis_is_recognised(question: str) -> None:
    assert understand(question).asks_diagnosis


@pytest.mark.parametrize(
    "question",
    [
        "Is it proven that hot or cold packs speed healing?",
        "Is heat or ice better?",
        "Is bed rest good or bad for back pain?",
    ],
)
def test_a_choice_is_no_diagnosis(question: str) -> None:
    assert not understand(question).asks_diagnosis


def test_two_questions_are_two_parts() -> None:
    assert split_parts("What causes back spasms and how long do they last?") == (
        "What causes back spasms",
        "how long do they last?",
    )
    assert split_parts("Is heat good? What about bed rest?") == ("Is heat good?", "What about bed rest?")


def test_one_question_stays_whole() -> None:
    assert split_parts("Is heat or ice better for back and neck?") == ("Is heat or ice better for back and neck?",)


def test_a_long_question_is_condensed_to_what_it_asks() -> None:
    story = (
        "My neighbour told me a long story about his holiday, the weather and the food over there yesterday evening. "
    )
    assert condense(story + "How long does back pain last? " + story) == "How long does back pain last?"


def test_a_condensed_question_keeps_its_topic() -> None:
    story = (
        "We moved house ten days ago and my lower back has been stiff since then, I still get about and carry on. "
        "Roughly how long do these things take to clear up for most people?"
    )
    core = condense(story)
    assert "back" in core
    assert "how long" in core


def test_a_short_question_is_left_alone() -> None:
    assert condense("my back. how long?") == "my back. how long?"


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How long does it last?", "duration"),
        ("How many people get it?", "quantity"),
        ("Which antibiotic is used?", "name"),
        ("What is sciatica?", ""),
    ],
)
def test_the_wanted_detail(question: str, kind: str) -> None:
    assert wanted(question) == kind


def test_a_hostile_question_is_read_in_linear_time() -> None:
    understanding = understand("is it " * 1300 + "or or or " * 20)
    assert understanding.parts
