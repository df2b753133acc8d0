"""``/healthz``, ``/readyz`` and ``/metrics``."""

from typing import Literal

from fastapi import APIRouter, Response

from service.http.authenticating import Operator
from service.http.schemas import HealthSchema, ReadySchema
from service.http.state import Desk, DeskHere
from service.http.telemetry import CONTENT_TYPE

router = APIRouter(tags=["health"])

NOT_REVIEWED = "No clinician has reviewed the warning rules. This is not a medical device."


@router.get("/healthz")
def healthz() -> HealthSchema:
    """Say that the process lives."""
    return HealthSchema()


@router.get("/readyz", responses={503: {"model": ReadySchema, "description": "It has been told to stop."}})
def readyz(desk: DeskHere, response: Response) -> ReadySchema:
    """Say what serves, and what is wrong with it; 503 once the service has been told to stop."""
    replier, reasons = desk.replier, _reasons(desk)
    snapshot = replier.answerer.retriever.snapshot
    if desk.stopping.is_set():
        response.status_code = 503
    reviewer = replier.rules.reviewed_by or None
    return ReadySchema(
        status=_status(desk, reasons),
        snapshot_id=snapshot.id,
        model=snapshot.manifest.model_id,
        passages=snapshot.manifest.counts["passages"],
        backend=desk.backend,
        engine=desk.settings.engine,
        calibrated=replier.answerer.calibrated,
        reasons=list(reasons),
        rules_reviewed_by=reviewer,
        notice=NOT_REVIEWED if reviewer is None else f"Warning rules reviewed by {reviewer}. Not a medical device.",
    )


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {CONTENT_TYPE: {"schema": {"type": "string"}}}}}
)
def metrics(desk: DeskHere, _caller: Operator) -> Response:
    """Return the counters of this process in Prometheus' text format."""
    snapshot_id = desk.serving.snapshot_id
    try:
        published = (desk.settings.snapshots / snapshot_id).stat().st_mtime
    except FileNotFoundError:  # it serves on from memory after its folder has gone
        published = 0.0
    text = desk.telemetry.expose(snapshot_id, published, ready=_status(desk, _reasons(desk)) == "ready")
    return Response(text, media_type=CONTENT_TYPE)


def _reasons(desk: Desk) -> tuple[str, ...]:
    reasons = desk.serving.reasons
    if desk.rebuilder is not None and desk.rebuilder.state == "failed":
        reasons = (*reasons, "the last build of the index failed: stored documents may not be found; see the log")
    if desk.watch is not None and desk.watch.reason is not None:
        reasons = (*reasons, desk.watch.reason)
    if desk.keeper is not None and desk.keeper.reason is not None:
        reasons = (*reasons, desk.keeper.reason)
    return reasons


def _status(desk: Desk, reasons: tuple[str, ...]) -> Literal["ready", "degraded", "stopping"]:
    if desk.stopping.is_set():
        return "stopping"
    return "degraded" if reasons else "ready"
