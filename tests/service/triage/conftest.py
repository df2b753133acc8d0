"""The rules, read once for all tests of the screening."""

import pytest

from service.triage.loading import Rules
from service.triage.screening import load_rules


@pytest.fixture(scope="session")
def rules() -> Rules:
    return load_rules()
