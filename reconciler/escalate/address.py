"""Which addresses tickets may go to.

Rule 1: https only; plain http to this machine alone: what is on the way reads along.
Rule 2: No secret in an address: addresses are shown in settings, errors and logs.
Rule 3: Not to link-local addresses, where machines in a cloud are told their own credentials.
"""

import ipaddress
from urllib.parse import urlsplit

from reconciler.errors import InputError

_HINT = "Give https://HOST/PATH; plain http only to 127.0.0.1 or [::1]."


def vet(url: str) -> str:
    """Give the address back, without a slash at its end, if it may be asked.

    Raises:
        InputError: Another scheme, a user, a query or a fragment in it, or an address that is none.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise InputError("the address is malformed", hint=_HINT) from error
    if not host or "@" in parts.netloc or parts.query or parts.fragment or "?" in url:
        message = "the address has no host, or carries a user, a query or a fragment"
        raise InputError(message, hint=_HINT)
    literal = _literal(host)
    loopback = literal is not None and literal.is_loopback
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise InputError("the address is not https", hint=_HINT)
    if literal is not None and (
        literal.is_link_local or literal.is_multicast or literal.is_unspecified
    ):
        raise InputError("the address is of a kind that no receiver has", hint=_HINT)
    return url.rstrip("/")


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
