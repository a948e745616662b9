"""Unit files and drop-ins that lie where nobody but a system's own build should put one.

NixOS has every unit in the store: /etc/systemd/system is one link to it. Whatever else is in a
directory that systemd reads was put there while the machine ran, by a hand or by a program.

Source: systemd.unit(5) "UNIT FILE LOAD PATH", systemd.generator(7).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import normpath

from reconciler.checks.parsing.listing import entries, in_store
from reconciler.model.answer import Answers
from reconciler.model.nixos_probe import Entries
from reconciler.model.probe import StatPaths

CONTROL = ("/etc/systemd/system.control", "/run/systemd/system.control")
TRANSIENT = "/run/systemd/transient"
GENERATED = (
    "/run/systemd/generator.early",
    "/run/systemd/generator",
    "/run/systemd/generator.late",
)
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
)
UNIT_FILES = Entries(DIRECTORIES, depth=2)
LINKED = StatPaths(tuple(d for d in DIRECTORIES if not d.startswith("/etc/")))
"""None of these is ever a link; those in /etc are looked at by LNX-EXP-014."""

_BUILT = frozenset({*GENERATED, "/etc/systemd/system"})
"""Where a link into the store is as it should be; nothing links there from the others."""

_OURS = frozenset(
    {"reconciler-return.timer", "reconciler-return.service", "reconciler-switch.service"}
)
"""Transient units of an activation under way (`reconciler.targets.linux.nixos`)."""

_KINDS = ("service", "socket", "timer", "target", "path")
_STARTS = re.compile(rf"[A-Za-z0-9:_.\\@-]+\.(?:{'|'.join(_KINDS)})")
_LINKS_OF = (".wants", ".requires", ".upholds")
# What systemd's own generators make from fstab(5), crypttab(5) and the kernel's command line.
_GENERATED = re.compile(
    r"systemd-(?:fsck(?:-root|@.*)|cryptsetup@.*|veritysetup@.*|integritysetup@.*"
    r"|growfs(?:-root|@.*)|makefs@.*|mkswap@.*|remount-fs|hibernate-resume(?:@.*)?"
    r"|debug-generator)\.service"
    r"|(?:serial-|console-|container-)?getty(?:@.*)?\.service|sshd-(?:vsock|unix-local)(?:@)?"
    r"\.(?:socket|service)|.*\.target"
)


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
    found = entries(answers, UNIT_FILES)
    return tuple(_loose(found))


def units(everything: tuple[Placed, ...]) -> frozenset[str]:
    """Names of units that somebody put there, or told another unit to start."""
    return frozenset(
        entry.name
        for entry in everything
        if _STARTS.fullmatch(entry.name) and _puts_a_unit(entry) and not _is_generated(entry)
    )


def drop_ins(everything: tuple[Placed, ...]) -> frozenset[str]:
    """Drop-ins as ``sshd.service.d/name.conf``, and whole directories of them that are links."""
    return frozenset(
        f"{entry.below}/{entry.name}".lstrip("/")
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
    return bool(entry.below) or _GENERATED.fullmatch(entry.name) is not None


def _of_session(entry: Placed) -> bool:
    """What logind sets for people who are logged in, and generators for their own units."""
    unit = entry.below.removesuffix(".d")
    if entry.directory in GENERATED:
        return _GENERATED.fullmatch(unit) is not None or not unit.endswith(_KINDS)
    return unit.endswith(".scope") or (unit.startswith("user-") and unit.endswith(".slice"))
