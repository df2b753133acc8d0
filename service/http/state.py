"""What the routes work with."""

import threading
from dataclasses import dataclass, field
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request
from sqlalchemy import Engine

from service.answering.replying import Replier
from service.rebuilding import Rebuilder
from service.serving import Serving
from service.settings import Settings


class Background(Protocol):
    """What runs beside the requests, from the first to the last."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One running service.

    Attributes:
        settings: Its settings.
        serving: What answers now.
        backend: What runs the embedding model.
        database: Where keys and documents are kept; None knows none, and nothing can be written.
        open_reading: Whether asking, searching and reading need no key: only on the loopback interface.
        rebuilder: Builds a new snapshot when documents have changed; None where nothing can be written.
        background: What runs as long as the service.
        gate: Lets as many questions compute at once as there are cores: more would only wait for each other.
        upload_gate: Lets one upload be read at a time: each has a process of its own.
    """

    settings: Settings
    serving: Serving
    backend: str
    database: Engine | None = None
    open_reading: bool = True
    rebuilder: Rebuilder | None = None
    background: tuple[Background, ...] = ()
    gate: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(2))
    upload_gate: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(1))

    @property
    def replier(self) -> Replier:
        """The replier of the moment: take it once a request, so that a reply never mixes two snapshots."""
        return self.serving.replier


def desk_of(request: Request) -> Desk:
    """Return the service that the request came to."""
    return cast("Desk", request.app.state.desk)


DeskHere = Annotated[Desk, Depends(desk_of)]
