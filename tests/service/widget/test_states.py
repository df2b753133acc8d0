"""What the person sees in each state."""

import pytest

from tests.service.widget import replies
from tests.service.widget.conftest import DESKTOP, Open

pytestmark = pytest.mark.needs("chromium")


def test_empty_page_offers_three_examples_and_sends_the_tapped_one(open_page: Open) -> None:
    opened = open_page()
    assert opened.find(".empty h2").inner_text() == "What would you like to know about your back?"
    assert opened.find(".empty .choice").count() == 3
    opened.find(".empty .choice").first.click()
    opened.find(".sentence").first.wait_for()
    assert opened.service.asked[0] == {"question": replies.REST, "mode": "extractive"}
    opened.assert_clean()


def test_each_sentence_ends_in_a_number_that_rises_from_one(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.REST)
    assert opened.find(".main > .sentence button.chip").all_inner_texts() == ["1", "2", "3"]
    assert opened.find(".framed button.chip").all_inner_texts() == ["1", "4"]
    assert opened.find(".source:visible > .chip").all_inner_texts() == ["1", "2"]
    assert opened.find(".head").first.inner_text() == "From the sources"
    assert opened.find(".badge").inner_text() == "No AI writing"
    opened.assert_clean()


def test_a_number_opens_one_card_under_its_sentence_and_closes_it_again(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.REST)
    chips = opened.find(".main > .sentence button.chip")
    chips.nth(0).click()
    card = opened.find(".card:visible")
    assert card.locator("h4").inner_text().strip() == "Back Pain"
    assert "NINDS, US National Institutes of Health" in card.inner_text()
    assert "Our digest says (our words, not theirs)" in card.inner_text()
    assert card.locator("mark").inner_text() == replies.BED_REST["quote"]
    assert "“" not in card.inner_text()
    assert "Read in the page's own text · date not known · checked 22 Nov 2026" in card.inner_text()
    link = card.locator("a")
    assert link.get_attribute("href") == replies.BED_REST["url"]
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert "Open the page at ninds.nih.gov (opens in a new tab)" in (link.text_content() or "")
    chips.nth(2).click()
    assert opened.find(".card:visible").count() == 1
    assert "National Institute of Neurological Disorders and Stroke" in opened.find(".card:visible .fine").inner_text()
    chips.nth(2).click()
    assert opened.find(".card:visible").count() == 0
    opened.assert_clean()


def test_a_real_quote_has_marks_and_bar_and_jumps_to_the_words(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.QUOTED)
    opened.find("button.chip").click()
    card = opened.find(".card:visible")
    assert "The page says" in card.inner_text()
    assert "“… As to rest: Bed rest should be limited.”" in card.inner_text()
    assert card.locator(".says.quote").count() == 1
    assert "page dated 5 Mar 2024" in card.inner_text()
    assert "See this text at ninds.nih.gov" in card.locator("a").inner_text()


def test_old_and_unsure_evidence_is_said_on_the_card(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.HEAT)
    opened.find("button.chip").nth(0).click()
    assert "perhaps not the page first cited · date not known" in opened.find(".card:visible").inner_text()
    opened.find("button.chip").nth(1).click()
    text = opened.find(".card:visible").inner_text()
    assert "Older edition or sister page of the one cited · page dated 2013 · more than five years old" in text


def test_partial_answer_names_what_is_missing_right_after_the_sentences(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.HEAT)
    assert opened.find(".head").first.inner_text() == "Part of your question"
    box = opened.find(".main > .sentence + .framed")
    assert box.locator("p").all_inner_texts() == [
        "I found nothing about this: sleep with a heat pad on.",
        "Ask a doctor or pharmacist.",
    ]


def test_differing_sources_stand_side_by_side(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.REST)
    box = opened.find(".framed")
    assert box.locator("> h4").inner_text() == "The sources differ: bed rest"
    assert box.locator(".sentence > .small").all_inner_texts() == [
        "NINDS, US National Institutes of Health",
        "A.D.A.M. Medical Encyclopedia, MedlinePlus",
    ]


def test_abstention_gives_reason_and_nearest_passages(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.DOSE)
    assert opened.find(".head.title").inner_text() == "I can't answer that from my sources"
    text = opened.find(".main").inner_text()
    assert "This depends on you and your medicines." in text
    assert opened.find(".only-if").inner_text().startswith("Already taken too much, or hard to stay awake?")
    assert opened.find(".found .answer").inner_text().startswith(replies.HEAT_EASES["quote"])
    opened.find(".found button.chip").click()
    assert opened.find(".card:visible a").get_attribute("href") == replies.HEAT_EASES["url"]
    assert opened.find(".badge").count() == 0
    opened.assert_clean()


@pytest.mark.parametrize(
    ("question", "reason", "choices"),
    [
        (replies.PARIS, "I only know about back pain and what can cause it.", 3),
        (replies.NOTHING, "I looked and found nothing that fits. Other words may help.", 0),
        (replies.UNCLEAR, "I'm not sure what you mean. Did you mean one of these?", 2),
    ],
)
def test_each_reason_has_its_words_and_next_step(open_page: Open, question: str, reason: str, choices: int) -> None:
    opened = open_page()
    opened.ask(question)
    assert opened.find(".main .answer").inner_text() == reason
    assert opened.find(".main .choices .choice").count() == choices


def test_a_model_s_words_are_named_as_such(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.WORDED)
    opened.find(".badge").click()
    assert opened.find(".badge").inner_text() == "Worded by AI, checked"
    assert "It can still be wrong, so open the card." in opened.find(".main").inner_text()
    opened.find("button.chip").click()
    assert "The AI's sentence rests on this text." in opened.find(".card:visible").inner_text()


def test_that_a_model_outside_reads_the_question_is_said_before_it_is_sent(open_page: Open) -> None:
    opened = open_page("/?outside-model")
    note = opened.find("#note")
    assert note.inner_text().startswith("An outside AI will read your question")
    assert "note" in str(opened.find("textarea#question").get_attribute("aria-describedby"))
    opened.ask(replies.REST)
    asked = opened.service.asked[-1]["mode"]
    plain = open_page()
    assert "model" not in plain.find("#note").inner_text()
    plain.ask(replies.REST)
    assert [asked, plain.service.asked[-1]["mode"]] == ["auto", "extractive"]


def test_follow_up_sends_history_and_goes_on_counting(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.REST)
    assert opened.find(".main .choices .choice").count() == 2
    opened.find(".main .choices .choice").first.click()
    opened.find(".turn").nth(1).locator(".sentence").nth(1).wait_for()
    assert opened.service.asked[1] == {
        "question": "Is exercise good for back pain?",
        "history": [replies.REST],
        "mode": "extractive",
    }
    second = opened.find(".turn").nth(1)
    assert second.locator(".main > .sentence button.chip").all_inner_texts() == ["5", "1"]
    assert "Read as: Is exercise good for a back spasm?" in second.inner_text()


def test_searching_shows_after_a_moment_and_stop_gives_the_question_back(open_page: Open) -> None:
    opened = open_page()
    opened.find("textarea").fill(replies.SLOW)
    opened.find(".send").click()
    assert opened.find(".busy").inner_text() == "Looking in the sources…"
    assert opened.find(".send").inner_text() == "Stop"
    opened.find(".send").click()
    opened.find(".empty").wait_for()
    assert opened.find("textarea").input_value() == replies.SLOW
    assert opened.find(".turn").count() == 0


def test_error_keeps_the_question_and_tells_the_request(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.BROKEN)
    text = opened.find(".failure:visible").inner_text()
    assert text.startswith("That did not work. Your question is still here.")
    assert "Request req_0123456789" in text
    assert opened.find("textarea").input_value() == replies.BROKEN
    assert "I can't answer that" not in opened.find(".turns").inner_text()
    assert opened.find(".strip").is_visible()
    opened.service.delay_seconds = 0.5
    opened.find(".failure:visible button").click()
    opened.find(".failure:visible").wait_for(state="detached")
    opened.find(".failure:visible").wait_for()
    assert opened.service.asked == [{"question": replies.BROKEN, "mode": "extractive"}] * 2
    assert opened.find(".turn").count() == 1


def test_rate_limit_counts_down_and_lets_go(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.LIMITED)
    line = opened.find(".failure:visible")
    assert line.inner_text() == "Too many questions at once. You can ask again in 3 seconds."
    assert opened.find(".send").get_attribute("aria-disabled") == "true"
    assert opened.find("textarea").input_value() == replies.LIMITED
    line.wait_for(state="detached")
    assert opened.find(".send").get_attribute("aria-disabled") == "false"
    assert len(opened.service.asked) == 1


def test_offline_says_that_nothing_was_checked_and_sends_nothing_later(open_page: Open) -> None:
    opened = open_page()
    # A name that is not this machine's own: a service on this machine is never out of reach.
    opened.page.goto(opened.service.url.replace("127.0.0.1", "app.localhost"))
    tell = "on => { Object.defineProperty(navigator, 'onLine', {get: () => on, configurable: true});"
    tell += " dispatchEvent(new Event(on ? 'online' : 'offline')); }"
    opened.page.evaluate(tell, arg=False)
    notice = opened.find("[data-failure='offline-now']")
    notice.wait_for()
    assert "I have not read your question or checked it for warning signs." in notice.inner_text()
    opened.find("textarea").fill(replies.NUMB)
    opened.find("textarea").press("Enter")
    opened.page.evaluate(tell, arg=True)
    notice.wait_for(state="hidden")
    assert opened.service.asked == []
    assert opened.find("textarea").input_value() == replies.NUMB


def test_a_service_on_this_machine_answers_without_any_network(open_page: Open) -> None:
    opened = open_page()
    opened.page.evaluate(
        "() => { Object.defineProperty(navigator, 'onLine', {get: () => false}); dispatchEvent(new Event('offline')); }"
    )
    opened.find("textarea").fill(replies.NUMB)
    opened.find("textarea").press("Enter")
    opened.find(".turn").first.wait_for()
    assert opened.find("[data-failure='offline-now']").is_hidden()


def test_copied_text_carries_numbers_and_sources(open_page: Open) -> None:
    opened = open_page()
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.ask(replies.REST)
    opened.find(".tools button").click()
    opened.find(".tools .small").wait_for()
    copied = opened.page.evaluate("navigator.clipboard.readText()")
    assert f"{replies.BED_REST['quote']} [1]" in copied
    assert "[4] Low back pain - acute. A.D.A.M. Medical Encyclopedia, MedlinePlus. Our digest says" in copied
    assert "https://medlineplus.gov/ency/article/007425.htm" in copied
    assert "No AI writing" in copied


def test_feedback_is_there_only_where_it_is_switched_on(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.REST)
    assert opened.find(".feedback").count() == 0
    switched_on = open_page("/?feedback")
    switched_on.ask(replies.REST)
    switched_on.find(".feedback button").nth(1).click()
    reasons = switched_on.find(".feedback [aria-pressed]")
    assert reasons.first.inner_text() == "A warning was missing"
    reasons.first.click()
    switched_on.find(".feedback fieldset > button").last.click()
    switched_on.find(".feedback p").wait_for()
    assert switched_on.service.feedback == [
        {"answer_id": "ans_1", "verdict": "no"},
        {"answer_id": "ans_1", "verdict": "no", "reason": "warning"},
    ]
    switched_on.assert_clean()


def test_feedback_on_one_source_names_it(open_page: Open) -> None:
    opened = open_page("/?feedback")
    opened.ask(replies.REST)
    opened.find(".main > .sentence button.chip").nth(1).click()
    rating = opened.find(".card:visible .feedback")
    assert rating.locator(".small").inner_text() == "Does this source help?"
    rating.locator("button").nth(1).click()
    assert rating.locator("[aria-pressed]").all_inner_texts() == [
        "Something is wrong",
        "It did not answer me",
        "Hard to understand",
    ]
    rating.locator("[aria-pressed]").first.click()
    rating.locator("textarea").fill("The page says three days.")
    rating.locator("fieldset > button").last.click()
    opened.find(".card:visible .feedback p").wait_for()
    opened.find(".main > .sentence button.chip").nth(0).click()
    with opened.page.expect_response("**/feedback"):
        opened.find(".card:visible .feedback button").nth(0).click()
    opened.find(".card:visible .feedback p").wait_for()
    assert opened.service.feedback == [
        {"answer_id": "ans_1", "citation_id": "c2", "verdict": "no"},
        {
            "answer_id": "ans_1",
            "citation_id": "c2",
            "verdict": "no",
            "reason": "wrong",
            "text": "The page says three days.",
        },
        {"answer_id": "ans_1", "citation_id": "c1", "verdict": "yes"},
    ]
    opened.assert_clean()


def test_a_conversation_keeps_its_id(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(replies.REPLIES, "first", {**replies.REPLIES[replies.REST], "conversation_id": "conv_1"})
    opened = open_page()
    opened.ask("first")
    opened.ask(replies.HEAT)
    opened.find("button.new").click()
    opened.ask(replies.HEAT)
    assert [body.get("conversation_id") for body in opened.service.asked] == [None, "conv_1", None]


def test_streamed_sentences_fold_to_the_same_reply(open_page: Open) -> None:
    whole, streamed = open_page(), open_page("/?stream")
    for opened in (whole, streamed):
        opened.ask(replies.REST)
    assert streamed.service.asked[-1]["stream"] is True
    assert streamed.find(".main").inner_text() == whole.find(".main").inner_text()
    streamed.assert_clean()


def test_a_stream_that_breaks_off_keeps_its_sentences_and_says_so(open_page: Open) -> None:
    opened = open_page("/?stream")
    opened.service.cuts = True
    opened.ask(replies.REST)
    assert opened.find(".sentence").count() == 3
    assert opened.find(".failure:visible p").first.inner_text() == "The connection broke off. More may be missing."
    assert "I can't answer that" not in opened.find(".turns").inner_text()
    opened.service.cuts = False
    opened.find(".failure:visible button").click()
    opened.find(".badge").wait_for()
    assert opened.find(".failure:visible").count() == 0
    assert opened.find(".main > .sentence").count() == 3


def test_stop_keeps_the_verified_sentences(open_page: Open) -> None:
    opened = open_page("/?stream")
    opened.service.sentence_seconds = 5.0
    opened.find("textarea").fill(replies.REST)
    opened.find("textarea").press("Enter")
    opened.find(".sentence").first.wait_for()
    assert opened.find(".busy").inner_text() == "Checking the next sentence"
    opened.find("button.chip").first.click()
    assert opened.find(".card:visible").count() == 1
    opened.find(".send").click()
    opened.find(".failure:visible").wait_for()
    assert opened.find(".failure:visible").inner_text().startswith("You stopped here.")
    assert opened.find(".main > .sentence").count() == 1


def test_streamed_emergency_comes_before_its_answer(open_page: Open) -> None:
    opened = open_page("/?stream")
    opened.ask(replies.NUMB)
    assert opened.find(".notice.emergency").is_visible()
    assert opened.find("details.fold").get_attribute("open") is None


def test_wide_pages_show_the_cards_in_a_rail(open_page: Open) -> None:
    opened = open_page(size=DESKTOP)
    opened.ask(replies.REST)
    assert opened.find(".rail .card:visible").count() == 4
    opened.find(".main > .sentence button.chip").nth(1).click()
    assert opened.find(".rail .card.active h4").inner_text().split() == ["2", "Low", "back", "pain", "-", "acute"]
    opened.page.set_viewport_size({"width": 700, "height": 900})
    opened.find(".sentence .card.active").wait_for()
    assert opened.find(".card:visible").count() == 1


def test_new_question_starts_a_new_conversation(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.REST)
    opened.find("button.new").click()
    assert opened.find(".turn").count() == 0
    opened.ask(replies.HEAT)
    assert opened.service.asked[-1] == {"question": replies.HEAT, "mode": "extractive"}
    assert opened.find(".main > .sentence button.chip").all_inner_texts() == ["1", "2"]


def test_personal_details_raise_a_hint_that_never_blocks(open_page: Open) -> None:
    opened = open_page()
    opened.find("textarea").fill("My name is Ann, call me on 555-123-4567")
    assert "This looks like personal details." in opened.find("#hint").inner_text()
    opened.find("textarea").press("Enter")
    opened.find(".main .head").wait_for()
    assert len(opened.service.asked) == 1


def test_without_javascript_the_page_says_so_and_keeps_the_emergency_line(open_page: Open) -> None:
    opened = open_page(script=False)
    text = opened.find("main").inner_text()
    assert "Emergency? Call 112, 911, 999 or your local number." in text
    assert "This page needs JavaScript to ask questions." in text
    assert opened.find("noscript a").first.get_attribute("href") == "tel:112"
