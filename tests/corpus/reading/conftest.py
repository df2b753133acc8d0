from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One worker for all tests: starting it is what costs."""
    with Sandbox() as room:
        yield room


@pytest.fixture(scope="session")
def files() -> Path:
    return Path(__file__).parent / "files"
