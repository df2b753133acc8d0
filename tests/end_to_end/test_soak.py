"""R23: half an hour of questions, documents that come and go, and nothing that grows."""

import itertools
import json
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.drilling import NIGHT
from tests.end_to_end.conftest import run, start_serving

MINUTES = 30
WARM_MINUTES = 6
PAUSE_SECONDS = 0.15
"""Between two requests: some six a second."""

QUESTIONS = (
    "How long does a back spasm last?",
    "Heat or ice for a sore back?",
    "I cannot feel my legs and my back hurts",
    "What is the capital of France?",
    "Welche Übungen helfen bei Rückenschmerzen?",
    "Is it safe to walk with a back spasm?",
)


def call(address: str, path: str, body: object, key: str = "", method: str = "POST") -> None:
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}{path}", data, headers, method=method)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - loopback
        response.read()


def held(pid: int) -> tuple[float, int]:
    """Return resident memory in MB and open files."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    memory = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))
    return memory, len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.night
@pytest.mark.drill("R23")
@pytest.mark.skipif(not NIGHT, reason="takes half an hour")
def test_half_an_hour_leaves_memory_and_files_as_they_were(
    home: Path, record_property: Callable[[str, object], None]
) -> None:
    made = run(home, "keys", "create", "soak", "--scope", "ingest")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    stop = threading.Event()
    asked = itertools.count()
    with start_serving(home, BACKLINE_LOG_LEVEL="warning") as (address, process):

        def bring_and_take() -> None:
            """Change one document a minute: each time a snapshot is built and swapped."""
            for turn in itertools.count():
                call(
                    address, "/v1/documents", {"text": f"The soak clinic opens at {turn}.", "external_id": "soak"}, key
                )
                if stop.wait(60):
                    return

        changing = threading.Thread(target=bring_and_take)
        changing.start()
        begin = time.monotonic()
        samples: list[tuple[float, float, int]] = []
        try:
            while (minutes := (time.monotonic() - begin) / 60) < MINUTES:
                number = next(asked)
                body = {"question": QUESTIONS[number % len(QUESTIONS)], "stream": number % 5 == 0}
                call(address, "/v1/ask", body)
                if not samples or minutes > samples[-1][0] + 0.25:
                    samples.append((minutes, *held(process.pid)))
                time.sleep(PAUSE_SECONDS)
        finally:
            stop.set()
            changing.join(timeout=90)
    warm = np.array([sample for sample in samples if sample[0] >= WARM_MINUTES])
    slope = float(np.polyfit(warm[:, 0], warm[:, 1], 1)[0])
    files = warm[:, 2]
    third = len(files) // 3
    record_property("requests", next(asked))
    record_property("memory, MB", f"{warm[0, 1]:.0f} to {warm[-1, 1]:.0f}")
    record_property("slope, MB a minute", f"{slope:.2f}")
    record_property("open files", f"{int(files.min())} to {int(files.max())}")
    assert slope < 1.0
    assert np.median(files[-third:]) <= np.median(files[:third]) + 1
