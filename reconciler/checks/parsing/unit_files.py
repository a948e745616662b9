"""Unit files and drop-ins that lie where nobody but a system's own build should put one.

NixOS has every unit in the store: /etc/systemd/system is one link to it. Whatever else is in a
directory that systemd reads was put there while the machine ran, by a hand or by a program.

Source: systemd.unit(5) "UNIT FILE LOAD PATH", systemd.generator(7).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from posixpath import normpath

from reconciler.checks.parsing import given
from reconciler.checks.parsing.listing import entries, in_store
from reconciler.checks.parsing.records import MAX_RECORDS
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.nixos_probe import Entries, LoadedFrom
from reconciler.model.parameter import Parameter
from reconciler.model.probe import StatPaths
from reconciler.model.values import Params

CONTROL = ("/etc/systemd/system.control", "/run/systemd/system.control")
TRANSIENT = "/run/systemd/transient"
GENERATED = (
    "/run/systemd/generator.early",
    "/run/systemd/generator",
    "/run/systemd/generator.late",
)
OF_ROOT = "/root/.config/systemd/user"
USER = (
    "/run/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/local/share/systemd/user",
    "/nix/var/nix/profiles/default/lib/systemd/user",
    OF_ROOT,
)
"""What the manager of every person who logs in reads, or that of root, beside the store."""

DIRECTORIES = (
    *CONTROL,
    TRANSIENT,
    *GENERATED,
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/usr/local/lib/systemd/system",
    "/nix/var/nix/profiles/default/lib/systemd/system",
    *USER,
)
UNIT_FILES = Entries(DIRECTORIES, depth=2)
LINKED = StatPaths(tuple(d for d in DIRECTORIES if not d.startswith("/etc/")))
"""None of these is ever a link; those in /etc are looked at by LNX-EXP-014."""

LOADED_FROM = LoadedFrom(tuple(d for d in DIRECTORIES if d != "/etc/systemd/system"))
"""systemd names the units of the store by that link to them."""

_BELOW = tuple(f"{directory}/" for directory in LOADED_FROM.directories)
PROBES = (UNIT_FILES, LOADED_FROM)
"""What `started` asks."""

ALLOW = Parameter(
    type="list[str]",
    doc="Names, with * for any text, of units that declared software makes as it runs.",
    required=False,
    default=(),
    pattern=r"[A-Za-z0-9:_.@*-]{3,240}",
    max_items=32,
)

_BUILT = frozenset({*GENERATED, "/etc/systemd/system", OF_ROOT})
"""Where a link into the store is as it should be; nothing links there from the others."""

_OURS = frozenset(
    {"reconciler-return.timer", "reconciler-return.service", "reconciler-switch.service"}
)
"""Transient units of an activation under way (`reconciler.targets.linux.nixos`)."""

_KINDS = ("service", "socket", "timer", "target", "path")
_STARTS = re.compile(rf"[A-Za-z0-9:_.\\@-]+\.(?:{'|'.join(_KINDS)})")
# Made from paths, by systemd itself as well: only the kind of one that a hand put there is told.
_OF_PATHS = re.compile(r"[A-Za-z0-9:_.\\@-]+\.(mount|automount|swap|slice)")
_LINKS_OF = (".wants", ".requires", ".upholds")
# What systemd's own generators make from fstab(5), crypttab(5) and the kernel's command line.
_GENERATED = re.compile(
    r"systemd-(?:fsck(?:-root|@.*)|cryptsetup@.*|veritysetup@.*|integritysetup@.*"
    r"|growfs(?:-root|@.*)|makefs@.*|mkswap@.*|remount-fs|hibernate-resume(?:@.*)?"
    r"|debug-generator)\.service"
    r"|sshd-(?:vsock|unix-local)(?:@)?\.(?:socket|service)|.*\.target"
)
# Drop-ins of the generators of zram-generator(8) and of the NFS server.
_GENERATED_DROP_IN = re.compile(
    r"systemd-zram-setup@[A-Za-z0-9]+\.service\.d/bindsto-swap\.conf"
    r"|nfs-server\.service\.d/order-with-mounts\.conf"
)
_HEALTH_CHECK = re.compile(r"[0-9a-f]{64}(?:-[0-9a-f]{1,32})?\.(?:service|timer)")
"""podman(1) makes these of each container that has a health check."""

# Of people who are logged in, of machines and of containers, by those who start them.
_OF_RUNNING = re.compile(r".*\.scope|(?:user|machine|kubepods)-.*\.slice|kubepods\.slice")


@dataclass(frozen=True, slots=True)
class Placed:
    """One file or link in a directory of units that no system has put there.

    Attributes:
        directory: The directory of the load path.
        below: The directory in it that the entry lies in: ``sshd.service.d``; empty for none.
        name: File name.
    """

    directory: str
    below: str
    name: str


def placed(answers: Answers) -> tuple[Placed, ...]:
    """Everything in the load path that no system has put there.

    Raises:
        Unobservable: The directories could not be listed.
    """
    return tuple(_loose(entries(answers, UNIT_FILES)))


def started(answers: Answers) -> tuple[Placed, ...]:
    """The same, with the files that active units came from and that are gone.

    Raises:
        Unobservable: As `placed`, or systemd was not asked.
    """
    gone = dict.fromkeys(_remembered(answers), "file")
    return tuple(_loose({**gone, **entries(answers, UNIT_FILES)}))


def _remembered(answers: Answers) -> Iterator[str]:
    found = answers.data(LOADED_FROM)
    if not isinstance(found, Mapping) or len(found) > MAX_RECORDS:
        raise Unobservable("LoadedFrom: the answer is not an object")
    for path in found.values():
        if not isinstance(path, str) or not path.startswith(_BELOW):
            raise Unobservable("LoadedFrom: a unit came from a directory that was not asked for")
        yield path


def units(everything: tuple[Placed, ...], *, containers: bool = False) -> frozenset[str]:
    """Names of units that somebody put there, or told another unit to start.

    Those of people begin with ``user/``; of those that are named after a path the kind is told.

    Args:
        everything: As `started` gives it.
        containers: Whether podman(1) is declared, which makes transient units as it runs.
    """
    return frozenset(
        _named(entry)
        for entry in everything
        if _is_unit(entry)
        and _puts_a_unit(entry)
        and not _is_generated(entry)
        and not (containers and _is_health_check(entry))
    )


def allowed(name: str, params: Params) -> bool:
    """Whether the parameter `ALLOW` has a pattern for a unit."""
    return any(fnmatchcase(name, pattern) for pattern in given.texts(params, "allow"))


def has_containers(names: Iterable[str]) -> bool:
    """Whether some of the names of declared units are podman's."""
    return any(name.startswith("podman") for name in names)


def drop_ins(everything: tuple[Placed, ...]) -> frozenset[str]:
    """Drop-ins as ``sshd.service.d/name.conf``, and whole directories of them that are links."""
    return frozenset(
        _whose(entry) + f"{entry.below}/{entry.name}".lstrip("/")
        for entry in everything
        if (_is_drop_in(entry) and not _of_session(entry)) or _is_linked(entry)
    )


def _loose(found: Mapping[str, str]) -> Iterator[Placed]:
    for path, kind in found.items():
        directory = max((d for d in DIRECTORIES if path.startswith(f"{d}/")), key=len)
        below, _, name = path.removeprefix(f"{directory}/").rpartition("/")
        if kind == "dir" or (directory == TRANSIENT and name in _OURS):
            continue
        if directory in _BUILT and (in_store(kind) or _stays(directory, path, kind)):
            continue
        yield Placed(directory, below, name)


def _stays(directory: str, path: str, kind: str) -> bool:
    """Whether a link names another entry of the same directory, which is looked at by itself."""
    target = kind.removeprefix("-> ")
    if target == kind or target.startswith("/") or not target:
        return False
    return normpath(f"{path.rpartition('/')[0]}/{target}").startswith(f"{directory}/")


def _whose(entry: Placed) -> str:
    return "user/" if entry.directory in USER else ""


def _named(entry: Placed) -> str:
    of_path = _OF_PATHS.fullmatch(entry.name)
    return _whose(entry) + (entry.name if of_path is None else f"*.{of_path[1]}")


def _is_unit(entry: Placed) -> bool:
    if entry.directory in {TRANSIENT, *GENERATED}:
        return _STARTS.fullmatch(entry.name) is not None
    return (_STARTS.fullmatch(entry.name) or _OF_PATHS.fullmatch(entry.name)) is not None


def _is_health_check(entry: Placed) -> bool:
    return entry.directory == TRANSIENT and _HEALTH_CHECK.fullmatch(entry.name) is not None


def _is_drop_in(entry: Placed) -> bool:
    return entry.below.endswith(".d") and entry.name.endswith(".conf")


def _is_linked(entry: Placed) -> bool:
    """Whether it stands for a directory that systemd reads, and is none itself."""
    return not entry.below and entry.name.endswith((".d", *_LINKS_OF))


def _puts_a_unit(entry: Placed) -> bool:
    return not entry.below or entry.below.endswith(_LINKS_OF)


def _is_generated(entry: Placed) -> bool:
    if entry.directory not in GENERATED:
        return False
    if entry.directory == GENERATED[0]:
        # What lies here hides the declared unit of its name: generators choose targets so.
        return bool(entry.below) or entry.name.endswith(".target")
    return bool(entry.below) or _GENERATED.fullmatch(entry.name) is not None


def _of_session(entry: Placed) -> bool:
    """What logind sets for people who are logged in, and generators for their own units."""
    unit = entry.below.removesuffix(".d")
    if entry.directory in GENERATED:
        name = f"{entry.below}/{entry.name}"
        return (
            _GENERATED.fullmatch(unit) is not None
            or _GENERATED_DROP_IN.fullmatch(name) is not None
            or not unit.endswith(_KINDS)
        )
    return _OF_RUNNING.fullmatch(unit) is not None
