"""The HTTP below the openai client, with hard limits; the client has none of these.

Rule 1: A body of at most so many bytes, as sent; a compressed one is not unpacked.
Rule 2: A redirect is an answer like any other and not followed; proxies, credentials and settings
        of the environment are not used.
Rule 3: Only the headers that a question needs leave the house: no word about this machine.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2

from reconciler.advise.endpoint import trust

MAX_ANSWER = 256 * 1024

_SENT = frozenset(
    {"accept", "api-key", "authorization", "connection", "content-length", "content-type", "host"}
)


class TooMuch(httpx2.TransportError):
    """An answer is larger than any that we read, or compressed."""


class _Counted(httpx2.AsyncByteStream):
    """A body that ends with an error once it is too long."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > MAX_ANSWER:
                raise TooMuch(f"more than {MAX_ANSWER} bytes")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


class Bounded(httpx2.AsyncBaseTransport):
    """A transport that sends little and reads little."""

    def __init__(self, ca_file: Path | None, *, keyless: bool) -> None:
        self._inner = httpx2.AsyncHTTPTransport(verify=trust(ca_file), trust_env=False)
        self._sent = _SENT - {"authorization", "api-key"} if keyless else _SENT

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request."""
        kept = [(name, value) for name, value in request.headers.raw if self._leaves(name)]
        asked = httpx2.Request(
            request.method,
            request.url,
            headers=[*kept, (b"user-agent", b"reconciler"), (b"accept-encoding", b"identity")],
            stream=request.stream,
            extensions=request.extensions,
        )
        response = await self._inner.handle_async_request(asked)
        stream = response.stream
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise TooMuch("a compressed body")
        if isinstance(stream, httpx2.AsyncByteStream):
            response.stream = _Counted(stream)
        return response

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._inner.aclose()

    def _leaves(self, name: bytes) -> bool:
        return name.decode("latin-1").lower() in self._sent


def client(ca_file: Path | None, timeout_s: float, *, keyless: bool) -> httpx2.AsyncClient:
    """A client for one question.

    Raises:
        InputError: The file of certificates cannot be read.
    """
    return httpx2.AsyncClient(
        transport=Bounded(ca_file, keyless=keyless),
        timeout=timeout_s,
        trust_env=False,
        follow_redirects=False,
    )
