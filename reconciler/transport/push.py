"""One push of one commit to one branch: sent once, never forced, and believed only when it shows.

A server says that it stored a push (``report-status``), and a second connection shows the branch
where it should be. Without either it did not happen: it is asked again, which costs nothing if it
had.
"""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import pygit2
from pygit2.ffi import C

from reconciler.transport.cause import Cause
from reconciler.transport.limits import WireLimits
from reconciler.transport.server import Server
from reconciler.transport.wire import Callbacks, Stopped, Wire, advertised, guarded, settle

_MAX_SAID = 64 * 1024
_REFUSAL = re.compile(r"^reconciler-refusal: ([a-z-]{1,40})\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server shows, before or after a push.

    Attributes:
        tip: Hex id of the commit at the branch, None if there is none or nothing was seen.
        cause: Why it did not work, None if it did.
        detail: libgit2's words, made harmless.
        refusals: Codes that a hook of ours gave; whoever reads them must know them.
    """

    tip: str | None
    cause: Cause | None = None
    detail: str = ""
    refusals: tuple[str, ...] = ()


def look(server: Server, limits: WireLimits, *, repository: Path, home: Path, branch: str) -> Seen:
    """What a branch points to on a server that is asked as for a push.

    Args:
        server: Whom to ask.
        limits: Bounds.
        repository: Bare repository of this machine.
        home: Folder for what the child process needs.
        branch: Branch name.

    Raises:
        InputError: The known hosts file cannot be read.
    """
    return _done(server, limits, repository, home, {"branch": branch})


def push(
    server: Server,
    limits: WireLimits,
    *,
    repository: Path,
    home: Path,
    branch: str,
    before: str | None,
    commit: str,
) -> Seen:
    """Move a branch of a server forward by one atomic update, and look whether it moved.

    Args:
        server: Where to.
        limits: Bounds.
        repository: Bare repository of this machine, which holds the commit.
        home: Folder for what the child process needs.
        branch: Branch name.
        before: The commit that the branch must point to until then; None if it must not be there.
        commit: The commit that it shall point to, a descendant of ``before``.

    Raises:
        InputError: The known hosts file cannot be read.
    """
    move = {"branch": branch, "before": before, "commit": commit}
    return _done(server, limits, repository, home, move)


def work(request: bytes) -> bytes:
    """A look or a push in a child process: JSON in, JSON out."""
    job = json.loads(request)
    wire = Wire(**job.pop("wire"))
    settle(wire)
    return json.dumps(asdict(_ended(wire, job))).encode()


def _done(
    server: Server, limits: WireLimits, repository: Path, home: Path, job: dict[str, str | None]
) -> Seen:
    wire = server.wire(repository, home, limits)
    if server.local:
        return _ended(wire, job)
    reply = server.run(work, {"wire": asdict(wire), **job}, home, limits)
    if isinstance(reply, tuple):
        return Seen(None, *reply)
    return Seen(**{**reply, "refusals": tuple(reply["refusals"])})


def _ended(wire: Wire, job: dict[str, str | None]) -> Seen:
    callbacks = _PushCallbacks(wire)
    done = guarded(lambda: _act(wire, job, callbacks))
    if isinstance(done, Stopped):
        return Seen(None, done.cause, str(done), callbacks.refusals)
    return Seen(done)


def _act(wire: Wire, job: dict[str, str | None], callbacks: "_PushCallbacks") -> str | None:
    repository = pygit2.Repository(wire.repository)
    branch, commit = job["branch"] or "", job.get("commit")
    remote = _connected(repository, wire, callbacks)
    tip = advertised(remote, wire, branch)
    if commit is None:
        return tip
    if tip != job["before"]:
        raise Stopped("moved", f"shows {tip}")
    remote.push([f"{commit}:refs/heads/{branch}"], callbacks=callbacks)
    callbacks.check_report(f"refs/heads/{branch}")
    again = advertised(_connected(repository, wire, _PushCallbacks(wire)), wire, branch)
    if again != commit:
        raise Stopped("unproven", f"shows {again}")
    return again


def _connected(
    repository: pygit2.Repository, wire: Wire, callbacks: "_PushCallbacks"
) -> pygit2.remotes.Remote:
    remote = repository.remotes.create_anonymous(wire.url)
    remote.connect(callbacks=callbacks, direction=C.GIT_DIRECTION_PUSH)
    return remote


class _PushCallbacks(Callbacks):
    """What the server reports of each reference, and the codes of our own hook."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self._said = ""
        self._report: dict[str, bool] = {}

    @property
    def refusals(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_REFUSAL.findall(self._said)))

    def sideband_progress(self, string: str) -> None:
        self.in_time()
        self._said = (self._said + string)[:_MAX_SAID]

    def push_transfer_progress(
        self, objects_pushed: int, total_objects: int, bytes_pushed: int
    ) -> None:
        self.in_time()

    def push_update_reference(self, refname: str, message: str | None) -> None:
        self._report[refname] = message is None

    def check_report(self, name: str) -> None:
        """Raise unless the server said of exactly this reference that it stored it."""
        if name not in self._report:
            raise Stopped("unproven", "the server reports nothing of this branch")
        if self._report != {name: True}:
            raise Stopped("declined", "the server reports that it did not store it")
