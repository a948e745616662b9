"""Where a repository is fetched from or pushed to, and with which credentials: vetted before use.

Rule 1: Plain ``http`` only to this machine, ``git://`` never: both let the way read along, and
        with a token they give it away.
Rule 2: No secret in an address. Addresses are shown in errors and evidence.
Rule 3: SSH needs a key file and a known hosts file. There is no trust on first use.
"""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from reconciler.errors import InputError

LocationKind = Literal["local", "http", "ssh"]

_MAX_URL = 2048
_SCP = re.compile(r"([A-Za-z0-9._-]+@)?(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):[^:].*")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_FORMS = "Give a path, file:///path, https://host/path or ssh://user@host/path (user@host:path)."


@dataclass(frozen=True, slots=True)
class Location:
    """A vetted address.

    Attributes:
        kind: ``local`` for a path or ``file://``; ``http`` for https and loopback http; ``ssh``.
        url: As given; free of secrets, so it may be shown.
    """

    kind: LocationKind
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Files that let this machine in; paths only, nothing is read before it is needed.

    Attributes:
        ssh_key: Private key without passphrase (``ssh``; required there).
        known_hosts: OpenSSH known hosts with the server's key (``ssh``; required there).
        ca_file: PEM file of the only certificate authorities to trust (``https``).
        token_file: Password or access token (``https``).
        username: Who the token belongs to.
    """

    ssh_key: Path | None = None
    known_hosts: Path | None = None
    ca_file: Path | None = None
    token_file: Path | None = None
    username: str = "git"


NO_ACCESS = Access()


def vet(url: str, access: Access, *, what: str = "fleet repository") -> Location:
    """Decide how an address is reached.

    Args:
        url: The address.
        access: What lets this machine in.
        what: What to call the repository in an error.

    Raises:
        InputError: Another scheme, a password in it, plain http to another machine, SSH without
            key or known hosts.
    """
    if not url or len(url) > _MAX_URL or not url.isprintable() or "\\" in url:
        raise InputError(f"{what} address is empty, too long or unprintable", hint=_FORMS)
    if "://" not in url and "::" not in url:
        return _ssh(url, access, what) if _SCP.fullmatch(url) else Location("local", url)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise InputError(f"{what} address is malformed", hint=_FORMS) from error
    if parts.password is not None or parts.query or parts.fragment:
        message = f"{what} address carries a password, query or fragment"
        raise InputError(message, hint="Put the token into a file and name that file.")
    return _by_scheme(parts, url, access, what)


def check_branch(branch: str) -> str:
    """A branch name that is one plain path, or an error.

    Raises:
        InputError: Not such a name.
    """
    plain = _BRANCH.fullmatch(branch) and ".." not in branch and len(branch) <= 200
    if not plain or branch.endswith((".lock", ".")) or ".lock/" in branch:
        raise InputError("branch name is not a plain one", hint="For example: main")
    return branch


def _by_scheme(parts: SplitResult, url: str, access: Access, what: str) -> Location:
    match parts.scheme.lower():
        case "file" if parts.netloc in ("", "localhost"):
            return Location("local", url)
        case "https" if parts.hostname and parts.username is None:
            return Location("http", url)
        case "http" if _is_this_machine(parts.hostname) and parts.username is None:
            return Location("http", url)
        case "ssh" if parts.hostname:
            return _ssh(url, access, what)
        case "http":
            message = "plain http is allowed to this machine only"
        case _:
            message = f"{what} address has a form that is not allowed: {url[:80]}"
    raise InputError(message, hint=_FORMS)


def _ssh(url: str, access: Access, what: str) -> Location:
    if access.ssh_key is None or access.known_hosts is None:
        message = f"{what} over SSH needs a key file and a known hosts file"
        hint = "Create the first with ssh-keygen; copy the server's host key into the second."
        raise InputError(message, hint=hint)
    return Location("ssh", url)


def _is_this_machine(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
