"""What a step may do to a machine: a closed set of operations, which targets carry out."""

from dataclasses import dataclass
from typing import Literal

from reconciler.model.probe import Probe
from reconciler.model.system_operation import OnSystem

USUAL_S = 90
"""Seconds that an operation may take which does not say."""


@dataclass(frozen=True, slots=True)
class UnitJob:
    """Start, stop, restart, reload or reset a unit over D-Bus, and wait for the job to end."""

    verb: Literal["start", "stop", "restart", "reload", "try-restart", "reset-failed"]
    unit: str
    timeout_s: int = 90


@dataclass(frozen=True, slots=True)
class UnitFile:
    """Enable, disable, mask or unmask a unit file over D-Bus, then reload the manager."""

    verb: Literal["enable", "disable", "mask", "unmask"]
    unit: str


@dataclass(frozen=True, slots=True)
class UnitProperty:
    """Set a resource property of a unit until reboot (SetUnitProperties, runtime).

    ``value`` is an integer in the property's own D-Bus unit (CPUQuotaPerSecUSec: µs per second;
    MemoryHigh: bytes); ``None`` sets it back to "no limit".
    """

    unit: str
    name: Literal["CPUQuotaPerSecUSec", "MemoryHigh", "IOWeight"]
    value: int | None


@dataclass(frozen=True, slots=True)
class DaemonReload:
    """Make systemd read its unit files again."""


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Replace a file atomically (write beside, fsync, rename, fsync the directory).

    ``content`` ``None`` removes the file. Owner ids are numeric. Parent directories are made
    (0755 root) when ``parents``. A symbolic link at ``path`` is refused, never followed.
    """

    path: str
    content: bytes | None
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    parents: bool = False


@dataclass(frozen=True, slots=True)
class SetAccess:
    """Set mode and owner of an existing regular file; a symbolic link is refused."""

    path: str
    mode: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class WriteSysctl:
    """Write one value under /proc/sys. ``name`` uses dots: ``net.ipv4.tcp_syncookies``."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Run:
    """Run one program of the target's allow-list; exit status other than 0 is a failed step.

    ``environment`` holds file paths and plain settings, never secrets.
    """

    argv: tuple[str, ...]
    timeout_s: int = 60
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Ask a probe until ``field`` of its answer (dotted path) is one of ``values``."""

    probe: Probe
    field: str
    values: tuple[str | int | bool, ...]
    timeout_s: int = 60


@dataclass(frozen=True, slots=True)
class RestoreSample:
    """Prove that a restic snapshot restores.

    Pick files of the newest snapshot, restore them into a private scratch directory, compare
    every byte with what the repository says, remove the scratch, and only then write the record
    ``record`` (JSON: job, snapshot, files, bytes, seconds, finished_at). Any difference is a
    failed step and leaves no record. In the record ``files``, ``bytes``, ``seconds`` and
    ``finished_at`` (Unix time) are whole numbers, and ``snapshot`` is the hexadecimal id.
    """

    job: str
    repository: str
    password_file: str
    scratch: str
    record: str
    sample_percent: int
    timeout_s: int


Operation = (
    UnitJob
    | UnitFile
    | UnitProperty
    | DaemonReload
    | WriteFile
    | SetAccess
    | WriteSysctl
    | Run
    | WaitUntil
    | RestoreSample
    | OnSystem
)


REFUSED, UNREACHED = "the helper refused: ", "the helper cannot be reached: "
"""How the reasons begin for which nothing of an operation was begun."""

UNDER_WAY = f"{REFUSED}another operation is under way"
"""Whoever asked for that one is gone, and the helper is not."""


def seconds_for(operation: Operation) -> int:
    """How long an operation may take."""
    own: int = getattr(operation, "timeout_s", USUAL_S)
    return own


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What became of one operation.

    Attributes:
        ok: Whether it was carried out. That is not success: only the second look says that.
        reason: Why not.
        ms: Whole milliseconds.
    """

    ok: bool
    reason: str
    ms: int

    @property
    def begun(self) -> bool:
        """Whether anything of it may have happened."""
        return not self.reason.startswith((REFUSED, UNREACHED))
