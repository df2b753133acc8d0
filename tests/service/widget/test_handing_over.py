"""Hand-over to a person, where the site has set one."""

import pytest

from tests.service.widget import replies
from tests.service.widget.conftest import Open

pytestmark = pytest.mark.needs("chromium")


def test_hand_over_shows_what_it_sends_before_it_sends(open_page: Open) -> None:
    opened = open_page("/?handoff")
    opened.ask(replies.DOSE)
    opened.find(".handoff .choice.primary").click()
    assert opened.find(".preview").inner_text() == replies.DOSE
    assert opened.find(".handoff h4").evaluate("e => e.getRootNode().activeElement === e")
    assert opened.service.handoffs == []
    opened.find(".handoff .choice.primary").click()
    done = opened.find("text=Sent. The help desk will answer you by e-mail.")
    done.wait_for()
    assert done.evaluate("e => e.getRootNode().activeElement === e")
    assert opened.service.handoffs == [{"answer_id": "ans_1", "question": replies.DOSE}]
    opened.assert_clean()


def test_hand_over_can_be_left_and_gives_the_focus_back(open_page: Open) -> None:
    opened = open_page("/?handoff")
    opened.ask(replies.REST)
    opened.find(".handoff .choice.primary").click()
    opened.find(".handoff input").fill("me@example.org")
    opened.find(".handoff .row .choice").last.click()
    opener = opened.find(".handoff .choice.primary")
    assert opener.inner_text() == "Send my question to a person"
    assert opener.evaluate("e => e.getRootNode().activeElement === e")
    assert opened.service.handoffs == []


def test_hand_over_sends_a_contact_only_when_one_is_given(open_page: Open) -> None:
    opened = open_page("/?handoff")
    opened.service.handed = ({"team": None, "channel": None, "triage": None}, 202)
    opened.ask(replies.NOTHING)
    opened.find(".handoff .choice.primary").click()
    opened.find(".handoff input").fill(" me@example.org ")
    opened.find(".handoff .choice.primary").click()
    opened.find("text=Sent. A person will read it.").wait_for()
    assert opened.service.handoffs[0]["contact"] == "me@example.org"


def test_a_warning_sign_in_what_is_sent_is_told_first(open_page: Open) -> None:
    opened = open_page("/?handoff")
    opened.service.handed = ({"team": None, "channel": None, "triage": replies.EMERGENCY}, 202)
    opened.ask(replies.DOSE)
    opened.find(".handoff .choice.primary").click()
    opened.find(".handoff .choice.primary").click()
    notice = opened.find(".handoff .notice.emergency")
    notice.wait_for()
    assert notice.locator(".call").count() == 3
    assert opened.find(".handoff > *").first.get_attribute("class") == "notice emergency"


def test_where_nothing_is_set_the_service_says_whom_to_write_to(open_page: Open) -> None:
    opened = open_page("/?handoff")
    problem = {"detail": "Write to desk@example.org.", "code": "no-handoff", "status": 409, "request_id": "req_1"}
    opened.service.handed = (problem, 409)
    opened.ask(replies.DOSE)
    opened.find(".handoff .choice.primary").click()
    opened.find(".handoff .choice.primary").click()
    opened.find("text=Write to desk@example.org.").wait_for()
    assert opened.find(".preview").inner_text() == replies.DOSE


def test_nobody_is_offered_where_the_site_has_set_nobody(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.DOSE)
    assert opened.find(".handoff").count() == 0
    assert "Send my question to a person" not in opened.find(".turn").inner_text()
