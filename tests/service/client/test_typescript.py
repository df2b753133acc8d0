"""A client that is generated from ``/openapi.json`` compiles under every strictness and asks a question."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.answering.replying import Replier
from service.http.app import create_app
from service.http.state import Desk
from service.serving import Serving
from service.settings import Settings
from tests.conftest import NODE_MODULES
from tests.service.http.running import listen, running

pytestmark = pytest.mark.needs("nodejs", "npm")

SOURCES = Path(__file__).parent / "typescript"
LOCK = Path(__file__).parents[2] / "package-lock.json"


@pytest.fixture(scope="module")
def address(replier: Replier) -> Iterator[str]:
    listener, address = listen()
    with running(create_app(Desk(Settings(home=Path("unused")), Serving(replier), "fake")), listener):
        yield address


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, address: str) -> Path:
    """Generate the types from the running service and compile the client, and what must not compile beside it."""
    folder = tmp_path_factory.mktemp("typescript")
    for file in SOURCES.iterdir():
        shutil.copy(file, folder)
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (folder / "node_modules").symlink_to(NODE_MODULES)
    run(
        folder,
        "node_modules/.bin/openapi-typescript",
        f"{address}/openapi.json",
        "--default-non-nullable=false",
        "-o",
        "schema.d.ts",
    )
    run(folder, "node_modules/.bin/tsc", "-p", ".")
    return folder


def ask(built: Path, address: str, question: str) -> tuple[dict[str, Any], list[str]]:
    told = json.loads(run(built, "node", "run.mjs", address, question))
    return told["reply"], told["quotes"]


def test_it_asks_and_checks_every_quote(built: Path, address: str) -> None:
    reply, quotes = ask(built, address, "How long does a back spasm last?")
    assert reply["status"] == "answered"
    assert len(quotes) >= 1
    assert quotes == [citation["quote"] for citation in reply["citations"]]


def test_a_problem_is_typed_as_well(built: Path, address: str) -> None:
    problem, _ = ask(built, address, " ")
    assert (problem["status"], problem["code"]) == (422, "invalid-request")


def test_the_lock_names_versions_and_hashes_and_no_registry() -> None:
    packages = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert name == "" or package["integrity"].startswith("sha512-")
