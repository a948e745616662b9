"""What operations on a NixOS system may use, and how long they wait: settings, as plain data."""

from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80, "ssh": 22}


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemAccess:
    """Where systems come from, and within which limits they are activated.

    Attributes:
        caches: Addresses of binary caches, asked in this order.
        public_keys: Keys whose signature a path from a cache must have: ``name:base64``.
        realise_timeout_s: Longest wait for everything that a system needs.
        max_bytes: Largest closure that is fetched.
        watchdog_s: When the way back is gone by itself, seconds after it was armed.
        settle_s: Within how many seconds a system must be as healthy as what ran before.
        steady_s: For how many seconds it must stay so.
        reach: Host and port of the Git server; a system that cuts the way to it is taken back.
    """

    caches: tuple[str, ...] = ()
    public_keys: tuple[str, ...] = ()
    realise_timeout_s: int = 3600
    max_bytes: int = 16 << 30
    watchdog_s: int = 600
    settle_s: int = 120
    steady_s: int = 5
    reach: tuple[str, int] | None = None


def endpoint(url: str) -> tuple[str, int] | None:
    """Host and port that an address of a Git server stands for; ``None`` for a path.

    Args:
        url: As `reconciler.transport.location` takes it.
    """
    if "://" in url:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme.lower())
        return (parts.hostname, port) if parts.hostname and port else None
    host, colon, _path = url.partition(":")
    if not colon or "/" in host:
        return None
    return host.rpartition("@")[2].strip("[]"), _PORTS["ssh"]
