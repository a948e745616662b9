"""Where a language model is asked, and with which key; the key is never shown."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from reconciler.errors import InputError

Kind = Literal["openai", "azure", "compatible"]

OPENAI = "https://api.openai.com/v1"
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_MILLION = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint with one model.

    Attributes:
        kind: OpenAI, Azure OpenAI, or any server that speaks Chat Completions.
        base_url: What the path of Chat Completions is put behind; for Azure the resource.
        model: As the endpoint calls it.
        key: Secret; None for a server without one.
        deployment: Azure's name for a deployed model.
        api_version: Azure's.
        ca_file: Certificates to trust instead of the system's.
        prompt_price: Microdollars for a million tokens of a prompt; None is unknown.
        completion_price: The same for the tokens of an answer.
    """

    kind: Kind
    base_url: str
    model: str
    key: str | None = field(default=None, repr=False)
    deployment: str | None = None
    api_version: str | None = None
    ca_file: Path | None = None
    prompt_price: int | None = None
    completion_price: int | None = None

    @property
    def name(self) -> str:
        """As evidence names it: the kind and the address, which hold no secret."""
        behind = f" {self.deployment}" if self.deployment else ""
        return f"{self.kind} {self.base_url}{behind}"

    def cost_microusd(self, tokens: tuple[int, int] | None) -> int | None:
        """What a question cost, rounded up; None if nobody can say."""
        if tokens is None or self.prompt_price is None or self.completion_price is None:
            return None
        parts = tokens[0] * self.prompt_price + tokens[1] * self.completion_price
        return -(-parts // _MILLION)


def check_url(url: str) -> str:
    """Give the address back if it may be asked.

    Raises:
        InputError: Not https (or http to a loopback address), or with credentials, a query or a
            fragment.
    """
    hint = "Give https://HOST/PATH; plain http only to 127.0.0.1 or [::1]."
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"the address does not read: {error}", hint=hint) from error
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not safe or not host or "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError("the address may not be asked", hint=hint)
    return url


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """What certificates of an endpoint must lead to.

    Raises:
        InputError: The file of certificates cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"cannot read the certificates of advise.ca_file: {error.strerror or 'not PEM'}",
            hint="Name a PEM file with the certificates that the endpoint's leads to.",
        ) from error
