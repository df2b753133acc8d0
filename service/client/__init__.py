"""The service from Python: ``from service.client import Backline`` (or ``AsyncBackline``); needs the extra ``client``.

Nothing of the service itself is loaded: no model, no index, no server.
"""

from service.client.errors import (
    BacklineError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ServiceError,
    TooManyRequestsError,
    UnavailableError,
    UnreachableError,
)
from service.client.events import Abstained, Done, Event, Found, Noticed, Said
from service.client.plain import Backline
from service.client.waiting import AsyncBackline

__all__ = [
    "Abstained",
    "AsyncBackline",
    "Backline",
    "BacklineError",
    "Done",
    "Event",
    "Found",
    "InvalidRequestError",
    "NotAllowedError",
    "NotFoundError",
    "Noticed",
    "Said",
    "ServiceError",
    "TooManyRequestsError",
    "UnavailableError",
    "UnreachableError",
]
