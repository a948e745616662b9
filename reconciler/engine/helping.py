"""What the helper knows of this host, found out by itself: which system is trusted, which way in.

Rule 1: Nothing is taken from the daemon but objects, which prove themselves. The trust of the
        helper has its own memory, in a folder that root owns, and begins at what was pinned.
Rule 2: That memory only goes forward: to a commit that every rule of trust lets follow, and to a
        system of a release that is no older. A daemon that was taken over can hold the helper back,
        never lead it elsewhere, and bring no system back that another one followed.
Rule 3: What cannot be decided is no answer, and then no system is activated.
"""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler.checks import catalogue as checks_catalogue
from reconciler.desired.borrowed import BorrowedMirror
from reconciler.desired.source import FleetSource
from reconciler.engine.appliance import fleet_source, mirror_path
from reconciler.engine.settings import Home
from reconciler.engine.trusted.intent import resolved
from reconciler.engine.trusted.system import judged
from reconciler.engine.whole_file import write_whole
from reconciler.errors import EvidenceError, InputError, ReconcilerError
from reconciler.evidence import canonical
from reconciler.evidence.entry import stamp
from reconciler.guard import trusted_system
from reconciler.ledger.durable import on_disk
from reconciler.ledger.verify import load_signers
from reconciler.model.answer import Answer
from reconciler.model.desired import DesiredState
from reconciler.model.system import InForce
from reconciler.steps import catalogue as steps_catalogue

FOLDER = Path("/var/lib/reconciler/helper")
_LIMIT = 16 * 1024
_FIRST_RUN = "Let the reconciler run once."


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the helper accepted last.

    Attributes:
        commit: Hex id of the fleet commit.
        recovered: ``issued`` of the last recovery that was used; None if none was.
        system: The system that was trusted last; None before the first.
    """

    commit: str
    recovered: datetime | None
    system: InForce | None


class OwnMemory:
    """The one file that the helper remembers by."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "accepted.json"

    def read(self) -> Accepted | None:
        """What was accepted last; None before the first time.

        Raises:
            EvidenceError: It is not as it was written; nothing is guessed.
            MachineError: It cannot be read, or others than this user can change it.
        """
        with on_disk(self._file):
            if not self._file.exists():
                return None
            with self._file.open("rb") as stream:
                facts, data = os.fstat(stream.fileno()), stream.read(_LIMIT + 1)
        if facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
            raise _broken("can be changed by others")
        said = canonical.decode(data, _LIMIT)
        try:
            recovered, system = said["recovered"], said["system"]
            known = None if system is None else trusted_system.read(system)
            return Accepted(said["commit"], _moment(recovered), known)
        except (KeyError, TypeError, ValueError) as error:
            raise _broken("is garbled") from error

    def write(self, accepted: Accepted) -> None:
        """Put it on the disk, whole.

        Raises:
            MachineError: The system refused.
        """
        recovered = None if accepted.recovered is None else stamp(accepted.recovered)
        system = None if accepted.system is None else accepted.system.to_body()
        said = {"commit": accepted.commit, "recovered": recovered, "system": system}
        with on_disk(self._file):
            self._file.parent.mkdir(mode=0o700, exist_ok=True)
        write_whole(self._file, (canonical.encode(said),), mode=0o600)


class OwnTrust:
    """Answers `Internal` probes of workers in the helper."""

    def __init__(self, home: Home, now: Callable[[], datetime], folder: Path = FOLDER) -> None:
        """Nothing is read yet.

        Args:
            home: Settings of the appliance, from a file that root owns.
            now: Reads the wall clock.
            folder: Where to remember what was accepted.
        """
        self._home = home
        self._now = now
        self._memory = OwnMemory(folder)
        self._known: tuple[str, DesiredState] | None = None

    def __call__(self, topic: str) -> Answer:
        """The answer to ``Internal(topic)``."""
        try:
            match topic:
                case "now":
                    return Answer("ok", {"unix_s": int(self._now().timestamp())})
                case "host":
                    return Answer("ok", self._host())
                case "system":
                    return self._system()
                case _:
                    return Answer("unsupported", reason=f"the helper does not know of {topic}")
        except ReconcilerError as error:
            return Answer("denied", reason=f"the helper trusts nothing here: {error.message}")

    def _host(self) -> dict[str, Any]:
        desired = self._desired()
        access = list(desired.host.access_path)
        return {"name": desired.target, "root": os.geteuid() == 0, "access_path": access}

    def _system(self) -> Answer:
        desired = self._desired()
        accepted = self._memory.read()
        if accepted is None:
            raise InputError("nothing was accepted yet", hint=_FIRST_RUN)
        releases = self._source().releases(desired.commit, self._now())
        found = judged(releases, desired, accepted.system)
        if found.in_force != accepted.system:
            self._memory.write(replace(accepted, system=found.in_force))
        if found.trusted is None:
            why = found.message or "no release that counts names a system for this host"
            return Answer("absent", reason=why)
        return Answer("ok", asdict(found.trusted) | {"before": []})

    def _source(self) -> FleetSource:
        return fleet_source(self._home, borrowed=True)

    def _desired(self) -> DesiredState:
        """The desired state of this host that every rule of trust lets be in force.

        Raises:
            ReconcilerError: There is none, or it is refused.
        """
        fleet = self._home.settings.fleet
        mirror = BorrowedMirror(mirror_path(self._home), fleet.branch)
        accepted = self._memory.read()
        head = mirror.offered()
        if head is None:
            raise InputError("nothing was accepted yet", hint=_FIRST_RUN)
        if accepted is None or accepted.commit != head:
            found = mirror.verify(
                head,
                None if accepted is None else accepted.commit,
                pinned=load_signers(self._home.path(fleet.signers)),
                pin=fleet.pin,
                recovered_at=None if accepted is None else accepted.recovered,
                attestations=self._source().attestations(),
                now=self._now(),
            )
            before = None if accepted is None else accepted.recovered
            used = found.recovery.issued if found.recovery else before
            system = None if accepted is None else accepted.system
            self._memory.write(Accepted(head, used, system))
        return self._resolved(head)

    def _resolved(self, commit: str) -> DesiredState:
        if self._known is None or self._known[0] != commit:
            checks, steps = checks_catalogue.load(), steps_catalogue.load()
            found = resolved(self._source(), self._home.settings, commit, checks, steps)
            self._known = (commit, found)
        return self._known[1]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _broken(what: str) -> EvidenceError:
    hint = "Look at who changed it; then remove it, and the next step begins at what was pinned."
    return EvidenceError(f"the memory of the helper {what}", hint=hint)
