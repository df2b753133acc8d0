"""Homes of a service with the real model. They take minutes to build, so a run builds one, for all its processes."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def build_once(factory: pytest.TempPathFactory) -> Path:
    """Return the home with the shipped corpus's index, built by the real command."""

    def build(home: Path) -> None:
        done = subprocess.run(
            [Path(sys.executable).with_name("backline"), "index"],
            env={**os.environ, "BACKLINE_HOME": str(home), "HOME": str(home.parent)},
            capture_output=True, text=True, timeout=1_200, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    return make_once(factory, "warm", build)


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that all processes of a run share; the first that asks makes it, the others wait.

    Whoever changes it takes a copy.
    """
    root = factory.getbasetemp()
    root = root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root
    folder = root / name / "var"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_name("unfinished")
            unfinished.parent.mkdir(exist_ok=True)
            make(unfinished)
            unfinished.rename(folder)
    return folder


def seed(home: Path, warm: Path) -> None:
    """Give an empty home the exported model and the vectors that are known, so that a build takes seconds."""
    for name in ("models", "cache"):
        shutil.copytree(warm / name, home / name)
