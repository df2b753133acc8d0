"""docs/scaling.md, run as it stands; and what can be checked of its compose file without a container engine."""

import json
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings
from tests.homes import seed

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "scaling.md"
COMPOSE = ROOT / "deploy" / "compose.scale.yaml"


def commands() -> str:
    """Return every command of the page, in order."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL))


@pytest.mark.needs("postgresql", "redis-server", "curl")
def test_the_page_leads_to_two_machines_and_back_with_the_same_citations(
    postgresql: str, redis_server: str, milvus_server: str, tmp_path: Path, warm: Path
) -> None:
    checkout = tmp_path / "checkout"
    seed(checkout / "var", warm)
    (checkout / ".venv").symlink_to(Path(sys.prefix))
    redis = f"{redis_server.rsplit('/', 1)[0]}/{1 + secrets.randbelow(14)}"
    stop = "trap 'kill $(cat one.pid) $(cat two.pid) 2>/dev/null || true' EXIT\n"
    done = subprocess.run(
        ["bash", "-c", "set -euo pipefail\n" + stop + commands()],
        cwd=checkout, capture_output=True, text=True, timeout=900, check=False,
        env={
            "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path),
            "POSTGRESQL": postgresql, "REDIS": redis, "MILVUS": milvus_server,
        },
    )  # fmt: skip
    logs = "".join(log.read_text() for log in checkout.glob("*.log"))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    before, *after = (cited(checkout / f"{name}.json") for name in ("before", "after-8001", "after-8002", "back"))
    assert len(before) >= 1
    assert after == [before] * 3
    before, *after = (cited(checkout / f"{name}.json") for name in ("stool", "stool-8001", "stool-8002", "stool-back"))
    assert [quote for _, _, quote, _, _ in before] == ["The Quorn clinic lends a walking stool for seven days."]
    assert after == [before] * 3
    assert "ok    engine: Milvus answers; 1 passages, as many as there should be" in done.stdout
    assert "1 vectors were brought from Milvus" in done.stdout
    copied = re.findall(r"copied and compared: (.*)", done.stdout)
    assert len(copied) == 2
    assert all({"1 documents", "1 versions", "1 keys"} <= set(line.split(", ")) for line in copied)


def cited(path: Path) -> list[tuple[Any, ...]]:
    """Return what a reply cites, to the character."""
    reply = json.loads(path.read_text())
    names = ("document_id", "document_version", "quote", "source_start", "source_end")
    return [tuple(citation[name] for name in names) for citation in reply["citations"]]


def test_the_compose_file_sets_what_there_is_to_set() -> None:
    text = COMPOSE.read_text()
    named = set(re.findall(r"BACKLINE_([A-Z_]+):", text))
    assert {"DATABASE_URL", "REDIS_URL", "SNAPSHOTS_URL"} <= named
    assert named <= {name.upper() for name in Settings.model_fields}
    values = dict(re.findall(r"BACKLINE_([A-Z_]+): (\S+)", text))
    for engine in ("embedded", "milvus"):
        values["ENGINE"] = engine
        settings = Settings.model_validate({name.lower(): value for name, value in values.items()})
        assert settings.database == "postgresql://backline:backline@postgresql/backline"
        assert settings.engine == engine
    assert "BACKLINE_ENGINE: ${BACKLINE_ENGINE:-embedded}" in text
    for command in re.findall(r"^#   (.*docker compose .*)$", text, re.MULTILINE):
        assert f"`{command}`" in PAGE.read_text()
    services = re.findall(r"^  ([a-z]+):$", text.split("\nconfigs:\n")[0], re.MULTILINE)
    assert services == ["postgresql", "redis", "milvus", "shared", "backline", "proxy"]
    for part in (
        re.search(r"redis://(\w+)", text),
        re.search(r"@(\w+)/", text),
        re.search(r"http://(\w+):19530", text),
        re.search(r"server (\w+):8000", text),
    ):
        assert part is not None
        assert part[1] in services
    assert "EXTRAS" in (ROOT / "Dockerfile").read_text()
