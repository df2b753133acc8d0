"""The link in a note: to the page where an agent sees the whole answer and says what is wrong with it.

Whoever has the note has the link, and the link opens this one answer: it carries a signature over its id.
"""

import hmac
import secrets

from service.answering.records import Reply
from service.settings import Settings
from service.signing import hmac_hex
from service.storage.connections import Connection

_LETTERS = 32


def new_link_secret() -> str:
    """Return what signs the links of a connection."""
    return secrets.token_urlsafe(32)


def answer_url(connection: Connection, reply: Reply, settings: Settings) -> str:
    """Return the address of an answer's page; "" where no address of Backline is known, or no answer is kept."""
    public_url = connection.options.get("public_url", "")
    if not public_url or not settings.keep_answers:
        return ""
    return f"{public_url}/desk/{connection.name}/{reply.id}/{_signature(connection, reply.id)}"


def opens(connection: Connection, answer_id: str, signature: str) -> bool:
    """Whether a link's signature is ours, compared in constant time."""
    wanted = _signature(connection, answer_id)
    return bool(wanted) and hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "surrogatepass"))


def _signature(connection: Connection, answer_id: str) -> str:
    secret = connection.options.get("link_secret", "")
    return hmac_hex(secret.encode(), f"{connection.name}/{answer_id}".encode(), "sha256")[:_LETTERS] if secret else ""
