"""What the routes work with."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol, cast

from fastapi import Depends, Request
from sqlalchemy import Engine

from service.answering.replying import Replier
from service.http.telemetry import Telemetry
from service.keeping import AnswerKeeper
from service.question_log import QuestionLog
from service.queueing import Gate
from service.rebuilding import Rebuilder
from service.serving import Serving
from service.settings import Settings
from service.storage.counters import Counters
from service.watching import EngineWatch


class Background(Protocol):
    """What runs beside the requests, from the first to the last."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


class Reception(Protocol):
    """Where help desks deliver."""

    def receive(
        self, platform: str, name: str, headers: Mapping[str, str], body: bytes, now: float
    ) -> Literal["accepted", "duplicate", "ignored", "refused", "nonsense"] | Mapping[str, Any]:
        """Check and store one delivery; what a help desk wants to hear back comes as an object."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One running service.

    Attributes:
        settings: Its settings.
        serving: What answers now.
        backend: What runs the embedding model.
        database: Where keys and documents are kept; None knows none, and nothing can be written.
        open_reading: Whether asking, searching and reading need no key: on the loopback interface, or by --public-ask.
        rebuilder: Builds a new snapshot when documents have changed; None where nothing can be written.
        keeper: Keeps answers; None where nothing can be written.
        questions: Logs questions; None where nothing can be written.
        background: What runs as long as the service.
        counters: What all processes count together; without them whatever must be counted is refused.
        public: Whether others than this machine may reach the service.
        hosts: Host names that are served beside the loopback interface's own.
        reception: Takes what help desks deliver; None takes nothing.
        gate: Whose turn it is to compute.
        telemetry: What the operator sees.
        stopping: Set when the service has been told to stop: it finishes what it took and takes no more.
        watch: Whether the engine elsewhere answers; None where everything is searched in this process.
        upload_gate: Lets one upload be read at a time: each has a process of its own.
    """

    settings: Settings
    serving: Serving
    backend: str
    database: Engine | None = None
    open_reading: bool = True
    rebuilder: Rebuilder | None = None
    keeper: AnswerKeeper | None = None
    background: tuple[Background, ...] = ()
    counters: Counters | None = None
    public: bool = False
    hosts: tuple[str, ...] = ()
    gate: Gate = field(default_factory=Gate)
    reception: Reception | None = None
    questions: QuestionLog | None = None
    telemetry: Telemetry = field(default_factory=Telemetry)
    stopping: threading.Event = field(default_factory=threading.Event)
    watch: EngineWatch | None = None
    upload_gate: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(1))

    @property
    def replier(self) -> Replier:
        """The replier of the moment: take it once a request, so that a reply never mixes two snapshots."""
        return self.serving.replier


async def desk_of(request: Request) -> Desk:
    """Return the service that the request came to; a plain function would be sent to a thread and back."""
    return cast("Desk", request.app.state.desk)


DeskHere = Annotated[Desk, Depends(desk_of)]
