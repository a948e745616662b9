"""Hand one message to one channel, in a process that cannot outlive its bounds.

Name resolution, TLS and other people's libraries have no limit that holds for the whole. Here only
the child pays; a child that was killed may have sent, so its message goes again under the same id.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from reconciler.escalate import by_apprise, file, github, webhook
from reconciler.escalate.by_apprise import ByApprise
from reconciler.escalate.file import Shelf
from reconciler.escalate.github import GitHub
from reconciler.escalate.message import (
    Lost,
    Message,
    Result,
    result_from_json,
    result_to_json,
)
from reconciler.escalate.webhook import Webhook
from reconciler.transport.child import ChildDied, ChildLate, run_apart

Way = Shelf | Webhook | GitHub | ByApprise

START_S = 8.0
"""Seconds that a process and its libraries may take before a message leaves."""
APPRISE_START_S = 20.0
"""Apprise reads all of its hundred services first."""
MEMORY_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel, ready.

    Attributes:
        name: As clients name it.
        way: How it is reached.
        timeout_s: Seconds for one message.
        per_hour: Most tries within an hour.
    """

    name: str
    way: Way
    timeout_s: float
    per_hour: int

    @property
    def longest_s(self) -> float:
        """Seconds after which a try is over, whatever happens."""
        slow = isinstance(self.way, ByApprise)
        return self.timeout_s + (APPRISE_START_S if slow else START_S)


def post(channel: Channel, message: Message) -> Result:
    """Try once; never raises for what a channel does."""
    if isinstance(channel.way, Shelf):
        return file.write(channel.way, message)
    request = {
        "kind": type(channel.way).__name__,
        "way": asdict(channel.way),
        "message": message.to_json(),
        "timeout_s": channel.timeout_s,
    }
    try:
        reply = run_apart(
            work,
            json.dumps(request).encode(),
            seconds=channel.longest_s,
            memory_bytes=MEMORY_BYTES,
        )
        return result_from_json(json.loads(reply))
    except ChildLate:
        return Lost("timeout")
    except (ChildDied, ValueError):
        return Lost("broken")


def usable(way: ByApprise) -> bool:
    """Whether apprise would send by a URL, and not in the clear; nothing is sent."""
    request = json.dumps({"kind": "usable", "url": way.url}).encode()
    try:
        seconds = APPRISE_START_S
        return run_apart(work, request, seconds=seconds, memory_bytes=MEMORY_BYTES) == b"yes"
    except (ChildLate, ChildDied):
        return False


def work(request: bytes) -> bytes:
    """What the child does: one message, one answer."""
    value: dict[str, Any] = json.loads(request)
    if value["kind"] == "usable":
        return b"yes" if by_apprise.usable(value["url"]) else b"no"
    result = _send(value["kind"], value["way"], Message(**value["message"]), value["timeout_s"])
    return json.dumps(result_to_json(result)).encode()


def _send(kind: str, way: dict[str, Any], message: Message, timeout_s: float) -> Result:
    match kind:
        case "Webhook":
            return webhook.send(Webhook(**way), message, timeout_s)
        case "GitHub":
            labels = tuple(way.pop("labels"))
            return github.send(GitHub(**way, labels=labels), message, timeout_s)
        case "ByApprise":
            return by_apprise.send(ByApprise(**way), message, timeout_s)
        case _:
            return Lost("misconfigured")
