"""The links by which NixOS says what runs, what was booted and what the generations are."""

# os.readlink and os.path on links that are compared as text; pathlib adds nothing here.
# ruff: noqa: PTH115

import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.checks.parsing.boot_loader import CONF, ENTRIES, default_system
from reconciler.checks.parsing.shapes import FileText
from reconciler.model.system_links import BOOTED, CURRENT, PROFILE, generation_link
from reconciler.targets.linux.no_answer import NoAnswer

ROOTS = "/nix/var/nix/gcroots/reconciler"
"""What lies here is not collected as garbage: the candidate, and what ran before it."""

UNPROVEN = Path("/var/lib/reconciler/activation/unproven")
"""Link to a system that was restarted into and judged unwell."""

_GENERATION = re.compile(r"system-([1-9][0-9]{0,14})-link")
_SAME_BOOT = ("kernel", "initrd", "kernel-modules", "kernel-params")


def running() -> str:
    """The system that was activated last."""
    return _followed(CURRENT)


def booted() -> str:
    """The system that this boot began with."""
    return _followed(BOOTED)


def generation() -> int:
    """Number of the profile's generation.

    Raises:
        NoAnswer: The profile is not a link to one.
    """
    found = _GENERATION.fullmatch(Path(os.readlink(PROFILE)).name)
    if found is None:
        raise NoAnswer("error", f"{PROFILE} does not link to a generation")
    return int(found[1])


def newest() -> str:
    """The system that the profile leads to."""
    return _followed(PROFILE)


def system_of(number: int) -> str | None:
    """The system of a generation; ``None`` if that generation is gone."""
    try:
        return _followed(generation_link(number))
    except FileNotFoundError:
        return None


def has_generation(system: str) -> bool:
    """Whether the profile has a generation of a system; only those get boot entries."""
    place = Path(PROFILE)
    return any(str(link.resolve()) == system for link in place.parent.glob(f"{place.name}-*-link"))


def lasting(*systems: str) -> str:
    """Which of some systems, the best first, should be the default of the boot loader.

    A kernel that this machine has not booted is not made the default: where none of them has the
    booted one, the booted system is it, because that is proven to boot. One that was booted and
    judged unwell is not: then it is the last of them, which was the default before.
    """
    this_boot = booted()
    for system in systems:
        if all(_same(system, this_boot, part) for part in _SAME_BOOT):
            return system
    return systems[-1] if _link(UNPROVEN) == this_boot else this_boot


def boot_default() -> str | None:
    """The system that systemd-boot starts by itself; ``None`` where its files do not say."""
    try:
        conf = _text(Path(CONF))
        entries = [FileText(str(path), _text(path)) for path in Path("/").glob(ENTRIES[1:])]
    except FileNotFoundError:
        return None
    return default_system(conf, entries)


def keep(name: str, system: str) -> None:
    """Keep a system from being collected as garbage, also before it is there."""
    directory = Path(ROOTS)
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    point(directory / name, system)


def let_go(name: str) -> None:
    """Keep what is kept under a name no longer."""
    Path(ROOTS, name).unlink(missing_ok=True)


def kept(name: str) -> tuple[str, ...]:
    """A system that is kept under a name and still there; none if there is none."""
    system = _link(Path(ROOTS, name))
    return (system,) if system is not None and Path(system).is_dir() else ()


def point(link: Path, to: str) -> None:
    """Make or replace a link, whole also after a power cut.

    Raises:
        OSError: The system refused.
    """
    beside = link.with_name(f".{link.name}.{secrets.token_hex(8)}")
    beside.symlink_to(to)
    try:
        beside.replace(link)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
    flush(link.parent)


def flush(directory: Path) -> None:
    """Have the disk know what names a directory holds."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def program(name: str, systems: Sequence[str]) -> str:
    """A program of one of some systems, by a path that nobody changes.

    Raises:
        NoAnswer: None of them has it.
    """
    for system in systems:
        path = f"{system}/sw/bin/{name}"
        if os.access(path, os.X_OK):
            return path
    raise NoAnswer("absent", f"{name} is in none of the systems")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _followed(link: str) -> str:
    return str(Path(link).resolve(strict=True))


def _link(path: Path) -> str | None:
    with suppress(FileNotFoundError):
        return str(path.readlink())
    return None


def _same(system: str, proven: str, part: str) -> bool:
    """Whether two systems have the same part; a part that neither has is the same."""
    one, other = Path(system, part), Path(proven, part)
    if part == "kernel-params":
        return _words(one) == _words(other)
    return _place(one) == _place(other)


def _place(path: Path) -> str | None:
    with suppress(FileNotFoundError):
        return str(path.resolve(strict=True))
    return None


def _words(path: Path) -> list[bytes]:
    with suppress(FileNotFoundError):
        return path.read_bytes().split()
    return []
