"""One fetch of one branch: what goes over the wire and what stops it.

Nothing here judges a commit, and the only reference it writes is the one it is told to.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pygit2

from reconciler.transport.cause import Cause
from reconciler.transport.limits import WireLimits
from reconciler.transport.server import Server
from reconciler.transport.wire import Callbacks, Stopped, Wire, advertised, guarded, settle


@dataclass(frozen=True, slots=True)
class Fetched:
    """How it ended: a commit id, or a cause with libgit2's words made harmless."""

    commit: str | None
    cause: Cause | None
    detail: str


def fetch(
    server: Server, limits: WireLimits, *, repository: Path, home: Path, branch: str, into: str
) -> Fetched:
    """Fetch the newest commit of a branch, with its history.

    Args:
        server: From where.
        limits: Bounds of the transfer.
        repository: Bare repository to fetch into.
        home: Folder for what the child process needs.
        branch: Branch name.
        into: Full name of the reference that the fetch writes.

    Raises:
        InputError: The known hosts file cannot be read.
    """
    wire = server.wire(repository, home, limits)
    if server.local:
        # A path of this machine: no server that could hang, and libgit2 honours the limits.
        return _ended(guarded(lambda: _fetch(wire, branch, into)))
    job = {"wire": asdict(wire), "branch": branch, "into": into}
    done = server.run(fetch_apart, job, home, limits)
    return Fetched(None, *done) if isinstance(done, tuple) else Fetched(**done)


def fetch_apart(request: bytes) -> bytes:
    """A fetch in a child process: JSON in, JSON out, libgit2's settings are its own."""
    job = json.loads(request)
    wire = Wire(**job["wire"])
    settle(wire)
    done = _ended(guarded(lambda: _fetch(wire, job["branch"], job["into"])))
    return json.dumps(asdict(done)).encode()


def _ended(done: str | Stopped) -> Fetched:
    if isinstance(done, Stopped):
        return Fetched(None, done.cause, str(done))
    return Fetched(done, None, "")


def _fetch(wire: Wire, branch: str, into: str) -> str:
    repository = pygit2.Repository(wire.repository)
    callbacks = Callbacks(wire)
    remote = repository.remotes.create_anonymous(wire.url)
    remote.connect(callbacks=callbacks)
    tip = advertised(remote, wire, branch)
    if tip is None:
        raise Stopped("missing-branch", f"no branch {branch}")
    if _target(repository, into) == tip:
        return tip
    remote.fetch([f"+refs/heads/{branch}:{into}"], callbacks=callbacks)
    if _target(repository, into) != tip:
        raise Stopped("broken", "the server sent another commit than it advertised")
    return tip


def _target(repository: pygit2.Repository, name: str) -> str | None:
    reference = repository.references.get(name)
    return None if reference is None else str(reference.target)
