"""Whom ``backline serve`` lets in, decided before anything is opened."""

import gc
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import corpus
import index
from index.embedding import MeteredEmbedder
from index.model_files import ModelFiles, check_model_files, expected_model_id
from index.snapshot import check_current_snapshot
from service.building import index_is_current, load_embedder, publish_stored, shipped_digest
from service.cli import app
from service.ingesting import Origin, ingest_text
from service.settings import Settings
from service.storage.database import open_database
from service.storage.keys import create_key, revoke_key

Served = list[dict[str, Any]]
Run = Callable[..., Result]


@pytest.fixture
def served() -> Served:
    return []


@pytest.fixture
def run(home: Path, served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    def serve(
        _settings: Settings,
        host: str,
        port: int,
        *,
        public_ask: bool = False,
        workers: int = 1,
        checked: Future[ModelFiles],
    ) -> None:
        assert checked.result().model_id == expected_model_id()
        served.append({"host": host, "port": port, "public_ask": public_ask, "workers": workers})

    monkeypatch.setattr("service.cli.serving.is_current", lambda: True)
    monkeypatch.setattr("service.application.serve_application", serve)

    def invoke(*arguments: str, **settings: Any) -> Result:
        monkeypatch.setattr("service.settings.load_settings", lambda: Settings(home=home, **settings))
        return CliRunner().invoke(app, ["serve", *arguments])

    yield invoke
    assert gc.isenabled()


def test_a_home_of_which_an_earlier_version_exported_the_model_is_built_anew(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "models" / "all-MiniLM-L6-v2-53aa51172d14-onnx1").mkdir(parents=True)
    monkeypatch.setattr("service.building.check_current_snapshot", pytest.fail)
    assert not index_is_current(Settings(home=home))


def test_an_index_is_current_until_the_corpus_the_code_or_what_is_stored_changes(
    warm: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(warm, home)
    settings = Settings(home=home)
    assert index_is_current(settings)
    with monkeypatch.context() as changed:
        changed.setattr("service.building.shipped_digest", lambda: "another corpus, or code that reads it otherwise")
        assert not index_is_current(settings)
    assert index_is_current(settings)
    origin = Origin(collection="clinic", title="Beds")
    assert ingest_text(open_database(settings.database), b"Beds go back within a day.", origin, markdown=False).stored
    assert not index_is_current(settings)


def test_a_home_without_a_cache_takes_the_shipped_collection_from_the_snapshot(warm: Path, home: Path) -> None:
    shutil.copytree(warm, home)
    shutil.rmtree(home / "cache")
    settings = Settings(home=home)
    embedder, _ = load_embedder(check_model_files(settings.model), settings)
    metered = MeteredEmbedder(embedder)
    before = check_current_snapshot(settings.snapshots)
    manifest = publish_stored(settings, metered)
    assert manifest.counts == before.counts
    assert metered.embedded == 0


def test_the_digest_covers_the_corpus_and_the_code_that_makes_an_index_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shipped_digest()
    for package, name in ((corpus, "data/questions.jsonl"), (corpus, "splitting.py"), (index, "teaching.py")):
        copied = tmp_path / package.__name__
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(package.__path__[0], copied, ignore=shutil.ignore_patterns("__pycache__"))
        with monkeypatch.context() as moved:
            moved.setattr(package, "__path__", [str(copied)])
            assert shipped_digest() == before
            (copied / name).write_bytes((copied / name).read_bytes() + b"\n")
            assert shipped_digest() != before


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_the_loopback_interface_no_key_is_needed(run: Run, served: Served, host: str) -> None:
    assert run("--host", host).exit_code == 0
    assert served == [{"host": host, "port": 8000, "public_ask": False, "workers": 1}]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_elsewhere_it_refuses_to_start_without_a_key_and_says_what_to_do(run: Run, served: Served, host: str) -> None:
    refused = run("--host", host)
    assert refused.exit_code == 2
    assert "backline keys create" in refused.stderr
    assert "--public-ask" in refused.stderr
    assert served == []


def test_a_name_for_a_proxy_is_like_an_address_that_others_reach(run: Run, served: Served) -> None:
    assert run(hosts=("ask.example",)).exit_code == 2
    assert served == []


def test_with_a_working_key_it_starts(run: Run, served: Served, home: Path) -> None:
    engine = open_database(Settings(home=home).database)
    _, key = create_key(engine, "desk", ["ask"])
    assert run("--host", "0.0.0.0").exit_code == 0
    assert served[0]["public_ask"] is False
    revoke_key(engine, key.id)
    assert run("--host", "0.0.0.0").exit_code == 2


def test_public_ask_starts_without_one(run: Run, served: Served) -> None:
    assert run("--host", "0.0.0.0", "--public-ask").exit_code == 0
    assert served[0]["public_ask"] is True


def test_what_serves_loads_no_library_that_only_building_needs() -> None:
    code = (
        "import sys, service.application, service.http.app, service.cli.serving\n"
        "heavy = {'torch', 'scipy', 'sklearn', 'sentence_transformers', 'transformers', 'langchain_core', 'onnx', 'alembic'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout, done.stderr) == ("[]\n", "")
