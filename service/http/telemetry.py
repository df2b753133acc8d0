"""What the operator sees of the service: metrics and one log line a request, never a word of what people write.

Label values come from lists of our own (route templates, statuses, levels, reasons), so that nothing that came with a
request can become one.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.tracing import STAGES, Traced, Tracing

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_STAGE_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5, 20)

_requests = logging.getLogger("backline.requests")


class Telemetry:
    """The counters of one process, or of all workers together.

    Args:
        shared: Folder in which the workers of one service count together; None counts for this process alone.
        tracing: Where requests are traced; None traces nothing.

    Attributes:
        registry: Where they are collected.
    """

    def __init__(self, shared: Path | None = None, tracing: Tracing | None = None) -> None:
        self._shared = shared
        self._tracing = tracing
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "backline_requests", "Requests by route and status.", ["route", "method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "backline_request_seconds", "Time to the end of the reply.", ["route"], buckets=_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self._stages = Histogram(
            "backline_stage_seconds", "Time of each stage of an answer.", ["stage"], buckets=_STAGE_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self._replies = Counter(
            "backline_replies", "Replies by status and by the reason of a silence.", ["status", "reason"],
            registry=self.registry,
        )  # fmt: skip
        self._wordings = Counter(
            "backline_wordings", "Answers that a language model was to word: `used`, or why it did not.", ["outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._dropped = Counter(
            "backline_sentences_dropped", "Sentences of a language model that did not hold.", registry=self.registry
        )
        self._notices = Counter("backline_notices", "Warning notices by level.", ["level"], registry=self.registry)
        self._running = Gauge(
            "backline_requests_running",
            "Requests being worked on.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def reply(self, reply: Mapping[str, Any]) -> None:
        """Count one reply of ``POST /v1/ask`` with its stages, notice and silence."""
        abstention = reply["abstention"]
        self._replies.labels(reply["status"], "" if abstention is None else abstention["reason"]).inc()
        if reply["triage"] is not None:
            self._notices.labels(reply["triage"]["level"]).inc()
        generation = reply["generation"]
        if generation is not None:
            self._wordings.labels(generation["reason"] or "used").inc()
            self._dropped.inc(generation["written"] - generation["kept"])
        for stage, milliseconds in reply["timings_ms"].items():
            self._stages.labels(stage).observe(milliseconds / 1000)
        stages = STAGES.get()
        if stages is not None:
            stages.extend(reply["timings_ms"].items())

    def notice(self, level: str) -> None:
        """Count a notice that was raised outside an answer."""
        self._notices.labels(level).inc()

    def expose(self, snapshot_id: str, published: float, *, ready: bool) -> bytes:
        """Return everything in Prometheus' text format.

        Args:
            snapshot_id: The snapshot that answers now.
            published: When it was published, in seconds since the epoch.
            ready: Whether the service is ready.
        """
        now = CollectorRegistry()
        now.register(_Now(snapshot_id, max(0.0, time.time() - published), ready=ready))
        counted = self.registry
        if self._shared is not None:
            counted = CollectorRegistry()
            MultiProcessCollector(counted, str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(counted) + generate_latest(now)

    def begin(self) -> None:
        """Count a request that is being worked on."""
        self._running.inc()

    def end(self, scope: Scope, status: int, seconds: float, stages: Sequence[tuple[str, float]] = ()) -> None:
        """Count, log and trace a request that is done; ``status`` is 499 when nothing was answered."""
        self._running.dec()
        route = getattr(scope.get("route"), "path", "(none)")
        method = scope["method"] if scope["method"] in _METHODS else "(other)"
        self._requests.labels(route, method, status).inc()
        self._seconds.labels(route).observe(seconds)
        request_id = scope.get("state", {}).get("request_id", "")
        if self._tracing is not None:
            end = time.time_ns()
            begin = end - round(seconds * 1e9)
            parent = Headers(scope=scope).get("traceparent", "")
            self._tracing.record(Traced(request_id, route, method, status, begin, end, parent, tuple(stages)))
        _requests.info(
            "request",
            extra={
                "facts": {
                    "request_id": request_id,
                    "route": route,
                    "method": method,
                    "status": status,
                    "ms": round(seconds * 1000, 1),
                }
            },
        )


class _Now:
    """What is so at this moment in the process that is asked."""

    def __init__(self, snapshot_id: str, age_seconds: float, *, ready: bool) -> None:
        self._snapshot_id = snapshot_id
        self._age_seconds = age_seconds
        self._ready = ready

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each gauge."""
        age = GaugeMetricFamily(
            "backline_snapshot_age_seconds", "Age of the snapshot that answers.", labels=["snapshot"]
        )
        age.add_metric([self._snapshot_id], self._age_seconds)
        yield age
        yield GaugeMetricFamily("backline_ready", "1 when ready, 0 when degraded or stopping.", int(self._ready))


_HUNG_UP = 499
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Watch:
    """Counts and logs each request, outside the door, so that what the door refuses is seen as well."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.perf_counter()
        status = _HUNG_UP

        async def send_seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        stages: list[tuple[str, float]] = []
        STAGES.set(stages)
        self._telemetry.begin()
        try:
            await self._app(scope, receive, send_seen)
        finally:
            self._telemetry.end(scope, status, time.perf_counter() - begin, stages)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, event, and the facts of the record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; a fault is named by its kind and its places in the code."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_configuration(level: str) -> dict[str, Any]:
    """Return the configuration of every logger of the process: JSON lines on standard error.

    Args:
        level: debug, info, warning or error.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "service.http.telemetry.JsonLines"}},
        "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["lines"], "level": level.upper()},
    }
