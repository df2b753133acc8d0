"""Denials, suppositions, general questions and old stories."""

import pytest

from service.triage.loading import Rules
from service.triage.screening import screen

_NOTHING = [
    "no numbness, no fever",
    "without any weakness in my legs my back is stiff",
    "no fever, chills or weight loss, just a tight lower back",
    "I don't have any numbness in my groin",
    "my groin isn't numb",
    "numbness went away years ago, which pillow is good?",
    "what if I lose feeling in my legs?",
    "neither fever nor chills, a stiff back from gardening",
    "numbness in the groin? No. Fever? No. Stiff back? yes",
    "as a kid I wet the bed, does core training help backs?",
    "I used to get chest pain, all gone now. good stretches?",
    "if I ever lost control of my bladder, who would I call?",
    "I'm worried about getting cancer in my spine one day, how do I keep my back healthy?",
    "my dog had a fever and now my back is stiff from lifting him",
    "I haven't gone numb down there, my back is just stiff",
    "zero weakness, zero numbness, a stiff back from painting",
    "I've never had a leg give way on me, stiff back from painting",
    "not short of breath, I walked up the stairs, my back is a bit stiff",
    "never had chest pain. Which stretches help?",
    "Doctor checked for numbness between the legs and found none. Is walking ok?",
    "it doesn't go into the bottom or down either leg",
    "breathing fine, chest fine, arms fine, upper back sore from swimming",
    "If numbness between the legs were to turn up after the operation, whom would I ring?",
    "my yoga mat has gone all yellow from the sun",
    "I nearly had a heart attack when I saw the bill",
    "Already checked: no saddle numbness, no leg weakness, no bladder trouble",
]
_INFO = [
    "is numbness a sign of cauda equina?",
    "what are the warning signs of cauda equina syndrome?",
    "can a heart attack be felt only in the back?",
    "how does a kidney infection turn into sepsis?",
    "symptoms of an aortic aneurysm",
]
_EMERGENCY = [
    "no fever but my groin is numb",
    "no numbness anywhere, but I can't pee since last night",
    "I have not only back pain but also a fever",
    "not just numb down there, I also wet myself",
    "no doubt about it, my groin is numb",
    "I can't feel my groin, no fever",
    "no fever, no weight loss, groin completely numb",
    "I'm not without fever, and my back hurts",
    "it started years ago but now my groin is numb",
    "never had numbness like this in my groin before",
    "I don't know why my groin is numb",
    "can't sleep, fever, back pain",
    "what is wrong with me? my groin is numb and my back hurts",
    "why can't I feel my groin since my back went?",
    "if I cough I wet myself since my back went",
    "no relief, my back hurts and I've got a fever",
    "the fever hasn't gone and my back hurts",
    "I won't stop shivering and my back hurts",
]


@pytest.mark.parametrize("text", _NOTHING)
def test_what_is_denied_supposed_or_long_past_raises_nothing(rules: Rules, text: str) -> None:
    assert screen(text, rules) is None


@pytest.mark.parametrize("text", _INFO)
def test_a_general_question_brings_general_information(rules: Rules, text: str) -> None:
    notice = screen(text, rules)
    assert notice is not None
    assert (notice.level.value, notice.urgent) == ("info", False)


@pytest.mark.parametrize("text", _EMERGENCY)
def test_what_only_looks_denied_is_an_emergency(rules: Rules, text: str) -> None:
    notice = screen(text, rules)
    assert notice is not None
    assert notice.level.value == "emergency"
