"""What the routes work with."""

import threading
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from service.answering.replying import Replier
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Desk:
    """One running service.

    Attributes:
        settings: Its settings.
        replier: Makes replies.
        backend: What runs the embedding model.
        reasons: Why the service is degraded, if it is.
        gate: Lets as many questions compute at once as there are cores: more would only wait for each other.
    """

    settings: Settings
    replier: Replier
    backend: str
    reasons: tuple[str, ...] = ()
    gate: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(2))


def desk_of(request: Request) -> Desk:
    """Return the service that the request came to."""
    return cast("Desk", request.app.state.desk)


DeskHere = Annotated[Desk, Depends(desk_of)]
