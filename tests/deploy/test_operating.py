"""docs/operating.md, run as it stands; and what else can be checked of deploy/ without a container engine."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.homes import seed

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operating.md"


def commands() -> str:
    """Return every command of the page, in order."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL))


@pytest.mark.needs("nginx-light", "gettext-base", "openssl", "curl")
def test_the_page_leads_to_a_keyed_proxied_watched_service(tmp_path: Path, warm: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "deploy", checkout / "deploy")
    (checkout / ".venv").symlink_to(Path(sys.prefix))
    for name in ("var", "elsewhere"):
        seed(checkout / name, warm)
    script = (
        "set -euo pipefail\ntrap 'kill $(cat serve.pid) $(cat proxy/nginx.pid) 2>/dev/null || true' EXIT\n" + commands()
    )
    done = subprocess.run(
        ["bash", "-c", script], cwd=checkout, capture_output=True, text=True, timeout=900, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    log = checkout / "serve.log"
    assert done.returncode == 0, done.stdout + done.stderr + (log.read_text() if log.exists() else "")
    answer = json.loads((checkout / "answer.json").read_text())
    assert answer["status"] == "answered"
    assert answer["citations"]
    assert 'backline_replies_total{reason="",status="answered"} 1.0' in (checkout / "metrics.txt").read_text()
    assert (checkout / "elsewhere" / "backline.sqlite").exists()
    for line in log.read_text().splitlines():
        if line.startswith("{"):
            assert "spasm last" not in line


@pytest.mark.needs("systemd")
def test_the_unit_is_one_that_systemd_understands(tmp_path: Path) -> None:
    unit = (ROOT / "deploy" / "backline.service").read_text()
    start = tmp_path / "backline"
    start.write_text("#!/bin/sh\n")
    start.chmod(0o755)
    checked = tmp_path / "backline.service"
    checked.write_text(re.sub(r"ExecStart=\S+", f"ExecStart={start}", unit))
    done = subprocess.run(
        ["systemd-analyze", "verify", checked], capture_output=True, text=True, timeout=60, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if "backline" in line]
    assert (done.returncode, complaints) == (0, [])


def test_an_older_data_folder_gets_the_export_of_a_newer_image(tmp_path: Path) -> None:
    image, data = tmp_path / "image", tmp_path / "data"
    for folder in (image / "venv" / "bin", image / "home" / "models" / "model-onnx2", data / "models" / "model-onnx1"):
        folder.mkdir(parents=True)
    (image / "venv" / "bin" / "backline").write_text('#!/bin/sh\necho "$BACKLINE_HOME $@"\n')
    (image / "venv" / "bin" / "backline").chmod(0o755)
    (image / "home" / "models" / "model-onnx2" / "export.json").write_text("new")
    (data / "notes").write_text("mine")
    shutil.copy(ROOT / "deploy" / "image" / "start.sh", image)
    start = [str(image / "start.sh"), "serve"]
    for _ in range(2):
        done = subprocess.run(
            start, env={"PATH": "/usr/bin:/bin", "BACKLINE_HOME": str(data)},
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        assert done.stdout == f"{data} serve\n"
        assert sorted(one.name for one in (data / "models").iterdir()) == ["model-onnx1", "model-onnx2"]
        assert (data / "models" / "model-onnx2" / "export.json").read_text() == "new"
        (data / "models" / "model-onnx2" / "export.json").write_text("new")


def test_the_image_serves_without_what_only_building_needs() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "deploy" / "image" / "serving_packages.py"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    names = {line.split("==")[0] for line in done.stdout.splitlines()}
    assert {"onnxruntime", "faiss-cpu", "fastapi", "uvicorn", "lxml"} <= names
    assert names.isdisjoint({"torch", "sentence-transformers", "transformers", "onnxscript", "backline"})
