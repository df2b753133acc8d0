"""Calls to help desks, behind the address guard; a failure says whether another attempt can help."""

from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar

from corpus.fetching.addresses import check_url
from corpus.fetching.connecting import Network, ask
from corpus.fetching.policy import FetchPolicy
from corpus.fetching.refusals import FetchError
from service.delivering import GiveUpError, RetryLaterError, wait_seconds
from service.helpdesk.platforms import Answered, Call, NonsenseError, RefusedError, Steps

T = TypeVar("T")
Send = Callable[[Call], Answered]

_MOST_BYTES: Final = 4_000_000
_HOPELESS: Final = frozenset({400, 404, 405, 410, 413, 415, 422})
"""Not 409: help desks say so when somebody else changes the ticket at the same moment."""


def sender(allow: Collection[str], via: Network | None = None) -> Send:
    """Return what sends calls.

    Args:
        allow: ``host:port`` of machines inside the network that may be called.
        via: The way to the network.
    """
    policy = FetchPolicy(allow=frozenset(allow), connect_seconds=5, read_seconds=10, total_seconds=20)
    network = via or Network()

    def send(call: Call) -> Answered:
        content = call.content()
        headers = {"User-Agent": policy.user_agent, **call.headers}
        if content is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            target = check_url(call.url, policy.allow)
            reply = ask(target, headers, _MOST_BYTES, _want_all, policy, network, method=call.method, content=content)
        except FetchError as error:
            # The detail alone: the whole error names the address, with the ticket in it.
            if error.refusal.reason == "address":
                raise GiveUpError(f"call refused: {error.refusal.detail}") from None
            raise RetryLaterError(f"call failed: {error.refusal.detail}") from None
        if 200 <= reply.status < 300 or reply.status in call.accept:
            return Answered(reply.status, reply.content)
        raise _failure(reply.status, reply.headers)

    return send


def run(steps: Steps[T], send: Send) -> T:
    """Do the steps one after the other and return what they found.

    Raises:
        RetryLaterError: a call failed, or what came back cannot be read.
        GiveUpError: no attempt can help.
    """
    try:
        call = next(steps)
        while True:
            call = steps.send(send(call))
    except StopIteration as end:
        found: T = end.value
        return found
    except NonsenseError as error:
        raise RetryLaterError(f"the help desk's answer cannot be read: {error}") from None
    except RefusedError as error:
        raise GiveUpError(str(error)) from None


def _failure(status: int, headers: Mapping[str, str]) -> Exception:
    if status in _HOPELESS:
        return GiveUpError(f"the help desk says {status}")
    return RetryLaterError(f"the help desk says {status}", wait_seconds(headers.get("retry-after", "")))


def _want_all(_status: int, _headers: Mapping[str, str]) -> bool:
    return True
