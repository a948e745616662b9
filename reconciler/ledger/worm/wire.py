"""The boto3 client: told everything, left to guess nothing, and read within limits.

Rule 1: No settings but ours: neither the environment, nor files in a home directory, nor the
    metadata service of a cloud decide whose credentials are used or where they are sent.
Rule 2: A request goes to the configured endpoint or nowhere; a redirection is refused.
Rule 3: A response is read up to a limit, whatever length it announces.

Import this only to send something: boto3 takes a third of a second, and is an extra.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.httpsession import URLLib3Session

from reconciler.errors import InputError, MachineError
from reconciler.ledger.worm.nouns import MAX_OBJECT
from reconciler.ledger.worm.settings import StoreSettings, read_secret

MAX_ANSWER = 8 * 1024 * 1024
"""Bytes of an answer that is no object: a full page of a listing has less than 4 MiB."""

_CHUNK = 64 * 1024
_HINT = "See what answers at that address; a store does not do this."


@dataclass(frozen=True)
class Wire:
    """A client for S3, and what sends its requests.

    Attributes:
        s3: The boto3 client.
        close: Lets go of the connections.
    """

    s3: Any
    close: Callable[[], None]


def connect(settings: StoreSettings) -> Wire:
    """A client for S3; nothing is sent yet.

    Raises:
        InputError: A credential or the certificates cannot be read.
    """
    sender = _Sender(settings)
    client = _session().client(
        "s3",
        endpoint_url=settings.endpoint,
        region_name=settings.region,
        aws_access_key_id=read_secret(settings.access_key_file),
        aws_secret_access_key=read_secret(settings.secret_key_file),
        config=_config(settings),
    )
    client.meta.events.register("before-send.s3", sender.send)
    return Wire(client, sender.close)


@cache
def _session() -> Any:
    """One for all clients: reading the description of S3 takes most of the time."""
    return boto3.session.Session(botocore_session=botocore.session.Session(_no_settings()))


def _no_settings() -> dict[str, tuple[None, None, Any, Any]]:
    """Every setting of botocore with its default, and neither variable nor file to change it."""
    known = botocore.session.Session.SESSION_VARIABLES
    files = {"config_file": os.devnull, "credentials_file": os.devnull}
    return {
        name: (None, None, files.get(name, default), convert)
        for name, (_, _, default, convert) in known.items()
    }


def _config(settings: StoreSettings) -> Any:
    return Config(
        signature_version="s3v4",
        retries={"total_max_attempts": settings.limits.attempts, "mode": "standard"},
        # With the bucket in the path the host is always the endpoint's (Rule 2).
        s3={"addressing_style": "path"},
        proxies={},
        # Checksums are ours, SHA-256, given with each object and compared by us.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


class _Sender:
    """Sends a prepared request in botocore's place, to keep Rules 2 and 3."""

    def __init__(self, settings: StoreSettings) -> None:
        limits, ca_file = settings.limits, settings.ca_file
        if ca_file is not None and not ca_file.is_file():
            hint = "Name the file with the certificates of the store's authority."
            raise InputError(f"certificates {ca_file} are not there", hint=hint)
        self._origin = urlsplit(settings.endpoint)[:2]
        self._session = URLLib3Session(
            verify=str(ca_file) if ca_file is not None else True,
            proxies={},
            timeout=(limits.connect_s, limits.read_s),
            max_pool_connections=1,
        )

    def send(self, request: Any, **_: Any) -> Any:
        """Send it; the answer is complete, except for the content of an object."""
        if urlsplit(request.url)[:2] != self._origin:
            raise MachineError("the store sends us to another address", hint=_HINT)
        is_object = request.stream_output
        request.stream_output = True
        got = self._session.send(request)
        body = _Limited(got.raw, MAX_OBJECT + 1 if is_object else MAX_ANSWER)
        answer = AWSResponse(got.url, got.status_code, got.headers, body)
        if not is_object:
            self._read(answer)
        return answer

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _read(self, answer: Any) -> None:
        """Read the content here, where a broken connection is still repeated."""
        complete = False
        try:
            complete = answer.content is not None
        finally:
            if not complete:
                answer.raw.close()


class _Limited:
    """The body of a response, as botocore reads it, up to a limit."""

    def __init__(self, raw: Any, limit: int) -> None:
        self._raw = raw
        self._left = limit

    def read(self, amount: int | None = None) -> bytes:
        """The next bytes."""
        # One more than is left, to see that there is more.
        data: bytes = self._raw.read(min(amount or self._left + 1, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise MachineError("the store sends more than was asked for", hint=_HINT)
        return data

    def stream(self) -> Iterator[bytes]:
        """All of it, in pieces."""
        while chunk := self.read(_CHUNK):
            yield chunk

    def close(self) -> None:
        """Let go of the connection."""
        self._raw.close()
