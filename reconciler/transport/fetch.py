"""One fetch of one branch, and of a second one if it is there: what goes over the wire.

Nothing here judges a commit, and the only references it writes are those it is told to.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pygit2

from reconciler.transport.cause import Cause
from reconciler.transport.limits import WireLimits
from reconciler.transport.server import Server
from reconciler.transport.wire import Callbacks, Stopped, Wire, advertised, guarded, settle

_ASKED = "second-asked"
"""File in the child's home: that and which second tip it asked for, should it die of it."""


@dataclass(frozen=True, slots=True)
class Second:
    """A branch that comes in the same connection, if the server has it.

    Attributes:
        branch: Its name.
        into: Full name of the reference that the fetch writes, or removes if there is no branch.
        skip: A tip that is not fetched: it was tried before, and did not end well.
    """

    branch: str
    into: str
    skip: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """How it ended: a commit id, or a cause with libgit2's words made harmless.

    Attributes:
        commit: Tip of the branch, None if the fetch failed.
        cause: Why it failed.
        detail: The same in words.
        second: Tip of the second branch, as far as it is known.
        asked: Whether the second branch was being fetched, so that it may be why it failed.
    """

    commit: str | None
    cause: Cause | None
    detail: str
    second: str | None = None
    asked: bool = False


def fetch(
    server: Server,
    limits: WireLimits,
    *,
    repository: Path,
    home: Path,
    branch: str,
    into: str,
    second: Second | None = None,
) -> Fetched:
    """Fetch the newest commit of a branch, with its history.

    Args:
        server: From where.
        limits: Bounds of the transfer.
        repository: Bare repository to fetch into.
        home: Folder for what the child process needs.
        branch: Branch name.
        into: Full name of the reference that the fetch writes.
        second: What else to fetch in the same connection.

    Raises:
        InputError: The known hosts file cannot be read.
    """
    wire = server.wire(repository, home, limits)
    if server.local:
        # Looking at a path of this machine cannot hang; packing what somebody pushed there can.
        seen = _Transfer(wire, branch, into, second).look()
        if seen is not None:
            return seen
    (home / _ASKED).unlink(missing_ok=True)
    job = {
        "wire": asdict(wire),
        "branch": branch,
        "into": into,
        "second": second and asdict(second),
        "asked": str(home / _ASKED),
    }
    done = server.run(fetch_apart, job, home, limits)
    if not isinstance(done, tuple):
        return Fetched(**done)
    tip = _left_behind(home / _ASKED)
    return Fetched(None, *done, second=tip, asked=tip is not None)


def fetch_apart(request: bytes) -> bytes:
    """A fetch in a child process: JSON in, JSON out, libgit2's settings are its own."""
    job = json.loads(request)
    wire = Wire(**job["wire"])
    settle(wire)
    second = job["second"] and Second(**job["second"])
    transfer = _Transfer(wire, job["branch"], job["into"], second)
    return json.dumps(asdict(transfer.run(Path(job["asked"])))).encode()


def _left_behind(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii")
    except FileNotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class _Connected:
    """A connected server, the tip of the branch that counts, and what has to be transferred."""

    repository: pygit2.Repository
    remote: pygit2.remotes.Remote
    callbacks: Callbacks
    tip: str
    wanted: dict[str, str]


class _Transfer:
    """One fetch that knows how far it came when it fails."""

    def __init__(self, wire: Wire, branch: str, into: str, second: Second | None) -> None:
        self._wire = wire
        self._branch = branch
        self._into = into
        self._second = second
        self._tip: str | None = None
        self._asked = False

    def look(self) -> Fetched | None:
        """How it ends if nothing has to be transferred; None if something has."""
        done = guarded(self._connect)
        if isinstance(done, Stopped):
            return self._stopped(done)
        return None if done.wanted else Fetched(done.tip, None, "", self._tip)

    def run(self, note: Path) -> Fetched:
        """Fetch what is new; the second tip is written to a file before it is asked for."""
        done = guarded(lambda: self._fetch(note))
        if isinstance(done, Stopped):
            return self._stopped(done)
        return Fetched(done, None, "", self._tip)

    def _stopped(self, stop: Stopped) -> Fetched:
        return Fetched(None, stop.cause, str(stop), self._tip, self._asked)

    def _connect(self) -> "_Connected":
        repository = pygit2.Repository(self._wire.repository)
        callbacks = Callbacks(self._wire)
        remote = repository.remotes.create_anonymous(self._wire.url)
        remote.connect(callbacks=callbacks)
        tip = advertised(remote, self._wire, self._branch)
        if tip is None:
            raise Stopped("missing-branch", f"no branch {self._branch}")
        wanted = {} if _target(repository, self._into) == tip else {self._branch: self._into}
        if self._second is not None:
            self._tip = advertised(remote, self._wire, self._second.branch)
            wanted |= self._beside(repository, self._second)
        return _Connected(repository, remote, callbacks, tip, wanted)

    def _fetch(self, note: Path) -> str:
        to = self._connect()
        if self._second is not None and self._second.branch in to.wanted:
            self._asked = True
            note.write_text(str(self._tip), encoding="ascii")
        if to.wanted:
            names = [f"+refs/heads/{name}:{into}" for name, into in to.wanted.items()]
            to.remote.fetch(names, callbacks=to.callbacks)
        if _target(to.repository, self._into) != to.tip or not self._arrived(to.repository):
            raise Stopped("broken", "the server sent another commit than it advertised")
        return to.tip

    def _beside(self, repository: pygit2.Repository, second: Second) -> dict[str, str]:
        """What to fetch for the second branch; nothing if it is not there, known or skipped."""
        kept = _target(repository, second.into)
        if self._tip is None and kept is not None:
            repository.references.delete(second.into)
        return {} if self._tip in (None, kept, second.skip) else {second.branch: second.into}

    def _arrived(self, repository: pygit2.Repository) -> bool:
        second = self._second
        return not self._asked or second is None or _target(repository, second.into) == self._tip


def _target(repository: pygit2.Repository, name: str) -> str | None:
    reference = repository.references.get(name)
    return None if reference is None else str(reference.target)
