"""A reply as server-sent events: notice first, then whole, proved sentences, then everything.

Folding the events gives the plain reply: ``done`` carries the whole object, and what came before it is never taken
back.
"""

import json
from collections.abc import Iterator
from typing import Any

MEDIA_TYPE = "text/event-stream; charset=utf-8"


def events_of(reply: dict[str, Any], body: str) -> Iterator[str]:
    """Yield the events of one reply, each ready to send.

    ``triage`` (when a rule fired), ``passages``, one ``sentence`` a sentence with its citations, ``abstain`` (when
    there is no answer), ``done`` with the whole object of ``POST /v1/ask``.

    Args:
        reply: That object.
        body: The same as JSON on one line.
    """
    if reply["triage"] is not None:
        yield _event("triage", reply["triage"])
    yield _event("passages", reply["passages"])
    citations = {citation["id"]: citation for citation in reply["citations"]}
    for sentence in reply["sentences"]:
        proofs = [citations[name] for name in sentence["citation_ids"]]
        yield _event("sentence", {"sentence": sentence, "citations": proofs})
    if reply["abstention"] is not None:
        yield _event("abstain", reply["abstention"])
    yield f"event: done\ndata: {body}\n\n"


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
