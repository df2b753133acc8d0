"""``/healthz`` and ``/readyz``."""

from fastapi import APIRouter

from service.http.schemas import HealthSchema, ReadySchema
from service.http.state import DeskHere

router = APIRouter(tags=["health"])

NOT_REVIEWED = "No clinician has reviewed the warning rules. This is not a medical device."


@router.get("/healthz")
def healthz() -> HealthSchema:
    """Say that the process lives."""
    return HealthSchema()


@router.get("/readyz")
def readyz(desk: DeskHere) -> ReadySchema:
    """Say what serves, and what is wrong with it."""
    replier, reasons = desk.replier, desk.serving.reasons
    if desk.rebuilder is not None and desk.rebuilder.state == "failed":
        reasons = (*reasons, "the last build of the index failed: stored documents may not be found; see the log")
    snapshot = replier.answerer.retriever.snapshot
    reviewer = replier.rules.reviewed_by or None
    return ReadySchema(
        status="degraded" if reasons else "ready",
        snapshot_id=snapshot.id,
        model=snapshot.manifest.model_id,
        passages=len(snapshot.passages),
        backend=desk.backend,
        calibrated=replier.answerer.calibrated,
        reasons=list(reasons),
        rules_reviewed_by=reviewer,
        notice=NOT_REVIEWED if reviewer is None else f"Warning rules reviewed by {reviewer}. Not a medical device.",
    )
