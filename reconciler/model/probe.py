"""What a check can ask of a machine: a closed set of questions that targets know how to answer.

A probe is data. It is hashable, so two checks that ask the same thing share one answer.
"""

from dataclasses import dataclass
from typing import Literal

from reconciler.model.event import EventKind
from reconciler.model.nixos_probe import NixosProbe

KIB = 1024


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The bytes of one regular file (or of a file under /proc or /sys).

    Answer data: ``str`` (UTF-8, undecodable bytes escaped with surrogates), or ``bytes`` when
    ``binary``. Larger than ``limit`` bytes is an error, not a cut.
    """

    path: str
    limit: int = 256 * KIB
    binary: bool = False


@dataclass(frozen=True, slots=True)
class ReadGlob:
    """Every regular file that a glob pattern names, sorted by path.

    Answer data: list of ``{"path": str, "status": "ok"|"denied"|"error", "text": str}``; an empty
    list when nothing matches. More than ``max_files`` is an error.
    """

    pattern: str
    limit: int = 64 * KIB
    max_files: int = 512


@dataclass(frozen=True, slots=True)
class ReadHeads:
    """The first bytes of every regular file that a glob pattern names, sorted by path.

    For headers of files that are too large, or too private, to read whole.

    Answer data: list of ``{"path": str, "status": "ok"|"denied"|"error", "hex": str}``, lower-case
    hexadecimal; a shorter file gives what it has. An empty list when nothing matches. More than
    ``max_files`` is an error.
    """

    pattern: str
    length: int
    max_files: int = 512


@dataclass(frozen=True, slots=True)
class ReadLink:
    """The target of a symbolic link. Answer data: ``str``; absent when there is no link."""

    path: str


@dataclass(frozen=True, slots=True)
class StatPaths:
    """Facts about paths or glob patterns, never their content; links are not followed.

    Answer data: list, sorted by path, of ``{"path", "type" ("file"|"dir"|"link"|"other"),
    "mode" (permission bits, int), "uid", "gid", "size" (bytes), "mtime" (Unix seconds)}``.
    A literal path that does not exist is left out.
    """

    patterns: tuple[str, ...]
    max_paths: int = 4096


@dataclass(frozen=True, slots=True)
class StatFilesystem:
    """Room on a file system, by statvfs(3).

    Answer data: ``{"blocks", "free", "avail", "frsize", "files", "files_free"}`` (ints), and
    ``"mounted": bool`` (the path itself is a mount point).
    """

    path: str


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """State of systemd units, over D-Bus (org.freedesktop.systemd1).

    Answer data: ``{unit: {"load_state", "active_state", "sub_state", "unit_file_state",
    "result", "restarts" (int), "active_since" (Unix seconds), "exec_main_status" (int)}}``.
    A unit that does not exist has ``load_state`` ``not-found``.
    """

    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FailedUnits:
    """Answer data: ``{"system_state": str, "failed": [unit, ...]}`` over D-Bus."""


@dataclass(frozen=True, slots=True)
class BusProperty:
    """One property of one object on the system bus. Answer data: the plain value."""

    destination: str
    path: str
    interface: str
    name: str


@dataclass(frozen=True, slots=True)
class Sockets:
    """Listening TCP and bound UDP sockets, from /proc/net joined to cgroups.

    Answer data: list of ``{"protocol": "tcp"|"udp", "address", "port", "unit": str|None,
    "loopback": bool}``, sorted. ``unit`` is ``None`` where /proc/<pid>/fd may not be read. A UDP
    socket that is connected to a peer is a client's and is left out.
    """


@dataclass(frozen=True, slots=True)
class FirewallChains:
    """Base chains and accepted ports of the packet filter, over netlink (nf_tables).

    Answer data: ``{"backend": "nftables"|"iptables-legacy"|"none", "chains": [{"family",
    "table", "name", "hook", "policy": "accept"|"drop", "final_verdict": "accept"|"drop"|
    "reject"|None, "rules": int}], "open_ports": ["tcp/22", ...]}``. ``final_verdict`` is that of
    the first rule without conditions, jumps followed; ``None`` when the policy decides. A port
    range is ``udp/60000-61000``; a protocol accepted whole is ``tcp/*``.
    """


@dataclass(frozen=True, slots=True)
class AuditStatus:
    """Kernel audit state over netlink (AUDIT_GET).

    Answer data: ``{"enabled", "backlog_limit", "lost", "pid", "failure"}`` (ints).
    """


@dataclass(frozen=True, slots=True)
class AuditRules:
    """Loaded audit rules (AUDIT_LIST_RULES), normalised as auditctl(8) prints them.

    Answer data: list of ``str``.
    """


@dataclass(frozen=True, slots=True)
class Command:
    """A process, only where no file, netlink or D-Bus answers.

    ``argv[0]`` is a bare name that the target resolves in its own allow-list of directories; no
    shell, and no environment but LANG=C and what ``environment`` adds: plain settings and paths of
    secret files, never secrets: ``(("RESTIC_PASSWORD_FILE", "/etc/restic/pw"),)``.

    Answer data: ``{"exit": int, "stdout": str, "stderr": str}``. Absent when the program is not
    installed.
    """

    argv: tuple[str, ...]
    timeout_s: int = 20
    limit: int = 1024 * KIB
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ClockState:
    """Kernel clock discipline (adjtimex(2)) and the wall clock's reading.

    Answer data: ``{"synchronised": bool, "offset_us": int, "max_error_us": int}``.
    """


@dataclass(frozen=True, slots=True)
class JournalEvents:
    """The newest events of one kind in the systemd journal, by sd-journal(3).

    Answer data: list, newest first, at most ``most``, of ``{"at_us" (Unix microseconds, when the
    journal took it in), "unit": str}``; an entry that is not from who may say it is left out.
    """

    event: EventKind
    most: int = 1000


@dataclass(frozen=True, slots=True)
class Internal:
    """Something the engine itself knows, asked like anything else.

    ``ledger``: ``{"verified": bool, "entries": int, "newest_age_s": int|None, "open_intents":
    int, "faults": int}``. ``intent``: ``{"trusted": bool, "commit": str|None, "refused":
    str|None, "reason": str|None, "age_s": int|None}``. ``now``: ``{"unix_s": int}``.
    ``host``: ``{"name": str, "root": bool}``.

    ``system`` (NixOS): the system that is trusted for this host, as a signed release names it:
    ``{"path", "drv", "nar_sha256", "closure_sha256": str|None, "release", "revision",
    "waiting": str|None}``; absent where there is none. ``expectations``: ``{"system": str,
    "document": {...}}``, what the trusted system's own configuration declares; absent where that
    system is not in the store yet, or has no such document.

    ``vulnerabilities``: the report of a scan that the fleet has for this host, as
    `reconciler.model.vulnerabilities` writes it, with days as text; absent where there is none.
    """

    topic: Literal["ledger", "intent", "now", "host", "system", "expectations", "vulnerabilities"]


Probe = (
    ReadFile
    | ReadGlob
    | ReadHeads
    | ReadLink
    | StatPaths
    | StatFilesystem
    | UnitStatus
    | FailedUnits
    | BusProperty
    | Sockets
    | FirewallChains
    | AuditStatus
    | AuditRules
    | Command
    | ClockState
    | JournalEvents
    | NixosProbe
    | Internal
)
