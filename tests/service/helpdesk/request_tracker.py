"""A real Request Tracker on loopback with a database of its own, which goes with the test."""

import base64
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

PASSWORD = "a password of the tests"
_SERVER = "/usr/share/request-tracker5/libexec/rt-server"
_ROOT = Path(__file__).parents[3]

_SITE = """
Set($rtname, 'test');
Set($Organization, 'test');
Set($WebDomain, 'rt.example.org');
Set($WebPath, '');
Set($Timezone, 'Pacific/Auckland');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{database}');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'error');
Set($MailCommand, 'testfile');
1;
"""

_DATA = """
push @Users, map { { Name => $_, EmailAddress => $_, Password => 'a password of the tests', Privileged => 0 } }
    qw(ann@example.com bob@example.com cat@example.com dan@example.com);
@Queues = ({ Name => 'People' });
push @ACL, (
    (map { { GroupDomain => 'SystemInternal', GroupType => 'Everyone', Queue => 'General', Right => $_ } }
        qw(SeeQueue CreateTicket ReplyToTicket ShowTicket)),
    { UserId => 'backline', Queue => 'People', Right => 'CreateTicket' },
    (map { { UserId => 'backline', Queue => 'People', Right => $_ } } qw(SeeQueue ShowTicket ModifyTicket)),
);
"""


@dataclass(frozen=True, slots=True)
class RequestTracker:
    """A running Request Tracker.

    Attributes:
        url: Its address.
        port: Its port.
    """

    url: str
    port: int

    def call(self, path: str, body: Any = None, method: str | None = None, user: str = "root") -> Any:
        """Ask for something as a user."""
        word = "password" if user == "root" else PASSWORD
        pair = base64.b64encode(f"{user}:{word}".encode()).decode()
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self.url}/REST/2.0/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {pair}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=20) as answered:  # noqa: S310 - likewise
            return json.loads(answered.read())

    def write(self, user: str, subject: str, text: str) -> int:
        """Let a customer open a ticket; return its number."""
        body = {"Queue": "General", "Subject": subject, "Content": text, "ContentType": "text/plain"}
        return int(self.call("ticket", body, user=user)["id"])

    def mail(self, sender: str, subject: str, text: str, **headers: str) -> None:
        """Let a customer write an e-mail."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, "help@example.org", subject
        message["Message-ID"] = f"<{time.monotonic_ns()}@example.org>"
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        message.set_content(text)
        fields = {"queue": "General", "action": "correspond", "message": message.as_string(), "SessionType": "REST"}
        address = f"{self.url}/REST/1.0/NoAuth/mail-gateway"
        data = urllib.parse.urlencode(fields).encode()
        with urllib.request.urlopen(address, data=data, timeout=20) as answered:  # noqa: S310 - likewise
            said = answered.read().decode()
        assert "ok" in said, said

    def history(self, ticket: int) -> list[tuple[str, str]]:
        """Return kind and author of what happened to a ticket."""
        found = self.call(f"ticket/{ticket}/history?fields=Type,Creator&per_page=100")["items"]
        return [(one["Type"], one["Creator"]["id"]) for one in found]

    def seconds_until_comment(self, ticket: int) -> float:
        """Return the time from the opening of a ticket to its first private comment, by RT's own clock."""
        found = self.call(f"ticket/{ticket}/history?fields=Type,Created&per_page=100")["items"]
        at = {one["Type"]: datetime.fromisoformat(one["Created"]) for one in reversed(found)}
        return (at["Comment"] - at["Create"]).total_seconds()

    def pace(self) -> float:
        """Return how long a plain call takes now, in seconds: the middle one of three."""
        times = []
        for _ in range(3):
            begin = time.monotonic()
            self.call("rt")
            times.append(time.monotonic() - begin)
        return sorted(times)[1]

    def comments(self, ticket: int) -> list[str]:
        """Return the private comments on a ticket."""
        fields = "fields=Type&per_page=100"
        found = self.call(f"ticket/{ticket}/history?{fields}")["items"]
        numbers = [one["id"] for one in found if one["Type"] == "Comment"]
        parts = [
            part
            for number in numbers
            for part in self.call(f"transaction/{number}/attachments?fields=Content,ContentType")["items"]
        ]
        return [part["Content"] for part in parts if part["ContentType"] == "text/html"]


def wait_for(condition: Callable[[], Any], seconds: float = 120.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def start(folder: Path) -> tuple[RequestTracker, "subprocess.Popen[bytes]"]:
    """Make a database, and start Request Tracker on it."""
    settings, database = folder / "site.pm", folder / "rt.sqlite"
    settings.write_text(_SITE.format(database=database))
    (folder / "none").mkdir()
    data = folder / "data"
    data.write_text((_ROOT / "deploy/request-tracker/initialdata").read_text() + _DATA)
    environment = {
        **os.environ,
        "RT_SITE_CONFIG": str(settings),
        "RT_SITE_CONFIG_DIR": str(folder / "none"),
        "BACKLINE_RT_PASSWORD": PASSWORD,
    }
    for action in (["init"], ["insert", "--datafile", str(data)]):
        command = ["rt-setup-database-5", "--skip-create", "--dba", "", "--action", *action]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [_SERVER, "--host", "127.0.0.1", "--port", str(port), "--max-workers", "2"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    tracker = RequestTracker(f"http://127.0.0.1:{port}", port)
    wait_for(lambda: _is_up(tracker), 60)
    return tracker, process


def _is_up(tracker: RequestTracker) -> bool:
    try:
        return bool(tracker.call("rt")["Version"])
    except (urllib.error.URLError, OSError):
        return False
