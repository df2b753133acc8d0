from collections.abc import Iterator

import pytest

from tests.service.helpdesk import request_tracker
from tests.service.helpdesk.request_tracker import RequestTracker


@pytest.fixture(scope="session")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RequestTracker]:
    """One Request Tracker for all tests: they tell their tickets apart by subject and queue."""
    found, process = request_tracker.start(tmp_path_factory.mktemp("rt"))
    try:
        yield found
    finally:
        process.terminate()
        process.wait(timeout=20)
