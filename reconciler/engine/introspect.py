"""What the engine knows about itself, answered like any other probe."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from reconciler.engine.trusted.expectations import Documents
from reconciler.ledger.store import Ledger, TailCheck
from reconciler.model.answer import Answer
from reconciler.model.run import IntentStatus
from reconciler.model.system import SystemStatus
from reconciler.model.vulnerabilities import Vulnerabilities

FIRST_LOOK, OVERLAP = 16, 2
_NO_SYSTEM = Answer("absent", reason="this is no NixOS host")


@dataclass(slots=True)
class LedgerWatch:
    """Proves the newest entries of a ledger, again and again, at a cost that does not grow.

    The first look of a process proves the newest `FIRST_LOOK` entries, a later one those that are
    new and `OVERLAP` more. What did not verify is looked at again until it does. Only
    ``reconciler verify`` audits all entries.
    """

    ledger: Ledger
    proven: int | None = None

    def look(self) -> TailCheck:
        """What the newest entries are worth, as they are on the disk now."""
        newest = self.ledger.tip.seq
        count = FIRST_LOOK if self.proven is None else newest - self.proven + OVERLAP
        check = self.ledger.check_tail(count)
        if check.ok:
            self.proven = newest
        return check


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What is known of the system that a NixOS host is meant to run.

    Attributes:
        status: Which one; None of any other host.
        documents: Reads what systems declare.
        vulnerabilities: What a scanner found in a system of this host.
        root: Where the machine's files are.
    """

    status: SystemStatus | None = None
    vulnerabilities: Vulnerabilities | None = None
    documents: Documents = field(default_factory=Documents)
    root: str = "/"

    def system(self) -> Answer:
        """The answer to ``Internal("system")``."""
        status = self.status
        if status is None or status.trusted is None:
            return _NO_SYSTEM if status is None else Answer("absent", reason=_why(status))
        before = () if status.in_force is None else status.in_force.before
        return Answer("ok", asdict(status.trusted) | {"before": [path for path, _ in before]})

    def expectations(self) -> Answer:
        """The answer to ``Internal("expectations")``."""
        status = self.status
        if status is None or status.trusted is None:
            return self.system()
        return self.documents.answer(self.root, status.trusted, status.in_force)

    def scanned(self) -> Answer:
        """The answer to ``Internal("vulnerabilities")``."""
        report = self.vulnerabilities
        if report is None:
            return Answer("absent", reason="the fleet has no report of a scan of this host")
        return Answer("ok", report.model_dump(mode="json"))


def _why(status: SystemStatus) -> str:
    return status.message or status.ring or "no release that counts names a system for this host"


@dataclass(slots=True)
class Introspection:
    """Answers `Internal` probes of one run.

    Attributes:
        watch: Looks at the ledger.
        open_intents: Intents that were found open at the start of the run.
        newest_at: Time of the newest entry before this run.
        reached_at: When the fleet repository was last reached; ``None`` if never.
        status: What became of the newest desired state.
        now: Reads the wall clock. Each look has a time of its own: what a run has just made
            (a renewed certificate) is younger than the run.
        target: ``<client>/<host>``.
        root: Whether this process runs as root.
        access_path: Units without which nobody gets in.
        declared: What is known of the system that is meant to run here.
    """

    watch: LedgerWatch
    open_intents: int
    newest_at: datetime
    status: IntentStatus
    reached_at: datetime | None
    now: Callable[[], datetime]
    target: str
    root: bool
    access_path: tuple[str, ...] = ()
    declared: Declared = field(default_factory=Declared)

    def __call__(self, topic: str) -> Answer:
        """The answer to ``Internal(topic)``."""
        match topic:
            case "ledger":
                return Answer("ok", self._ledger())
            case "intent":
                return Answer("ok", self._intent())
            case "now":
                return Answer("ok", {"unix_s": int(self.now().timestamp())})
            case "host":
                return Answer("ok", self._host())
            case "system":
                return self.declared.system()
            case "expectations":
                return self.declared.expectations()
            case "vulnerabilities":
                return self.declared.scanned()
            case _:
                return Answer("unsupported", reason=f"no such topic: {topic}")

    def _host(self) -> dict[str, Any]:
        access = list(self.access_path)
        return {"name": self.target, "root": self.root, "access_path": access}

    def _ledger(self) -> dict[str, Any]:
        check = self.watch.look()
        return {
            "verified": check.ok,
            "checked": check.checked,
            "entries": self.watch.ledger.tip.seq + 1,
            "newest_age_s": self._age(self.newest_at),
            "open_intents": self.open_intents,
            "faults": len(check.faults),
        }

    def _intent(self) -> dict[str, Any]:
        status = self.status
        return {
            "trusted": status.refused is None and not status.holds,
            "commit": status.commit,
            "refused": status.refused_commit,
            "reason": status.refused or status.hold,
            "fetched": status.fetched,
            "age_s": self._age(self.reached_at),
        }

    def _age(self, at: datetime | None) -> int | None:
        return None if at is None else int((self.now() - at).total_seconds())
