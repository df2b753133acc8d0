"""Several processes on one socket: started together, replaced when they die, stopped together."""

import logging
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

from prometheus_client import multiprocess

_log = logging.getLogger(__name__)

CANNOT_OPEN: Final = 3
"""How a worker ends that could not open the service: another one could not either."""

MOST_DEATHS: Final = 5
WITHIN_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
_PAUSE_SECONDS: Final = 1.0

_METRICS = "PROMETHEUS_MULTIPROC_DIR"


class Supervisor:
    """Keeps so many workers alive until it is told to stop.

    Args:
        target: What a worker runs; it can be imported by name, since each worker is a new interpreter.
        arguments: What it runs on; sockets among them are shared.
        count: How many workers.
    """

    def __init__(self, target: Callable[..., None], arguments: Sequence[Any], count: int) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._target = target
        self._arguments = tuple(arguments)
        self._count = count
        self._workers: list[BaseProcess] = []
        self._deaths: deque[float] = deque(maxlen=MOST_DEATHS)
        self._stopping = threading.Event()

    def run(self) -> bool:
        """Start the workers and stay with them; return whether all ended because they were told to.

        What they count is counted together: the workers share a folder of counters while they run.
        """
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, self._on_signal)
        with tempfile.TemporaryDirectory(prefix="backline-metrics-") as folder:
            os.environ[_METRICS] = folder
            self._workers = [self._start() for _ in range(self._count)]
            good = True
            while not self._stopping.wait(0.1) and good:
                good = self._replace_dead(folder)
            self._end()
        return good

    def _start(self) -> BaseProcess:
        worker = self._context.Process(target=run_worker, args=(self._target, self._arguments), name="worker")
        worker.start()
        return worker

    def _replace_dead(self, folder: str) -> bool:
        """Start a worker for each that died; return False when that leads to nothing."""
        for place, worker in enumerate(self._workers):
            if worker.exitcode is None or self._stopping.is_set():
                continue
            multiprocess.mark_process_dead(worker.pid or 0, folder)  # type: ignore[no-untyped-call]
            now = time.monotonic()
            too_often = len(self._deaths) == MOST_DEATHS and now - self._deaths[0] < WITHIN_SECONDS
            self._deaths.append(now)
            if worker.exitcode == CANNOT_OPEN or too_often:
                _log.error("a worker ended with %s and is not replaced: the service stops", worker.exitcode)
                return False
            _log.error("a worker ended with %s and is replaced", worker.exitcode)
            self._stopping.wait(_PAUSE_SECONDS)
            self._workers[place] = self._start()
        return True

    def _end(self) -> None:
        """Tell every worker to stop and wait; who takes too long is killed."""
        self._tell(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self._workers:
            worker.join(max(0.0, deadline - time.monotonic()))
            if worker.exitcode is None:
                worker.kill()
                worker.join()

    def _tell(self, number: int) -> None:
        for worker in self._workers:
            if worker.pid is not None and worker.exitcode is None:
                os.kill(worker.pid, number)

    def _on_signal(self, number: int, _frame: object) -> None:
        if self._stopping.is_set():
            self._tell(number)  # the second time nobody waits
        self._stopping.set()


def run_worker(target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Run one worker; it ends with the process that started it, however that ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), name="orphan", daemon=True).start()
    target(*arguments)


def _end_with(parent: BaseProcess) -> None:
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
