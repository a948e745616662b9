"""A connection to a Git server through libgit2: settings, bounds, and one attempt at credentials.

What a fetch and a push have in common. Both run these functions in a child process for a server,
and in place for a local path.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pygit2

from reconciler.transport.cause import Cause, cause_of, harmless
from reconciler.transport.limits import MIB

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """How a server is reached, within which bounds; plain values, so that it crosses a process.

    Attributes:
        repository: Bare repository of this machine.
        home: Folder that stands in for the home of whoever runs this: holds ``.ssh/known_hosts``
            for SSH and no Git configuration. None keeps libgit2's own.
        url: Vetted address.
        ssh_key, ca_file, token_file: Paths or None.
        username: For the token.
        timeout_s, max_bytes, objects, refs: As in `reconciler.transport.limits.WireLimits`.
    """

    repository: str
    home: str | None
    url: str
    ssh_key: str | None
    ca_file: str | None
    token_file: str | None
    username: str
    timeout_s: float
    max_bytes: int
    objects: int
    refs: int


class Stopped(Exception):
    """A transfer ended early, for a cause that is known."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause: Cause = cause


def guarded(act: Callable[[], T]) -> T | Stopped:
    """What ``act`` returns; what goes wrong on the wire is a value, not an exception."""
    pygit2.settings.enable_fsync_gitdir(True)
    try:
        return act()
    except Stopped as stop:
        return stop
    except MemoryError:
        return Stopped("too-large", "out of memory")
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        return Stopped(cause_of(str(error)), harmless(str(error)))


def settle(wire: Wire) -> None:
    """Settings of libgit2 for a process that does nothing but this transfer."""
    settings = pygit2.settings
    if wire.home is not None:
        settings.homedir = wire.home
        levels = pygit2.enums.ConfigLevel
        for level in (levels.SYSTEM, levels.XDG, levels.GLOBAL):
            settings.search_path[level] = wire.home
    if wire.ca_file is not None:
        settings.set_ssl_cert_locations(wire.ca_file, None)
    milliseconds = max(1, int(wire.timeout_s * 1000))
    settings.server_timeout = milliseconds
    settings.server_connect_timeout = milliseconds
    settings.pack_max_objects = wire.objects
    # Mapped windows count against the child's address space.
    settings.mwindow_size = 32 * MIB
    settings.mwindow_mapped_limit = 256 * MIB


def advertised(remote: pygit2.remotes.Remote, wire: Wire, branch: str) -> str | None:
    """The commit that a connected server shows at a branch, None if it has no such branch.

    Raises:
        Stopped: It advertises more references than it may.
    """
    heads = remote.list_heads(connect=False)
    if len(heads) > wire.refs:
        raise Stopped("too-large", f"the server advertises {len(heads)} references")
    return next((str(head.oid) for head in heads if head.name == f"refs/heads/{branch}"), None)


class Callbacks(pygit2.RemoteCallbacks):
    """Bounds while bytes arrive, and one attempt at credentials."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire
        self._asked = False
        self._until = time.monotonic() + wire.timeout_s

    def sideband_progress(self, string: str) -> None:
        """What the server says to a person goes nowhere; that it says something costs time."""
        self.in_time()

    def transfer_progress(self, stats: pygit2.remotes.TransferProgress) -> None:
        """Hold what arrives to its bounds."""
        self.in_time()
        if stats.total_objects > self._wire.objects:
            raise Stopped("too-large", f"a pack of {stats.total_objects} objects")
        if stats.received_bytes > self._wire.max_bytes:
            raise Stopped("too-large", f"more than {self._wire.max_bytes} bytes")

    def certificate_check(self, certificate: None, valid: bool, host: bytes) -> bool:
        """Accept what libgit2 found valid, and nothing else."""
        # libgit2 has compared with known_hosts or the certificate authorities; that is final.
        return valid

    def credentials(
        self, url: str, username_from_url: str | None, allowed_types: pygit2.enums.CredentialType
    ) -> pygit2.Username | pygit2.UserPass | pygit2.Keypair:
        """The key or the token, once."""
        kinds = pygit2.enums.CredentialType
        user = username_from_url or self._wire.username
        if kinds.USERNAME in allowed_types and kinds.SSH_KEY not in allowed_types:
            return pygit2.Username(user)
        # libgit2 asks again for as long as a server refuses what it got.
        if self._asked:
            raise Stopped("auth-failed", "the server refused the key or token")
        self._asked = True
        if kinds.SSH_KEY in allowed_types and self._wire.ssh_key is not None:
            return pygit2.Keypair(user, None, self._wire.ssh_key, "")
        if kinds.USERPASS_PLAINTEXT in allowed_types and self._wire.token_file is not None:
            return pygit2.UserPass(user, _secret(Path(self._wire.token_file)))
        raise Stopped("auth-failed", "the server wants credentials that are not configured")

    def in_time(self) -> None:
        """Stop what takes longer than it may.

        Raises:
            Stopped: Time is over.
        """
        if time.monotonic() > self._until:
            raise Stopped("timeout", f"not done after {self._wire.timeout_s:g} s")


def _secret(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(4096).decode("utf-8").strip()
