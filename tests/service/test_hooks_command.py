"""`backline connect` and `backline hooks`, as they are typed."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.storage import outbox
from service.storage.connections import find_connection
from service.storage.database import open_database
from tests.service.helpdesk.desks import FakeDesk, fake_desk


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    with fake_desk() as found:
        yield found


def run(home: Path, desk: FakeDesk, *arguments: str) -> subprocess.CompletedProcess[str]:
    allow = {"BACKLINE_HOME": str(home), "BACKLINE_HELPDESK_ALLOW": f"127.0.0.1:{desk.port}"}
    return subprocess.run(
        [sys.executable, "-c", "from service.cli import main; main()", *arguments],
        env={**os.environ, **allow, "DESK_TOKEN": "a-very-secret-token"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def settings_of(desk: FakeDesk) -> tuple[str, ...]:
    public = ("--public-url", "https://backline.example.net/")
    return ("--set", f"url={desk.url}", "--secret-from", "token=DESK_TOKEN", *public)


def test_who_hears_of_an_emergency_must_be_chosen(home: Path, desk: FakeDesk) -> None:
    done = run(home, desk, "connect", "zammad", *settings_of(desk))
    assert done.returncode == 2
    assert "--emergency-notice to-customer or --emergency-notice agents-only" in done.stderr
    done = run(home, desk, "connect", "zammad", *settings_of(desk), "--emergency-notice", "maybe")
    assert done.returncode == 2
    assert find_connection(open_database(home / "backline.sqlite"), "zammad") is None


def test_connecting_prints_what_to_paste_and_no_secret_that_was_typed(home: Path, desk: FakeDesk) -> None:
    arguments = ("--emergency-notice", "agents-only")
    done = run(home, desk, "connect", "zammad", "--name", "help", *settings_of(desk), *arguments)
    assert done.returncode == 0, done.stderr
    assert "Endpoint https://backline.example.net/v1/hooks/zammad/help" in done.stdout
    assert "HMAC SHA1 signature token whsec_" in done.stdout
    assert "a-very-secret-token" not in done.stdout + done.stderr
    kept = find_connection(open_database(home / "backline.sqlite"), "help")
    assert kept is not None
    assert kept.options["token"] == "a-very-secret-token"
    assert kept.reply_from is None
    listed = run(home, desk, "hooks", "list")
    assert listed.stdout == "help  zammad  emergency notice agents-only  notes only\n"
    run(home, desk, "connect", "zammad", "--name", "help", *settings_of(desk), *arguments)
    newer = find_connection(open_database(home / "backline.sqlite"), "help")
    assert newer is not None
    assert newer.hook_secrets[1:] == kept.hook_secrets
    assert newer.hook_secrets[0] not in kept.hook_secrets
    assert run(home, desk, "hooks", "end-old-secret", "help").returncode == 0
    assert run(home, desk, "hooks", "end-old-secret", "help").returncode == 1
    tried = run(home, desk, "hooks", "send-test", "help", "--conversation", "35")
    assert tried.returncode == 0, tried.stderr
    item = outbox.next_due(open_database(home / "backline.sqlite"), ("helpdesk",))
    assert item is not None
    assert item.payload["event"]["conversation_ref"] == "35"
    assert run(home, desk, "hooks", "remove", "help").returncode == 0
    assert run(home, desk, "hooks", "remove", "help").returncode == 1


def test_settings_that_do_not_work_are_not_stored(home: Path, desk: FakeDesk) -> None:
    desk.faults = [(401, {})]
    done = run(home, desk, "connect", "zammad", *settings_of(desk), "--emergency-notice", "agents-only")
    assert done.returncode == 1
    assert "nothing is stored, because the help desk says 401" in done.stderr
    assert find_connection(open_database(home / "backline.sqlite"), "zammad") is None


def test_the_address_of_a_hook_has_no_default(home: Path, desk: FakeDesk) -> None:
    done = run(home, desk, "connect", "zammad", *settings_of(desk)[:4], "--emergency-notice", "agents-only")
    assert done.returncode == 2
    assert "--public-url" in done.stderr


@pytest.mark.parametrize(("platform", "step"), [("zendesk", "reveals its signing secret"), ("chatwoot", "make a bot")])
def test_what_must_be_done_before_a_secret_is_known_is_said_before_it_is_asked(
    platform: str, step: str, home: Path, desk: FakeDesk
) -> None:
    done = run(home, desk, "connect", platform, "--public-url", "https://backline.example.net")
    assert done.returncode == 2
    assert f"https://backline.example.net/v1/hooks/{platform}/{platform}" in done.stdout
    assert step in done.stdout


def test_an_operator_at_a_terminal_is_led_through(home: Path, desk: FakeDesk) -> None:
    typed = [
        "https://backline.example.net",
        desk.url,
        "bot@example.com",
        "an-api-token",
        "a-signing-secret",
        "9",
        "perhaps",  # no choice: it is asked again
        "agents-only",
    ]
    said = talk(home, desk, ["connect", "zendesk"], typed)
    order = [
        "Address under which the help desk reaches Backline",
        "Endpoint URL https://backline.example.net/v1/hooks/zendesk/zendesk",
        "Signing secret of the webhook",
        "Number of the group",
        "Who gets the text of an emergency notice",
        "zendesk is connected",
    ]
    places = [said.index(text) for text in order]
    assert places == sorted(places)
    assert "an-api-token" not in said
    assert "a-signing-secret" not in said
    kept = find_connection(open_database(home / "backline.sqlite"), "zendesk")
    assert kept is not None
    assert kept.hook_secrets == ("a-signing-secret",)
    assert kept.options["handover_group"] == "9"
    assert not kept.emergency_to_customer


def talk(home: Path, desk: FakeDesk, arguments: list[str], typed: list[str]) -> str:
    """Run a command at a terminal; each line is typed when the command waits for one."""
    ours, its = pty.openpty()
    allow = {"BACKLINE_HOME": str(home), "BACKLINE_HELPDESK_ALLOW": f"127.0.0.1:{desk.port}"}
    process = subprocess.Popen(
        [sys.executable, "-c", "from service.cli import main; main()", *arguments],
        env={**os.environ, **allow},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    said = b""
    lines = iter(typed)
    try:
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            said += piece
            if said.endswith(b": "):
                os.write(ours, next(lines).encode() + b"\n")
                said += b"\n"
        assert process.wait(timeout=60) == 0, said.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return said.decode()


def test_a_secret_is_no_argument(home: Path, desk: FakeDesk) -> None:
    done = run(home, desk, "connect", "zammad", "--set", f"url={desk.url}", "--set", "token=abc")
    assert done.returncode == 2
    assert "--secret-from NAME=VARIABLE" in done.stderr
    assert run(home, desk, "connect", "nothing").returncode == 2


def test_what_was_given_up_is_listed_and_sent_again(home: Path, desk: FakeDesk) -> None:
    database = open_database(home / "backline.sqlite")
    name = outbox.put(database, "helpdesk", "help", {"event": "private words"})
    item = outbox.next_due(database, ("helpdesk",))
    assert item is not None
    outbox.give_up(database, item, "the help desk says 404")
    outbox.put(database, "helpdesk", "help", {"event": {"conversation_ref": "35", "text": "more private words"}})
    other = outbox.next_due(database, ("helpdesk",))
    assert other is not None
    outbox.give_up(database, other, "the help desk says 410")
    listed = run(home, desk, "hooks", "dead")
    assert "help  ticket 35  1 attempts" in listed.stdout
    assert f"{name}  helpdesk  help  1 attempts" in listed.stdout
    assert "the help desk says 404" in listed.stdout
    assert "private words" not in listed.stdout
    assert run(home, desk, "hooks", "resend").returncode == 2
    assert run(home, desk, "hooks", "resend", "out_nothing").returncode == 1
    assert run(home, desk, "hooks", "resend", str(name)).stdout == "1 will be tried again\n"
    assert outbox.next_due(database, ("helpdesk",)) is not None
