"""One fetch of one branch with libgit2: what goes over the wire and what stops it.

This is the function that a child process runs for a server; for a local path it runs in place.
Nothing here judges a commit, and the only reference it writes is ``refs/incoming/<branch>``.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import pygit2

from reconciler.desired.limits import MIB

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
    ("too many objects", "too-large"),
    ("out of memory", "too-large"),
    ("eof", "lost"),
    ("disconnect", "lost"),
    ("connection", "lost"),
)

_QUOTES_SERVER = ("remote error", "content-type", "redirect", "packet line", "pkt-line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to fetch, into what, within which bounds; plain values, so that it crosses a process.

    Attributes:
        mirror: Bare repository.
        home: Folder that stands in for the home of whoever runs this: holds ``.ssh/known_hosts``
            for SSH and no Git configuration. None keeps libgit2's own.
        url: Vetted address.
        branch: Branch name.
        ssh_key, ca_file, token_file: Paths or None.
        username: For the token.
        timeout_s, max_bytes, objects, refs: As in `FetchLimits`.
    """

    mirror: str
    home: str | None
    url: str
    branch: str
    ssh_key: str | None
    ca_file: str | None
    token_file: str | None
    username: str
    timeout_s: float
    max_bytes: int
    objects: int
    refs: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """How it ended: a commit id, or a cause with libgit2's words made harmless."""

    commit: str | None
    cause: Cause | None
    detail: str


class _Stop(Exception):
    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause: Cause = cause


def incoming(branch: str) -> str:
    """The reference that a fetch writes; nothing but `reconciler.desired.trust` reads it."""
    return f"refs/incoming/{branch}"


def transfer(job: Job) -> Fetched:
    """Fetch, and say how it ended; what goes wrong on the wire is a value, not an exception."""
    pygit2.settings.enable_fsync_gitdir(True)
    try:
        return Fetched(_fetch(job), None, "")
    except _Stop as stop:
        return Fetched(None, stop.cause, str(stop))
    except MemoryError:
        return Fetched(None, "too-large", "out of memory")
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        return Fetched(None, _cause(str(error)), _harmless(str(error)))


def transfer_apart(request: bytes) -> bytes:
    """`transfer` for a child process: JSON in, JSON out, libgit2's settings are its own."""
    job = Job(**json.loads(request))
    settings = pygit2.settings
    if job.home is not None:
        settings.homedir = job.home
        levels = pygit2.enums.ConfigLevel
        for level in (levels.SYSTEM, levels.XDG, levels.GLOBAL):
            settings.search_path[level] = job.home
    if job.ca_file is not None:
        settings.set_ssl_cert_locations(job.ca_file, None)
    milliseconds = max(1, int(job.timeout_s * 1000))
    settings.server_timeout = milliseconds
    settings.server_connect_timeout = milliseconds
    settings.pack_max_objects = job.objects
    # Mapped windows count against the child's address space.
    settings.mwindow_size = 32 * MIB
    settings.mwindow_mapped_limit = 256 * MIB
    return json.dumps(asdict(transfer(job))).encode()


def _fetch(job: Job) -> str:
    repository = pygit2.Repository(job.mirror)
    callbacks = _Callbacks(job)
    remote = repository.remotes.create_anonymous(job.url)
    remote.connect(callbacks=callbacks)
    tip = _advertised(remote, job)
    name = incoming(job.branch)
    if _target(repository, name) == tip:
        return tip
    remote.fetch([f"+refs/heads/{job.branch}:{name}"], callbacks=callbacks)
    fetched = _target(repository, name)
    if fetched != tip:
        raise _Stop("broken", "the server sent another commit than it advertised")
    return tip


def _advertised(remote: pygit2.remotes.Remote, job: Job) -> str:
    heads = remote.list_heads(connect=False)
    if len(heads) > job.refs:
        raise _Stop("too-large", f"the server advertises {len(heads)} references")
    for head in heads:
        if head.name == f"refs/heads/{job.branch}":
            return str(head.oid)
    raise _Stop("missing-branch", f"no branch {job.branch}")


def _target(repository: pygit2.Repository, name: str) -> str | None:
    reference = repository.references.get(name)
    return None if reference is None else str(reference.target)


class _Callbacks(pygit2.RemoteCallbacks):
    """Bounds while bytes arrive, and one attempt at credentials."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job
        self._asked = False
        self._until = time.monotonic() + job.timeout_s

    def sideband_progress(self, string: str) -> None:
        self._in_time()

    def transfer_progress(self, stats: pygit2.remotes.TransferProgress) -> None:
        self._in_time()
        if stats.total_objects > self._job.objects:
            raise _Stop("too-large", f"a pack of {stats.total_objects} objects")
        if stats.received_bytes > self._job.max_bytes:
            raise _Stop("too-large", f"more than {self._job.max_bytes} bytes")

    def certificate_check(self, certificate: None, valid: bool, host: bytes) -> bool:
        # libgit2 has compared with known_hosts or the certificate authorities; that is final.
        return valid

    def credentials(
        self, url: str, username_from_url: str | None, allowed_types: pygit2.enums.CredentialType
    ) -> pygit2.Username | pygit2.UserPass | pygit2.Keypair:
        kinds = pygit2.enums.CredentialType
        user = username_from_url or self._job.username
        if kinds.USERNAME in allowed_types and kinds.SSH_KEY not in allowed_types:
            return pygit2.Username(user)
        # libgit2 asks again for as long as a server refuses what it got.
        if self._asked:
            raise _Stop("auth-failed", "the server refused the key or token")
        self._asked = True
        if kinds.SSH_KEY in allowed_types and self._job.ssh_key is not None:
            return pygit2.Keypair(user, None, self._job.ssh_key, "")
        if kinds.USERPASS_PLAINTEXT in allowed_types and self._job.token_file is not None:
            return pygit2.UserPass(user, _secret(Path(self._job.token_file)))
        raise _Stop("auth-failed", "the server wants credentials that are not configured")

    def _in_time(self) -> None:
        if time.monotonic() > self._until:
            raise _Stop("timeout", f"not done after {self._job.timeout_s:g} s")


def _secret(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(4096).decode("utf-8").strip()


def _cause(words: str, table: Mapping[str, Cause] = dict(_BY_WORDS)) -> Cause:
    lower = words.lower()
    return next((cause for phrase, cause in table.items() if phrase in lower), "broken")


def _harmless(words: str) -> str:
    """libgit2's words, short and without control characters; never a server's own.

    What a server says may end up in evidence, which holds no free text.
    """
    lower = words.lower()
    if any(phrase in lower for phrase in _QUOTES_SERVER):
        return "the server reported an error of its own"
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in words)[:160]
