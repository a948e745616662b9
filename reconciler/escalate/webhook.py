"""A ticket by POST to somebody's own receiver, signed."""

from dataclasses import dataclass

from reconciler.escalate.message import Arrived, Lost, Message, Result
from reconciler.escalate.signature import HEADER, ID_HEADER, sign
from reconciler.evidence import canonical

FORMAT = "reconciler-webhook-1"
MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver.

    Attributes:
        url: A vetted address.
        secret: What the signature is made with.
        ca_file: PEM file of the only authorities to trust; None for the public ones.
    """

    url: str
    secret: str
    ca_file: str | None = None


def body_of(message: Message) -> bytes:
    """What is posted: canonical JSON."""
    return canonical.encode(
        {
            "format": FORMAT,
            "id": message.id,
            "key": message.key,
            "phase": message.phase,
            "target": message.target,
            "title": message.title,
            "sent_at": message.at,
            "ticket": dict(message.document),
            "markdown": message.markdown,
        }
    )


def send(webhook: Webhook, message: Message, timeout_s: float) -> Result:
    """Post it once; any answer that is 2xx is its arrival."""
    from reconciler.escalate import http  # noqa: PLC0415 - lazy: httpx

    body = body_of(message)
    if len(body) > MOST_BYTES:
        return Lost("too-large")
    asking = http.client(webhook.ca_file, timeout_s)
    if isinstance(asking, Lost):
        return asking
    headers = {
        "Content-Type": "application/json",
        ID_HEADER: message.id,
        HEADER: sign(webhook.secret.encode(), message.at, body),
    }
    with asking:
        reply = http.exchange(asking, http.Request("POST", webhook.url, body, headers))
    return reply if isinstance(reply, Lost) else Arrived()
