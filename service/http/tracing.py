"""Traces for OpenTelemetry, where the operator names a collector: one span a request, one for each stage of an answer.

A span says what a log line says, never a word of what people write. It continues the caller's trace when the request
carries a ``traceparent``. The libraries come with the extra ``otel`` and are loaded only when traces are wanted.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

STAGES: Final[ContextVar[list[tuple[str, float]] | None]] = ContextVar("stages", default=None)
"""Where the request that is being worked on collects its stages: name and milliseconds, in their order."""

_TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Traced:
    """A request that is done.

    Attributes:
        request_id: Its id, as in the log and in ``x-request-id``.
        route: The template of its route.
        method: Its method.
        status: The status of the reply.
        begin_ns: When it came, nanoseconds since 1970.
        end_ns: When the reply was whole.
        parent: The caller's ``traceparent``, or "".
        stages: Name and milliseconds of each stage of an answer, one after the other up to the end.
    """

    request_id: str
    route: str
    method: str
    status: int
    begin_ns: int
    end_ns: int
    parent: str = ""
    stages: tuple[tuple[str, float], ...] = field(default=())


def traces_can_be_sent() -> bool:
    """Whether the extra ``otel`` is installed."""
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


class Tracing:
    """Sends spans to a collector in the background; what cannot be sent is dropped, and no request waits.

    Args:
        url: The collector, in OTLP over HTTP, such as ``http://127.0.0.1:4318/v1/traces``.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._provider: TracerProvider | None = None

    def start(self) -> None:
        """Begin to take spans."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        # Named here and not by the environment, so that one service always says the same of itself.
        self._provider = TracerProvider(resource=Resource({"service.name": "backline"}), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=self._url, timeout=5)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1_000))

    def stop(self) -> None:
        """Send what waits, and end."""
        if self._provider is not None:
            self._provider.shutdown()
            self._provider = None

    def record(self, request: Traced) -> None:
        """Take in one request."""
        if self._provider is None:
            return
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        tracer = self._provider.get_tracer("backline")
        carrier: Mapping[str, str] = {"traceparent": request.parent} if request.parent else {}
        span = tracer.start_span(
            f"{request.method} {request.route}",
            TraceContextTextMapPropagator().extract(carrier),
            SpanKind.SERVER,
            start_time=request.begin_ns,
            attributes={
                "http.request.method": request.method,
                "http.route": request.route,
                "http.response.status_code": request.status,
                "backline.request_id": request.request_id,
            },
        )
        if request.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        # The stages end with the reply: what is left before them was waiting.
        stages = [(name, round(milliseconds * 1e6)) for name, milliseconds in request.stages if name != _TOTAL]
        at = max(request.begin_ns, request.end_ns - sum(length for _, length in stages))
        for name, length in stages:
            inner = tracer.start_span(name, set_span_in_context(span), start_time=at)
            at += length
            inner.end(at)
        span.end(request.end_ns)
