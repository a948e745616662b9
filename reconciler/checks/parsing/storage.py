"""Which block devices hold data that outlives a reboot, and which of them are encrypted.

From /proc/self/mountinfo (proc_pid_mountinfo(5)), /proc/swaps and sysfs only: lsblk(8) reads the
same files and costs a process. A device counts as encrypted when it, or every device below it,
is a dm-crypt mapping; dm/uuid starts with the format: ``CRYPT-LUKS2-…`` (cryptsetup(8)).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.errors import Unobservable

WITHOUT_NUMBER = frozenset({"btrfs", "bcachefs"})
"""Filesystems that span devices and so have no device number of their own; the source names one."""

_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo. ``device`` is ``major:minor``; major 0 has no block device.

    ``root`` is the directory of the file system that is mounted.
    """

    device: str
    point: str
    filesystem: str
    source: str
    options: frozenset[str] = frozenset()
    root: str = "/"


@dataclass(frozen=True, slots=True)
class Devices:
    """What sysfs says about block devices, by kernel name (``dm-0``, ``nvme0n1p2``).

    Attributes:
        numbers: Kernel name of every ``major:minor``.
        aliases: Kernel name of every device-mapper name (``/dev/mapper/<name>``).
        uuids: dm/uuid of every mapping.
        below: The devices that a mapping or an array is made of.
        pools: Sets of devices that one btrfs filesystem spans.
    """

    numbers: Mapping[str, str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    uuids: Mapping[str, str] = field(default_factory=dict)
    below: Mapping[str, frozenset[str]] = field(default_factory=dict)
    pools: tuple[frozenset[str], ...] = ()

    def of_mount(self, mount: Mount) -> frozenset[str]:
        """Kernel names of the devices under a filesystem.

        Raises:
            Unobservable: sysfs does not know the device.
        """
        if mount.filesystem not in WITHOUT_NUMBER:
            return frozenset({self._known(self.numbers.get(mount.device))})
        names = frozenset(self.of_path(path) for path in mount.source.split(":"))
        return next((pool for pool in self.pools if names & pool), names)

    def of_path(self, path: str) -> str:
        """Kernel name of ``/dev/dm-0`` or ``/dev/mapper/root``.

        Raises:
            Unobservable: sysfs does not know the device.
        """
        name = path.removeprefix("/dev/")
        alias = self.aliases.get(name.removeprefix("mapper/"))
        return self._known(name if name in self.numbers.values() else alias)

    def formats(self, name: str) -> frozenset[str]:
        """Formats of the nearest encryption on every way down; ``none`` for a way without.

        Raises:
            Unobservable: No way down ends.
        """
        found: set[str] = set()
        seen: set[str] = set()
        todo = [name]
        while todo:
            device = todo.pop()
            if device in seen:
                continue
            seen.add(device)
            kind, lower = self._encryption(device), self.below.get(device, frozenset())
            if kind is None and lower:
                todo += lower
            else:
                found.add(kind or "none")
        if not found:
            raise Unobservable("the chain of block devices does not end")
        return frozenset(found)

    def _encryption(self, name: str) -> str | None:
        """Format of a dm-crypt mapping; the others protect against change, not reading."""
        purpose, _, rest = self.uuids.get(name, "").partition("-")
        kind = rest.partition("-")[0]
        return kind if purpose == "CRYPT" and kind not in {"", "VERITY", "INTEGRITY"} else None

    def _known(self, name: str | None) -> str:
        if name is None or name not in self.numbers.values():
            raise Unobservable("a block device that is in use is not in /sys/class/block")
        return name


def mounts(text: str) -> tuple[Mount, ...]:
    """Every mount, in order.

    Raises:
        Unobservable: A line cannot be read, or there is none for ``/``.
    """
    found = tuple(_mount(line) for line in text.split("\n") if line)
    if not any(mount.point == "/" for mount in found):
        raise Unobservable("mountinfo does not list /")
    return found


def swaps(text: str) -> tuple[str, ...]:
    """Paths of swap partitions; a swap file lies on a filesystem that counts by itself.

    Raises:
        Unobservable: A line cannot be read.
    """
    return tuple(path for path, kind in every_swap(text) if kind == "partition")


def every_swap(text: str) -> tuple[tuple[str, str], ...]:
    """Path and kind (``partition``, ``file``) of all that is swapped to.

    Raises:
        Unobservable: A line cannot be read.
    """
    header, *lines = text.rstrip("\n").split("\n")
    if not header.startswith("Filename"):
        raise Unobservable("/proc/swaps cannot be read")
    rows = [line.split() for line in lines]
    if any(len(row) != 5 for row in rows):
        raise Unobservable("/proc/swaps has a line that cannot be read")
    return tuple((_unescape(row[0]), row[1]) for row in rows)


def _mount(line: str) -> Mount:
    before, separator, after = line.partition(" - ")
    left, right = before.split(" "), after.split(" ")
    if (
        not separator
        or len(left) < 6
        or len(right) < 2
        or not re.fullmatch(r"[0-9]+:[0-9]+", left[2])
    ):
        raise Unobservable("mountinfo has a line that cannot be read")
    options, root = frozenset(left[5].split(",")), _unescape(left[3])
    return Mount(left[2], _unescape(left[4]), right[0], _unescape(right[1]), options, root)


def _unescape(text: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)
