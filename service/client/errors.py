"""What the service refuses, as exceptions."""

from pydantic import BaseModel, ValidationError


class _Fault(BaseModel):
    field: str
    detail: str


class _Problem(BaseModel):
    detail: str = ""
    code: str = ""
    request_id: str = ""
    errors: list[_Fault] = []


class BacklineError(Exception):
    """The service did not do what was asked.

    Attributes:
        status: HTTP status, or 0 when there was no reply.
        code: Kind of the problem, such as ``no-key`` or ``rate-limited``.
        detail: What is wrong and what to do.
        request_id: Names the request in the service's log.
        retry_after: Seconds after which it may be tried again, or None.
        faults: Field and detail of each fault of the request.
    """

    def __init__(
        self,
        detail: str,
        status: int = 0,
        code: str = "",
        request_id: str = "",
        retry_after: int | None = None,
        faults: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(f"{detail} ({code or status})" if code or status else detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.retry_after = retry_after
        self.faults = faults


class InvalidRequestError(BacklineError):
    """A field, the size or the form of the request is wrong."""


class NotAllowedError(BacklineError):
    """There is no working key, or it does not allow this."""


class NotFoundError(BacklineError):
    """There is nothing under that id."""


class TooManyRequestsError(BacklineError):
    """The rate or the budget is used up; ``retry_after`` says for how long."""


class UnavailableError(BacklineError):
    """The service is busy or not ready; ``retry_after`` says when to come back."""


class ServiceError(BacklineError):
    """Something went wrong in the service, or it replied with something else than it should."""


class UnreachableError(BacklineError):
    """No reply came: nothing listens there, or it took too long."""


def error_of(status: int, body: bytes, retry_after: str | None) -> BacklineError:
    """Return the exception of a reply that is no success; a proxy's error page makes one too."""
    try:
        problem = _Problem.model_validate_json(body)
    except ValidationError:
        problem = _Problem(detail=f"The reply has the status {status} and does not say why.")
    seconds = int(retry_after) if retry_after is not None and retry_after.isdecimal() else None
    faults = tuple((fault.field, fault.detail) for fault in problem.errors)
    return _kind(status)(problem.detail, status, problem.code, problem.request_id, seconds, faults)


def _kind(status: int) -> type[BacklineError]:
    kinds: dict[int, type[BacklineError]] = {
        401: NotAllowedError,
        403: NotAllowedError,
        404: NotFoundError,
        429: TooManyRequestsError,
        503: UnavailableError,
    }
    return kinds.get(status, InvalidRequestError if 400 <= status < 500 else ServiceError)
