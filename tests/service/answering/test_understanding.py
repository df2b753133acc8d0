import pytest

from service.answering.understanding import condense, names_somebody, presumes, split_parts, understand, wanted


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
    assert "my lower back has been stiff" in core
    assert "how long" in core


def test_a_short_question_that_leans_keeps_what_it_leans_on() -> None:
    text = "I don't smoke. My scan showed a bulging disc but it doesn't hurt at all. Is that possible?"
    assert condense(text) == "My scan showed a bulging disc but it doesn't hurt at all. Is that possible?"


@pytest.mark.parametrize(
    "text",
    [
        "I don't want to give up my milk and cheese. Do I really need to, now I've had a stone in the kidney?",
        "I'm not keen on lifting with a back spasm. Should I?",
    ],
)
def test_a_question_whose_verb_stands_before_keeps_it(text: str) -> None:
    assert condense(text) == text
    assert condense(f"I don't smoke. {text}") == text


def test_work_with_another_organs_illness_is_not_about_the_back() -> None:
    assert understand("When can I go back to work after my gallbladder is out?").core.endswith("out?")


def test_a_medicine_and_an_amount_in_the_story_ask_for_no_dose() -> None:
    story = "My wife says I need tablets, both of them, together with my sister. How long does back pain last?"
    assert not understand(story).asks_dose
    assert understand("I take tablets for my back. Can I take two more?").asks_dose


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("I bent down and it locked up, what do I do", "back spasm"),
        ("can I still go to work with it", "stay active with back pain"),
        ("what is a charley hoarse", "muscle cramp"),
        ("should I see a chiropractor", "spinal manipulation"),
        ("is it something bad", "warning signs with back pain"),
    ],
)
def test_a_lay_phrase_is_searched_under_the_name_of_the_corpus(question: str, name: str) -> None:
    assert name in understand(question).core


def test_asking_whether_it_is_one_thing_asks_for_a_diagnosis() -> None:
    assert understand("Is it a slipped disc?").asks_diagnosis
    assert understand("I have pain in my back and it goes down my leg, what is it").asks_diagnosis
    assert not understand("Is it a slipped disc that presses on nerves in sciatica?").asks_diagnosis


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("I've had numb toes and a burning foot since Monday. What is it?", True),
        ("My leg has tingled for a week. It gets worse at night. What could it be", True),
        ("I've got sciatica, what is it?", False),
        ("my dad has spinal stenosis, what is that?", False),
        ("My doctor said spondylosis. What is that?", False),
        ("my massage therapist does myofascial something, what is it", False),
    ],
)
def test_who_names_what_they_have_asks_what_it_means(question: str, asked: bool) -> None:  # noqa: FBT001 - expected
    assert understand(question).asks_diagnosis is asked


def test_asking_for_a_reason_is_no_diagnosis() -> None:
    assert not understand("I dug the whole garden and now my back hurts. Could that be it?").asks_diagnosis
    assert understand("My back hurts. Could it be a tumour?").asks_diagnosis


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


@pytest.mark.parametrize(
    ("question", "presumed"),
    [
        ("Why do back spasms always end in an operation?", True),
        ("I read a lot. How come nobody over 60 gets sciatica?", True),
        ("Why do I get cramps at night?", False),
        ("Why don't surgeons operate on every bad back?", False),
        ("Does every kidney stone have to come out?", False),
    ],
)
def test_a_sweeping_premise_is_noticed(question: str, *, presumed: bool) -> None:
    assert presumes(question) is presumed


@pytest.mark.parametrize(
    ("question", "somebody"),
    [
        ("Is 85 too old for knee replacement surgery?", False),
        ("How many tablets are safe in a day?", False),
        ("Am I too old for surgery?", True),
        ("is my mum too old for an operation", True),
    ],
)
def test_advice_is_personal_where_somebody_is_named(question: str, somebody: bool) -> None:  # noqa: FBT001 - a case
    assert names_somebody(question) is somebody


def test_two_treatments_are_two_questions_unless_they_are_asked_about_together() -> None:
    assert split_parts("Is it safe to use a heating pad and ibuprofen for a back spasm?") == (
        "Is it safe to use a heating pad for a back spasm?",
        "Is it safe to use ibuprofen for a back spasm?",
    )
    for question in (
        "Can I take ibuprofen and naproxen together?",
        "Is it safe to use blood thinners and ibuprofen?",
        "What is the difference between heat and ice?",
        "I've tried heat and ice, what else?",
        "How do I alternate heat and ice?",
    ):
        assert split_parts(question) == (question,)


@pytest.mark.parametrize(
    ("question", "declined"),
    [
        ("Is it sciatica or just a pulled muscle?", True),
        ("is it kidney stones or just my back", True),
        ("Is it muscular or just stiffness?", True),
        ("do i have a slipped disc", True),
        ("is it safe or not", False),
        ("is it with proof or only feeling nice", False),
        ("do i have to stay in hospital if they smash it from outside", False),
    ],
)
def test_what_somebody_has_is_asked_for_not_what_is_good(question: str, *, declined: bool) -> None:
    assert understand(question).asks_diagnosis is declined


def test_a_dose_of_what_the_turn_before_named_is_a_dose() -> None:
    dose = "How many can I take a day, I weigh 120 kg?"
    assert not understand(dose).asks_dose
    assert understand(dose, "Can ibuprofen help a back spasm?").asks_dose
