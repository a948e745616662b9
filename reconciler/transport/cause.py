"""Why a transfer did not happen: a closed set of causes, and what to say and do about each.

libgit2's error codes do not tell these apart, so its words are read; a server's own words go
nowhere, since what is said here may end up in evidence, which holds no free text.
"""

from collections.abc import Mapping
from typing import Literal

Cause = Literal[
    "no-network",
    "unknown-host",
    "bad-certificate",
    "auth-failed",
    "not-found",
    "timeout",
    "too-large",
    "lost",
    "local",
    "broken",
    "missing-branch",
    "moved",
    "declined",
    "unstored",
    "unproven",
]

# libgit2's own words, first match wins; the codes of its errors do not tell these apart.
_BY_WORDS: tuple[tuple[str, Cause], ...] = (
    ("ssh hostkey", "unknown-host"),
    ("certificate", "bad-certificate"),
    ("failed to resolve address", "no-network"),
    ("failed to connect", "no-network"),
    ("network is unreachable", "no-network"),
    ("timed out", "timeout"),
    ("timeout", "timeout"),
    ("authenticat", "auth-failed"),
    ("status code: 401", "auth-failed"),
    ("status code: 403", "auth-failed"),
    ("callback returned unsupported credentials type", "auth-failed"),
    ("status code: 404", "not-found"),
    ("not found", "not-found"),
    ("failed to resolve path", "not-found"),
    ("could not find repository", "not-found"),
    ("not owned by current user", "not-found"),
    ("no such file", "not-found"),
    # What libgit2 says of a path that does not exist; the address itself was vetted.
    ("unsupported url protocol", "not-found"),
    ("no space left", "local"),
    ("read-only file system", "local"),
    ("permission denied", "local"),
    ("failed to lock", "local"),
    ("unpacking the sources failed on the remote", "unstored"),
    ("too many objects", "too-large"),
    ("out of memory", "too-large"),
    ("eof", "lost"),
    ("disconnect", "lost"),
    ("connection", "lost"),
)

_QUOTES_SERVER = ("remote error", "content-type", "redirect", "packet line", "pkt-line")

_FAILURES: Mapping[Cause, tuple[str, str]] = {
    "no-network": (
        "the {server} cannot be reached",
        "Check name resolution, routes and the firewall; {meanwhile}.",
    ),
    "unknown-host": (
        "the {server}'s SSH host key is not in the known hosts file",
        "If the key is new on purpose, put it into the file; if not, somebody is in between.",
    ),
    "bad-certificate": (
        "the {server}'s TLS certificate is not valid",
        "Check its name and expiry, the CA file, and this machine's clock.",
    ),
    "auth-failed": (
        "the {server} refused the credentials",
        "Check the deploy key or token, its file, and what it may do in the repository.",
    ),
    "not-found": (
        "there is no repository at this address, or it may not be read",
        "Check the address, and who owns the directory if it is a path.",
    ),
    "timeout": (
        "the transfer took too long",
        "Try again; if a first transfer is slow, raise the time limit.",
    ),
    "too-large": (
        "the {server} sent more than is allowed",
        "Find what was pushed; if the repository is that large, raise the limit.",
    ),
    "lost": ("the connection to the {server} broke", "Try again; look at the server's log."),
    "local": (
        "what comes from the {server} cannot be written",
        "Check free space, mount options and the owner of the state directory.",
    ),
    "broken": ("the transfer failed", "Look at the server with git ls-remote and git fsck."),
    "missing-branch": ("the {server} does not have the branch", "Check the name, or push it."),
    "moved": (
        "the branch on the {server} moved meanwhile",
        "Try again; if it goes on, find who else pushes to this branch.",
    ),
    "declined": (
        "the {server} declined the push",
        "Its hook says why: see the codes, and the server's log; {meanwhile}.",
    ),
    "unstored": (
        "the {server} could not store what was pushed",
        "Check its free space and the largest push it allows; {meanwhile}.",
    ),
    "unproven": (
        "the {server} does not show what it is said to have stored",
        "Look at the server with git ls-remote; {meanwhile}.",
    ),
}


def failure(cause: Cause, *, server: str, meanwhile: str) -> tuple[str, str]:
    """What to say and what to do about a cause.

    Args:
        cause: Why nothing was transferred.
        server: What to call the other side: ``fleet server``.
        meanwhile: What holds until it works again.

    Returns:
        A message and a hint.
    """
    message, hint = _FAILURES[cause]
    return message.format(server=server), hint.format(meanwhile=meanwhile)


def cause_of(words: str, table: Mapping[str, Cause] = dict(_BY_WORDS)) -> Cause:
    """The cause that libgit2's words stand for."""
    lower = words.lower()
    return next((cause for phrase, cause in table.items() if phrase in lower), "broken")


def harmless(words: str) -> str:
    """libgit2's words, short and without control characters; never a server's own."""
    lower = words.lower()
    if any(phrase in lower for phrase in _QUOTES_SERVER):
        return "the server reported an error of its own"
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in words)[:160]
