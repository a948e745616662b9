"""Questions about a machine whose whole configuration is declared, beside `reconciler.model.probe`.

What is compared is known only once the expectations document is read, and a check says what it asks
before any answer: so these ask for all that there is of a kind, or for what the document names
(``Declared…``), and a parser compares.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RealPath:
    """Where a path leads when every link is followed, realpath(3).

    Answer data: ``str``; absent when there is nothing, or a link on the way leads nowhere.
    """

    path: str


@dataclass(frozen=True, slots=True)
class Entries:
    """What lies in directories, and below them as deep as ``depth`` says; links are not followed.

    Answer data: ``{path: "dir" | "file" | "other" | "-> <target>"}``, the target as the link says
    it. A directory that does not exist, or is a link itself, has no entries. More than ``most``
    entries, or a directory that may not be listed, is an error.
    """

    directories: tuple[str, ...]
    depth: int = 1
    most: int = 16_384


@dataclass(frozen=True, slots=True)
class LoadedUnits:
    """Every unit that systemd has in memory, of the kinds that start something, over D-Bus.

    Answer data: ``{unit: [load_state, active_state, sub_state]}``; a unit that is not there is not
    active.
    """


@dataclass(frozen=True, slots=True)
class LoadedFrom:
    """The files that active units were loaded from, over D-Bus: services, timers, sockets, paths.

    systemd goes on with a unit whose file is gone, and remembers where it was.

    Answer data: ``{unit: path}``, of the units whose file is, or was, in one of the directories.
    """

    directories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeclaredSysctls:
    """The live values of the kernel parameters that the expectations name (`Internal`).

    Answer data: ``{"values": {name: str | None}, "matching": {name: {matched: str}}, "unreadable":
    [names]}``, values as the kernel writes them. None: this kernel has none of that name. A name
    with ``*`` stands for each that it matches, slashes for dots. What can only be written is
    unreadable. Absent without expectations.
    """


@dataclass(frozen=True, slots=True)
class DeclaredFiles:
    """The files below /etc that the expectations call copies, beside those of the system itself.

    Answer data: ``{path: {"same": bool, "owned": bool, "mode": str, "declared_mode": str |
    None}}``, the path below /etc, modes in octal; ``same`` says whether the content is that of
    ``<system>/etc/<path>``, whose mode, owner and group stand in ``<path>.mode``, ``.uid`` and
    ``.gid`` where NixOS wrote them; ``owned`` whether owner and group are these. A file that is not
    there, or is no regular file, is left out. Absent without expectations.
    """


@dataclass(frozen=True, slots=True)
class DeclaredPaths:
    """Where the paths lead that the expectations name: certificates and swap.

    Answer data: ``{path: str | None}``, with every link followed; None where there is nothing.
    Absent without expectations.
    """


@dataclass(frozen=True, slots=True)
class SetuidFiles:
    """Files that run with the rights of another: setuid, setgid, or with capabilities.

    The wrappers of NixOS are looked at each time. Elsewhere such a file works only on a file
    system that is not mounted ``nosuid``, and stays only on one that is written to: these are
    walked a part at a time, and a later look goes on where the last one stopped.

    Answer data: ``{"wrappers": [{"name", "mode" (permission bits), "uid", "gid", "capabilities":
    [names], "late": bool}], "elsewhere": [paths], "whole": bool}``; ``late`` when it was changed
    after activation linked the directory, ``whole`` once everything was walked.
    """

    wrappers: str = "/run/wrappers/bin"
    skip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KernelModules:
    """Modules in the running kernel, beside those that a directory of modules holds.

    Answer data: ``{"loaded": [names], "foreign": [loaded names that are not of the directory],
    "built_in": [names]}``, sorted, with ``_`` for ``-``. Absent where the directory has none for
    the running kernel.
    """

    loaded: str = "/proc/modules"
    directory: str = "/run/booted-system/kernel-modules/lib/modules"


NixosProbe = (
    RealPath
    | Entries
    | LoadedUnits
    | LoadedFrom
    | DeclaredSysctls
    | DeclaredFiles
    | DeclaredPaths
    | SetuidFiles
    | KernelModules
)
"""Questions about a machine whose whole configuration is declared."""
