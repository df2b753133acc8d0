"""Hand-overs to a person: what is sent, and how it is delivered to the operator's hook."""

import json
import time
from dataclasses import dataclass
from typing import Any, Final

from corpus.fetching.addresses import check_url
from corpus.fetching.connecting import Network, ask
from corpus.fetching.policy import FetchPolicy
from corpus.fetching.refusals import FetchError
from service.delivering import Deliver, GiveUpError, RetryLaterError, wait_seconds
from service.settings import Settings
from service.signing import sign_webhook
from service.storage.outbox import Item

HANDOFF: Final = "handoff"

_MOST_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Handoff:
    """A question for a person.

    Attributes:
        id: The id of its row in the outbox.
        created: When it was handed over.
        question: As the asker saw it before sending.
        contact: How the asker can be reached, or None.
        answer_id: The answer that did not help, or None.
        conversation_id: Its conversation, or None.
        status: Its status, or None.
        level: Level of the notice that the question raises, or None.
    """

    id: str
    created: str
    question: str
    contact: str | None
    answer_id: str | None
    conversation_id: str | None
    status: str | None
    level: str | None

    def payload(self) -> dict[str, Any]:
        """Return the body of the hook."""
        data = {name: getattr(self, name) for name in Handoff.__slots__ if name != "created"}
        return {"type": "handoff.created", "timestamp": self.created, "data": data}


def deliver_to(settings: Settings, network: Network | None = None) -> Deliver:
    """Return what delivers hand-overs to the operator's hook, signed anew at every attempt.

    The connection passes the address guard of fetching: only public machines, and those that the operator allows.

    Args:
        settings: The hook's address, secrets and allowed machines.
        network: How names are looked up and connections opened.
    """
    policy = FetchPolicy(allow=frozenset(settings.handoff_allow), connect_seconds=10, read_seconds=15, total_seconds=30)

    def deliver(item: Item) -> None:
        if not settings.handoff_url:
            raise RetryLaterError("nobody is set to hand over to")
        body = json.dumps(item.payload, ensure_ascii=False).encode()
        headers = {"User-Agent": policy.user_agent, "Content-Type": "application/json", "Accept": "*/*"}
        headers |= sign_webhook(settings.handoff_secrets, item.id, int(time.time()), body)
        try:
            target = check_url(settings.handoff_url, policy.allow)
            reply = ask(
                target,
                headers,
                _MOST_BYTES,
                lambda _status, _headers: False,
                policy,
                network or Network(),
                method="POST",
                content=body,
            )
        except FetchError as error:
            raise RetryLaterError(error.refusal.reason) from None
        if reply.status == 410:
            raise GiveUpError("status 410")
        if not 200 <= reply.status < 300:
            raise RetryLaterError(f"status {reply.status}", wait_seconds(reply.headers.get("retry-after", "")))

    return deliver
