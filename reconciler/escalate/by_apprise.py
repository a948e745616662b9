"""A ticket by apprise: mail, Slack, Teams, PagerDuty and the rest, each by one URL.

The URL holds the credentials, so it is a secret as a whole: it is never part of a message, a log or
an error. All of this runs in the process that `post` makes for it, where apprise says nothing.
"""

import logging
import warnings
from dataclasses import dataclass
from typing import Any

from reconciler.escalate.message import Arrived, Lost, Message, Result

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class ByApprise:
    """A service.

    Attributes:
        url: An apprise URL.
    """

    url: str


def send(service: ByApprise, message: Message, timeout_s: float) -> Result:
    """Send it once, as plain text."""
    _hush()
    from apprise import Apprise, NotifyFormat, NotifyType  # noqa: PLC0415 - lazy: apprise

    plugin = _plugin(service.url)
    if plugin is None or not _encrypted(plugin):
        return Lost("misconfigured")
    desk = Apprise(asset=plugin.asset)
    desk.add(plugin)
    kind = {"closed": NotifyType.SUCCESS}.get(message.phase, NotifyType.WARNING)
    result = desk.notify(
        body=f"{message.text}\n{_foot(message)}",
        title=message.title,
        notify_type=kind,
        body_format=NotifyFormat.TEXT,
        timeout=timeout_s,
    )
    match getattr(result.status, "name", ""):
        case "SUCCESS":
            return Arrived()
        case "TIMEOUT":
            return Lost("timeout")
        case _:
            return Lost("failing")


def usable(url: str) -> bool:
    """Whether apprise knows such a URL and would not send in the clear; nothing is sent."""
    _hush()
    plugin = _plugin(url)
    return plugin is not None and _encrypted(plugin)


def _hush() -> None:
    # What apprise tells may hold parts of URLs, and what its modules warn of is nobody's here.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


def _plugin(url: str) -> Any:
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - lazy: apprise

    asset = AppriseAsset(app_id="reconciler", async_mode=False, secure_logging=True)
    # A redirect would carry the credentials to wherever it points.
    asset.http_redirects = False
    return Apprise.instantiate(url, asset=asset)


def _encrypted(plugin: Any) -> bool:
    """Whether it verifies certificates and does not use the clear variant of a protocol."""
    if plugin.host in _LOOPBACK:
        return True
    has_clear_variant = bool(type(plugin).protocol)
    return bool(plugin.verify_certificate) and (bool(plugin.secure) or not has_clear_variant)


def _foot(message: Message) -> str:
    """By which a person, or a filter, can tell that two messages are the same."""
    return f"ticket {message.key}, message {message.id[:16]}"
