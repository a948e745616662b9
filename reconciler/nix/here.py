"""What of a machine with Nix is known without asking Nix: links to systems, licences they carry.

Rule 1: A link that is not there is an answer; one that leads elsewhere than to a store path is not.
Rule 2: A system may carry no list of licences. One that is there is read as a whole or refused:
        half a list would call known licences unknown.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.errors import InputError, MachineError
from reconciler.model.system_links import BOOTED, CURRENT, PROFILE, generation_link
from reconciler.nix.store_path import is_store_path

LICENCES = "reconciler/licences.json"
"""Where in a system the list is."""

_FORMAT = "reconciler-licences/1"
_MAX_BYTES = 32 * 1024 * 1024
_MAX_LICENCES = 64
_MAX_TEXT = 1000
_MAX_LINKS = 8
_LIST = "Build the system with the expectations module of this version, which writes the list."


def running_system(root: str = "/") -> str | None:
    """Store path of the system that was activated last; ``None`` where no NixOS runs.

    Raises:
        MachineError: The link cannot be read or does not lead into the store.
    """
    return _linked(root, CURRENT)


def booted_system(root: str = "/") -> str | None:
    """Store path of the system that this boot began with.

    Raises:
        MachineError: As `running_system`.
    """
    return _linked(root, BOOTED)


def profile_system(root: str = "/") -> str | None:
    """Store path of the newest generation: what boots next unless told otherwise.

    Raises:
        MachineError: As `running_system`.
    """
    number = profile_generation(root)
    return _linked(root, PROFILE if number is None else generation_link(number))


def profile_generation(root: str = "/") -> int | None:
    """Number of the newest generation; ``None`` where there is no profile with generations.

    Raises:
        MachineError: The link cannot be read.
    """
    target = _target(Path(root) / PROFILE.lstrip("/"))
    if target is None:
        return None
    name = target.rsplit("/", 1)[-1]
    number = name.removeprefix("system-").removesuffix("-link")
    known = f"system-{number}-link" == name and number.isascii() and number.isdigit()
    return int(number) if known and len(number) <= 9 else None


def system_behind(asked: str, root: str = "/") -> str:
    """What is asked for, if it is a store path; else the store path that it is a link to.

    Args:
        asked: ``/run/current-system``, a generation of a profile, ``./result``.
        root: What the store lies under; links from the top are followed below it.

    Raises:
        InputError: It is neither.
    """
    found = Path(asked)
    for _ in range(_MAX_LINKS):
        if is_store_path(str(found)):
            return str(found)
        place = Path(root, *found.parts[1:]) if found.is_absolute() else found
        try:
            found = found.parent / place.readlink()
        except (OSError, ValueError):
            break
    raise InputError(
        f"{asked!r:.120} is not a system in the store, and no link to one",
        hint="Give its path right below /nix/store, or a link such as /run/current-system.",
    )


def licences_of(system: str, root: str = "/") -> Mapping[str, tuple[str, ...]]:
    """What a system says of the licences of its parts, by store path; empty if it says nothing.

    Raises:
        MachineError: The list is there and cannot be read as one.
    """
    file = Path(f"{root.rstrip('/')}{system}") / LICENCES
    try:
        with file.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        if os.path.lexists(file):
            raise MachineError(f"{file} leads to nothing", hint=_LIST) from error
        return {}
    except OSError as error:
        raise MachineError(f"{file} cannot be read: {error.strerror}", hint=_LIST) from error
    try:
        return _licences(data)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MachineError(f"{file} is not a list of licences", hint=_LIST) from error


def _licences(data: bytes) -> Mapping[str, tuple[str, ...]]:
    said: Any = json.loads(data) if len(data) <= _MAX_BYTES else None
    if set(said) != {"format", "licences"} or said["format"] != _FORMAT:
        raise ValueError
    return {
        _path(path): tuple(map(_licence, _few(each))) for path, each in said["licences"].items()
    }


def _path(value: str) -> str:
    if not is_store_path(value):
        raise ValueError
    return value


def _few(value: Any) -> list[Any]:
    if type(value) is not list or len(value) > _MAX_LICENCES:
        raise ValueError
    return value


def _licence(value: Any) -> str:
    fits = type(value) is str and 1 <= len(value) <= _MAX_TEXT and value.isprintable()
    if not fits or value != value.strip():
        raise ValueError
    return str(value)


def _linked(root: str, link: str) -> str | None:
    target = _target(Path(root) / link.lstrip("/"))
    if target is None or is_store_path(target):
        return target
    raise MachineError(
        f"{link} leads to {target!r:.120}, which is not a store path",
        hint="See who made that link; on NixOS activation makes it.",
    )


def _target(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MachineError(
            f"link {link} cannot be read: {error.strerror}",
            hint="See what stands there; on NixOS it is a link.",
        ) from error
