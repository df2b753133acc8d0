"""Not too much at once: rates of keys and tokens, daily budgets of widgets, a short queue before the model."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from fastapi import Depends, Request

from service.http.problems import ProblemError
from service.http.state import Desk
from service.storage.counters import DAY, Count, Counters, CountersUnavailableError, Limit

_BUSY_SECONDS = 2


def counters_of(desk: Desk) -> Counters:
    """Return the shared counters.

    Raises:
        ProblemError: there are none; what must be counted is then refused, never let through.
    """
    if desk.counters is None:
        raise ProblemError("not-ready", "This service keeps no counters.", headers={"retry-after": "3600"})
    return desk.counters


def charge(request: Request, desk: Desk, limits: Sequence[Limit]) -> None:
    """Count one request.

    Raises:
        ProblemError: it is one too many in its minute or its day, or cannot be counted.
    """
    if not limits:
        return
    try:
        counts = counters_of(desk).use(limits)
    except CountersUnavailableError:
        detail = "Requests cannot be counted at the moment; try again soon."
        raise ProblemError("not-ready", detail, headers={"retry-after": "5"}) from None
    for count in counts:
        if count.refused:
            raise _refusal(count)
    by_minute = [count for count in counts if count.limit.seconds != DAY]
    if by_minute:
        request.state.rate = min(by_minute, key=lambda count: count.left)


def rate_headers(count: Count) -> dict[str, str]:
    """Return what a caller may want to know of its rate."""
    return {
        "ratelimit-limit": str(count.limit.most),
        "ratelimit-remaining": str(count.left),
        "ratelimit-reset": str(count.reset_seconds),
    }


def _refusal(count: Count) -> ProblemError:
    headers = {"retry-after": str(count.reset_seconds)}
    if count.limit.seconds == DAY:
        detail = "The questions of today are used up; come back after midnight UTC, or ask the operator for more."
        return ProblemError("over-budget", detail, headers=headers)
    detail = f"At most {count.limit.most} requests a minute; wait as long as Retry-After says."
    return ProblemError("rate-limited", detail, headers={**headers, **rate_headers(count)})


COMPUTES: Final = frozenset({"/v1/ask", "/v1/search", "/v1/verify", "/v1/chat/completions"})
"""The addresses that need a place, as in each of their routes' ``ADMITTED``."""


class Admission:
    """Lets so many questions in, computing or waiting, and turns the next away at once.

    A longer queue answers nobody sooner: it only makes everyone wait.

    Args:
        most: Questions inside at the same time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside = 0

    @property
    def inside(self) -> int:
        """Questions that are inside now."""
        return self._inside

    def refuses(self, method: str, path: str) -> bool:
        """Whether a request would find no place now: asked before its body, its key or anything is read.

        Under load most of what comes is refused, so that refusing has to cost next to nothing.
        """
        return self._inside >= self._most and method == "POST" and path in COMPUTES

    def enter(self) -> None:
        """Take a place. Only the event loop calls this, so that nothing comes between looking and taking.

        Raises:
            ProblemError: every place is taken.
        """
        if self._inside >= self._most:
            raise self.overloaded()
        self._inside += 1

    def leave(self) -> None:
        """Give the place back."""
        self._inside -= 1

    @staticmethod
    def overloaded() -> ProblemError:
        """Return what is said to whoever finds no place."""
        detail = "More questions are waiting than can be answered soon; try again in a moment."
        return ProblemError("overloaded", detail, headers={"retry-after": str(_BUSY_SECONDS)})


async def _admit(request: Request) -> AsyncIterator[None]:
    admission: Admission = request.app.state.admission
    admission.enter()
    try:
        yield
    finally:
        admission.leave()


ADMITTED = Depends(_admit, scope="function")
"""For routes that compute. The body has come in before, so that slow senders take no place; the place is free again
before the response is sent, so that slow readers keep none."""
