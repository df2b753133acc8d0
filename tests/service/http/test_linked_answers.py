"""The page behind the link in a note."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.answering.records import Question
from service.http.presenting import reply_json
from service.linking import answer_url
from service.settings import Settings
from service.storage.answers import StoredAnswer, store_answers
from service.storage.connections import Connection, remove_connection, store_connection
from service.storage.database import feedback
from service.triage.screening import load_rules
from tests.service.http.serving import Service, open_service
from tests.service.http.test_app import check_problem

QUESTION = "How long do <b>back spasms</b> last?"


@pytest.fixture
def service(home: Path) -> Iterator[Service]:
    opened = open_service(home, load_rules(), open_reading=False)
    with opened.client:
        yield opened


def connected(service: Service, name: str = "help", signs: str = "what signs links") -> Connection:
    options = {"public_url": service.own_origin, "link_secret": signs}
    made = Connection(name, "zendesk", options, (), emergency_to_customer=False)
    store_connection(service.database, made)
    return made


def linked(service: Service, connection: Connection) -> str:
    """Keep an answer as the worker does, and return the link to it."""
    reply = service.desk.replier.reply(Question("How long do back spasms last?"))
    text = json.dumps(reply_json(reply, "desk_1"))
    store_answers(
        service.database,
        [StoredAnswer(reply.id, f"desk:{connection.name}", "desk_1", "default", QUESTION, text, reply.created)],
    )
    url = answer_url(connection, reply, Settings(home=service.home))
    assert url.startswith(f"{service.own_origin}/desk/help/ans_")
    return url


def verdicts(service: Service) -> list[tuple[str, str, str | None, str | None]]:
    with service.database.connect() as connection:
        rows = connection.execute(feedback.select()).mappings().all()
    return [(row["asker"], row["verdict"], row["reason"], row["text"]) for row in rows]


def test_an_agent_sees_the_whole_answer_and_nothing_becomes_markup(service: Service) -> None:
    page = service.client.get(linked(service, connected(service)))
    assert page.status_code == 200
    assert "Most back spasms get better within two weeks." in page.text
    assert "How long do &lt;b&gt;back spasms&lt;/b&gt; last?" in page.text
    assert "Our digest of that page says" in page.text
    assert page.headers["referrer-policy"] == "same-origin"
    assert "script-src 'self' 'nonce-" in page.headers["content-security-policy"]
    assert verdicts(service) == []


def test_what_an_agent_makes_of_it_is_kept_once(service: Service) -> None:
    url = linked(service, connected(service))
    form = {"content-type": "application/x-www-form-urlencoded", "origin": service.own_origin}
    said = service.client.post(url, content="verdict=no&reason=wrong&text=Two+weeks%3F", headers=form)
    assert said.status_code == 200
    assert "Thank you" in said.text
    assert verdicts(service) == [("desk:help", "no", "wrong", "Two weeks?")]
    assert service.client.post(url, content="verdict=yes&reason=wrong", headers=form).status_code == 200
    assert verdicts(service) == [("desk:help", "yes", None, None)]
    check_problem(service.client.post(url, content="verdict=perhaps", headers=form), 422, "invalid-request")
    check_problem(service.client.post(url, content="verdict=yes", headers={"origin": "null"}), 403, "foreign-origin")


def test_a_link_opens_one_answer_of_one_connection(service: Service) -> None:
    connection = connected(service)
    url = linked(service, connection)
    other = connected(service, "other", "another secret")
    signature = url.rpartition("/")[2]
    changed = "0" if signature[-1] != "0" else "1"
    wrong = [
        f"{url[:-1]}{changed}",
        url.replace("/desk/help/", "/desk/other/"),
        url.replace("/desk/help/", "/desk/nothing/"),
        linked(service, connection).rpartition("/")[0] + f"/{signature}",
    ]
    for address in wrong:
        check_problem(service.client.get(address), 404, "not-found")
        check_problem(service.client.post(address, content="verdict=yes"), 404, "not-found")
    assert verdicts(service) == []
    assert other.options["link_secret"] not in url
    remove_connection(service.database, "help")
    check_problem(service.client.get(url), 404, "not-found")


def test_there_is_no_link_where_it_would_lead_nowhere(service: Service) -> None:
    reply = service.desk.replier.reply(Question(QUESTION))
    settings = Settings(home=service.home)
    without = Connection("help", "rt", {"public_url": "", "link_secret": "x"}, (), emergency_to_customer=False)
    assert answer_url(without, reply, settings) == ""
    assert answer_url(connected(service), reply, settings.model_copy(update={"keep_answers": 0})) == ""
