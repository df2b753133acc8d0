"""The commands as a person runs them."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.end_to_end.conftest import BACKLINE, environment, free_port, run

ROOT = Path(__file__).parents[2]


def test_help_is_quick_and_imports_no_torch(tmp_path: Path) -> None:
    seconds = []
    for _ in range(5):
        begin = time.perf_counter()
        assert run(tmp_path, "--help").returncode == 0
        seconds.append(time.perf_counter() - begin)
    assert min(seconds) < 0.5
    code = "import sys, service.cli; sys.exit('torch' in sys.modules or 'faiss' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_without_an_index_the_command_that_makes_one_is_named(tmp_path: Path) -> None:
    done = run(tmp_path / "var", "ask", "What is a back spasm?")
    assert done.returncode == 1
    assert "backline index" in done.stderr


def test_no_question_is_a_usage_error(home: Path) -> None:
    assert run(home, "ask", "").returncode == 2
    assert run(home, "ask").returncode == 2
    assert run(home, "ask", "--nonsense").returncode == 2


def test_an_abstention_is_no_failure(home: Path) -> None:
    done = run(home, "ask", "what is the capital of France")
    assert done.returncode == 0
    assert "I can't answer that from my sources" in done.stdout


def test_the_notice_is_the_first_thing_printed(home: Path) -> None:
    done = run(home, "ask", "my back hurts and I can't feel when I wipe")
    assert done.returncode == 0
    assert done.stdout.startswith("EMERGENCY: Get emergency help now")


def test_json_is_the_object_of_the_route(home: Path) -> None:
    reply = json.loads(run(home, "ask", "--json", "How long does a back spasm last?").stdout)
    assert reply["object"] == "answer"
    assert reply["citations"][0]["quote"] == reply["sentences"][0]["text"]


def test_a_question_through_the_environment_is_unharmed(home: Path) -> None:
    question = 'What\'s a "back spasm"? $HOME `touch owned` $(touch owned)\nand 100 % \\n'
    done = run(home, "ask", "--json", "--from-env", "Q", Q=question)
    assert done.returncode == 0, done.stderr
    assert not (ROOT / "owned").exists()


def test_make_hands_the_question_over_unharmed(tmp_path: Path) -> None:
    # The real Makefile with a program in the place of backline that prints what reaches it.
    venv = tmp_path / "venv" / "bin"
    venv.mkdir(parents=True)
    (tmp_path / "venv" / ".installed").touch()
    (venv / "backline").write_text(
        "#!/bin/sh\n" + 'case "$*" in "ask --from-env Q") printf %s "$Q";; esac\n', encoding="utf-8"
    )
    (venv / "backline").chmod(0o755)
    for question in ('it\'s "mine"', "cost $5 ${HOME} $(id)", "`touch owned`", "line one\nline two", "100 % # no"):
        done = subprocess.run(
            [shutil.which("make") or "make", "-s", "ask", f"VENV={tmp_path / 'venv'}", f"Q={question}"],
            cwd=ROOT,
            env={**os.environ, "MAKEFLAGS": "--assume-old=" + str(tmp_path / "venv" / ".installed")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == question, done.stderr
    assert not (ROOT / "owned").exists()


def test_a_reader_that_stops_reading_ends_it_quietly(home: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"'{BACKLINE}' ask --json 'What is a back spasm?' | head -1"],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_a_damaged_index_is_refused_by_its_hash(warm: Path, tmp_path: Path) -> None:
    copy = tmp_path / "var"
    shutil.copytree(warm, copy)
    for snapshot in (copy / "snapshots").glob("snap_*"):
        vectors = bytearray((snapshot / "parts" / "0" / "sentences.faiss").read_bytes())
        vectors[1000] ^= 1
        (snapshot / "parts" / "0" / "sentences.faiss").write_bytes(vectors)
    done = run(copy, "ask", "What is a back spasm?")
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert "sentences.faiss" in done.stderr


def test_doctor_is_content_and_proves_that_nothing_leaves(warm: Path, tmp_path: Path) -> None:
    copy = tmp_path / "var"
    shutil.copytree(warm, copy)
    done = run(copy, "doctor", "--offline", BACKLINE_PORT=str(free_port()))
    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout
    said = dict(line[6:].split(": ", 1) for line in done.stdout.splitlines())
    assert list(said) == [
        "Python", "model", "exported model", "index", "database", "keys", "leaves this machine", "disk", "port",
        "offline",
    ]  # fmt: skip
    assert said["leaves this machine"].startswith("nothing")
    assert said["offline"] == "a question was answered with every way out barred"


def test_a_document_of_ones_own_is_found(warm: Path, tmp_path: Path) -> None:
    copy = tmp_path / "var"
    shutil.copytree(warm, copy)
    note = tmp_path / "clinic.md"
    note.write_text(
        "# Clinic hours\n\n## When is the back pain clinic open?\n\nThe Riverside back pain clinic opens on Tuesdays at nine.\n",
        encoding="utf-8",
    )
    done = run(copy, "ingest", str(note), "--publisher", "Riverside")
    assert done.returncode == 0, done.stderr
    reply = json.loads(run(copy, "ask", "--json", "When does the Riverside back pain clinic open?").stdout)
    assert "Tuesdays at nine" in reply["answer"]
    (citation,) = [c for c in reply["citations"] if "Tuesdays" in c["quote"]]
    assert (citation["publisher"], citation["digest"]) == ("Riverside", False)


def test_a_collection_is_asked_by_its_name_and_a_wrong_name_is_told(warm: Path, tmp_path: Path) -> None:
    copy = tmp_path / "var"
    shutil.copytree(warm, copy)
    note = tmp_path / "beds.md"
    note.write_text("# Beds\n\n## How do I return a bed?\n\nA bed goes back within 90 nights.\n", encoding="utf-8")
    done = run(copy, "ingest", str(note), "--collection", "beds", "--publisher", "Nightly")
    assert done.returncode == 0, done.stderr
    asked = run(copy, "ask", "--collection", "beds", "How do I return a bed?")
    assert "A bed goes back within 90 nights." in asked.stdout
    assert run(copy, "sources", "--collection", "beds").stdout.splitlines()[0] == "Nightly: Beds"
    assert not run(copy, "sources").stdout.startswith("Nightly")
    wrong = run(copy, "ask", "--collection", "bed", "How do I return a bed?")
    assert wrong.returncode == 2
    assert "there are beds, default" in wrong.stderr
