"""The Request Tracker page of docs/helpdesk.md, run as it stands."""

import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.conftest import BACKLINE, environment

ROOT = Path(__file__).parents[2]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def page() -> str:
    """Return every command of the page but the installation, which the test needs beforehand."""
    text = (ROOT / "docs/helpdesk.md").read_text(encoding="utf-8")
    section = text.partition("\n## Request Tracker 5\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```bash\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    return "set -em\n" + "\n".join(blocks)


@pytest.mark.needs("request-tracker5")
def test_the_page_leads_from_nothing_to_a_note(home: Path, tmp_path: Path) -> None:
    own = tmp_path / "var"  # a service of the shared home would deliver instead of this one
    for folder in ("models", "snapshots"):
        shutil.copytree(home / folder, own / folder)
    ports = {"RT_PORT": free_port(), "BACKLINE_PORT": free_port()}
    path = f"{Path(BACKLINE).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash", "-c", page()],
        env={**environment(own), "HOME": str(tmp_path), "PATH": path, **ports},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=480)
    finally:
        for group in leftovers(process.pid):
            os.killpg(group, signal.SIGKILL)
        if process.stdout is not None:
            process.stdout.close()
        process.wait(timeout=20)
    assert process.returncode == 0, said
    assert "rt is connected (rt)." in said
    assert "DRAFT REPLY (check before you send)" in said
    assert "a back spasm usually lasts from several hours to several days. [1]" in said


def leftovers(session: int) -> set[int]:
    """Return the process groups that the page's shell has left behind."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session:
            found.add(int(fields[2]))
    return found
