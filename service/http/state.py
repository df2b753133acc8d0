"""What the routes work with."""

import threading
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy import Engine

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
        database: Where keys are kept; None knows none, and nothing can be written.
        open_reading: Whether asking, searching and reading need no key: only on the loopback interface.
        gate: Lets as many questions compute at once as there are cores: more would only wait for each other.
    """

    settings: Settings
    replier: Replier
    backend: str
    reasons: tuple[str, ...] = ()
    database: Engine | None = None
    open_reading: bool = True
    gate: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(2))


def desk_of(request: Request) -> Desk:
    """Return the service that the request came to."""
    return cast("Desk", request.app.state.desk)


DeskHere = Annotated[Desk, Depends(desk_of)]
