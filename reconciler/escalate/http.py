"""One exchange over HTTP, with hard limits; runs in the process that `post` makes for it.

Rule 1: Certificates are verified, always. A redirect is an answer like any other and not followed;
        proxies and credentials of the environment are not used; a compressed body is not unpacked.
Rule 2: What a server says is a number of bytes that ends, and its words go nowhere.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from reconciler.escalate.message import Code, Lost


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        method: ``GET``, ``POST`` or ``PATCH``.
        url: A vetted address; `github` adds a query of its own.
        content: The body.
        headers: Beside the usual ones.
        max_bytes: Largest answer.
    """

    method: str
    url: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    max_bytes: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer: its status is 2xx."""

    content: bytes


def client(ca_file: str | None, timeout_s: float) -> httpx.Client | Lost:
    """What asks.

    Args:
        ca_file: PEM file of the only authorities to trust; None for the public ones.
        timeout_s: Seconds without a byte.
    """
    try:
        trusted = True if ca_file is None else ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        return Lost("misconfigured")
    return httpx.Client(
        timeout=timeout_s,
        verify=trusted,
        trust_env=False,
        follow_redirects=False,
        headers={"User-Agent": "reconciler", "Accept-Encoding": "identity"},
    )


def exchange(asking: httpx.Client, request: Request) -> Reply | Lost:
    """Ask once; never raises for what a server does."""
    try:
        with asking.stream(
            request.method, request.url, content=request.content, headers=dict(request.headers)
        ) as response:
            code = _code(response.status_code)
            if code is not None:
                return Lost(code)
            return _read(response, request.max_bytes)
    except httpx.TimeoutException:
        return Lost("timeout")
    except httpx.HTTPError as error:
        return Lost("bad-certificate" if _untrusted(error) else "unreachable")


def _read(response: httpx.Response, max_bytes: int) -> Reply | Lost:
    content = b""
    for part in response.iter_raw():
        content += part
        if len(content) > max_bytes:
            return Lost("broken")
    return Reply(content)


def _code(status: int) -> Code | None:
    match status:
        case _ if 200 <= status < 300:
            return None
        case _ if 300 <= status < 400:
            return "moved"
        case 401 | 403 | 407:
            return "auth-failed"
        case 404 | 410:
            return "not-found"
        case 413:
            return "too-large"
        case 408 | 425 | 429:
            return "failing"
        case _ if 400 <= status < 500:
            return "refused"
        case _:
            return "failing"


def _untrusted(error: BaseException | None) -> bool:
    """Whether a certificate is behind an error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
