"""A NixOS system that a signed release names for one host, and what is said of its closure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import StringConstraints

STORE_PATH = r"/nix/store/[0-9a-df-np-sv-z]{32}-[A-Za-z0-9+._?=-]{1,211}"
"""As Nix writes it: 32 digits of its own base 32, then a name (Nix manual, "Store Path")."""

MOST_BEFORE = 8
"""Systems that were trusted before and are still known."""

MAX_CHANGES = 64
"""Packages that a difference names; the rest is counted."""
MAX_VERSIONS = 16
"""Versions of one package on one side of a difference; the rest is counted, too."""

_TIME = "%Y-%m-%dT%H:%M:%SZ"

Source = Literal["release", "evaluated"]
StorePathText = Annotated[str, StringConstraints(pattern=rf"^{STORE_PATH}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedSystem:
    """What one host is meant to run, and by what it is known again.

    Attributes:
        path: Store path of the system (``system.build.toplevel``).
        drv: Store path of its derivation.
        nar_sha256: SHA-256 of its NAR, 64 hex digits.
        closure_sha256: Digest of its closure (`reconciler.nix.closure`), 64 hex digits; ``None``
            where the release does not say, and then it is not brought here.
        release: Commit that the release is of, 40 hex digits.
        revision: Digest of all systems of that release, 64 hex digits: what rings go by. Two
            commits whose systems are the same have the same one.
        waiting: Commit of a newer release that this host's ring has not come to; ``None`` if none.
        source: ``evaluated`` where this host evaluated it from the verified commit by itself.
    """

    path: str
    drv: str
    nar_sha256: str
    closure_sha256: str | None
    release: str
    revision: str
    waiting: str | None = None
    source: Source = "release"


@dataclass(frozen=True, slots=True)
class Closure:
    """Everything that a store path needs, itself included.

    Attributes:
        paths: How many store paths.
        nar_bytes: Their NARs together.
        sha256: SHA-256 of ``<path> sha256:<base 32 of its NAR hash>`` lines, sorted; 64 hex digits.
    """

    paths: int
    nar_bytes: int
    sha256: str

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence."""
        return {"paths": self.paths, "nar_bytes": self.nar_bytes, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class VersionChange:
    """What became of one package between two closures.

    Attributes:
        name: As it is parsed from store paths.
        before: Its versions, sorted; empty if it was not there.
        after: Its versions, sorted; empty if it is gone.
    """

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClosureDiff:
    """How a closure differs from the one before.

    Attributes:
        since: Store path of the one before; ``None`` if there was none.
        changes: By name, sorted.
        left_out: How many more there are.
    """

    since: str | None
    changes: tuple[VersionChange, ...]
    left_out: int

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence and statements."""
        changes = [
            {"name": one.name, "before": list(one.before), "after": list(one.after)}
            for one in self.changes
        ]
        return {"from": self.since, "changes": changes, "left_out": self.left_out}


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The system that was trusted last on a host, and what must be known to go no further back.

    Attributes:
        system: Which one.
        number: How many times another one came into force, with this one; only grows.
        time: When its release was signed, by what it says.
        by: Who signed it: id of a member, or name of an identity.
        key: Fingerprint of the key; ``None`` of an identity without one.
        before: Store path and NAR hash of others that were trusted here, newest first.
    """

    system: TrustedSystem
    number: int
    time: datetime
    by: str
    key: str | None
    before: tuple[tuple[str, str], ...] = ()

    def followed_by(self, system: TrustedSystem) -> tuple[tuple[str, str], ...]:
        """What was trusted before, once another system is in force."""
        known = ((self.system.path, self.system.nar_sha256), *self.before)
        return tuple(one for one in known if one[0] != system.path)[:MOST_BEFORE]

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence; `reconciler.guard.trusted_system.read` is the inverse."""
        one = self.system
        return {
            "number": self.number,
            "path": one.path,
            "drv": one.drv,
            "nar_sha256": one.nar_sha256,
            "closure_sha256": one.closure_sha256,
            "release": one.release,
            "revision": one.revision,
            "source": one.source,
            "time": self.time.strftime(_TIME),
            "by": self.by,
            "key": self.key,
            "before": [{"path": path, "nar_sha256": nar} for path, nar in self.before],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus:
    """Which system a host is meant to run, and what became of the newest release.

    Attributes:
        trusted: What the desired state says; ``None`` while no release that counts names one.
        in_force: What the ledger must remember; ``None`` before the first.
        refused: Stable code of why the newest release is not in force; ``None`` if all is well.
        refused_release: Commit that the refused release is of.
        message: The refusal in words.
        ring: Why a newer release that waits does not run here yet; empty if none waits.
        diff: How the one in force differs from the release before, where its release says.
    """

    trusted: TrustedSystem | None
    in_force: InForce | None
    refused: str | None = None
    refused_release: str | None = None
    message: str = ""
    ring: str = ""
    diff: ClosureDiff | None = None

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence."""
        return {
            "in_force": self.in_force and self.in_force.to_body(),
            "trusted": self.trusted is not None,
            "waiting": self.trusted and self.trusted.waiting,
            "refused": self.refused and {"reason": self.refused, "release": self.refused_release},
        }
