"""Questions to strangers over HTTP, with hard limits in bytes and in time.

httpx limits each read, not the whole exchange: a server that drips one byte at a time would hold
the appliance for ever. So every question runs under one deadline that covers connecting, headers
and body. Name resolution beyond the deadline is left to the resolver's own limit.

Rule 1: https only; plain http to this machine's loopback address, for tests and local relays.
Rule 2: A redirect is an answer like any other and not followed; proxies and credentials of the
    environment are not used; a compressed body is not unpacked.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from reconciler.errors import InputError
from reconciler.model.values import plain

_LOOPBACK = frozenset({"127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Question:
    """One request.

    Attributes:
        url: Where.
        content: What to post; None asks with GET.
        headers: Headers beside the usual ones.
    """

    url: str
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; any status."""

    status: int
    content: bytes


@dataclass(frozen=True, slots=True)
class NoReply:
    """Nothing usable came back, and why."""

    reason: str


def check_url(url: str) -> str:
    """Give the address back if it may be asked.

    Raises:
        InputError: Not https (or http to a loopback address), or with credentials, a query or a
            fragment.
    """
    hint = "Give https://HOST/PATH; plain http only to 127.0.0.1 or [::1]."
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise InputError(f"{url!r:.200} is not an address: {error}", hint=hint) from error
    safe = parsed.scheme == "https" or (parsed.scheme == "http" and parsed.host in _LOOPBACK)
    if not safe or not parsed.host or parsed.userinfo or parsed.query or parsed.fragment:
        raise InputError(f"{url!r:.200} is not an address that may be asked", hint=hint)
    return url


def ask(
    questions: Sequence[Question], *, max_bytes: int, timeout_s: float
) -> list[Reply | NoReply]:
    """Ask all questions at once and wait for each no longer than the time limit.

    Args:
        questions: What to ask; the order of the answers is theirs.
        max_bytes: Largest body of an answer.
        timeout_s: Seconds for each question, from the first packet to the last.

    Returns:
        An answer or the reason why there is none; never raises for what a server does.

    Raises:
        InputError: An address that must not be asked.
    """
    for question in questions:
        check_url(question.url)
    return asyncio.run(_all(questions, max_bytes, timeout_s))


async def _all(
    questions: Sequence[Question], max_bytes: int, timeout_s: float
) -> list[Reply | NoReply]:
    async with httpx.AsyncClient(
        timeout=timeout_s, trust_env=False, follow_redirects=False
    ) as client:
        asked = (_one(client, question, max_bytes, timeout_s) for question in questions)
        return await asyncio.gather(*asked)


async def _one(
    client: httpx.AsyncClient, question: Question, max_bytes: int, timeout_s: float
) -> Reply | NoReply:
    method = "GET" if question.content is None else "POST"
    headers = {"Accept-Encoding": "identity", "User-Agent": "reconciler", **question.headers}
    try:
        async with (
            asyncio.timeout(timeout_s),
            client.stream(
                method, question.url, content=question.content, headers=headers
            ) as response,
        ):
            return await _read(response, max_bytes)
    except (TimeoutError, httpx.TimeoutException):
        return NoReply(f"no whole answer within {timeout_s:g} s")
    except httpx.HTTPError as error:
        return NoReply(_printable(f"{type(error).__name__}: {error}"))


async def _read(response: httpx.Response, max_bytes: int) -> Reply | NoReply:
    content = b""
    async for part in response.aiter_raw():
        content += part
        if len(content) > max_bytes:
            return NoReply(f"answer is larger than {max_bytes} bytes")
    return Reply(response.status_code, content)


def _printable(text: str) -> str:
    # What a stranger says ends up in logs and on terminals.
    return plain("".join(char if char.isprintable() else "?" for char in text))[:200]
