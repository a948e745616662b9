"""A disk as a power cut may leave it: what was synced is there, of the rest anything may be.

The model is harsher than ext4, xfs and btrfs are, and is that of POSIX: only ``fsync`` of a file
keeps its bytes, and only ``fsync`` of a directory keeps the names in it (not those of the directory
above). Bytes that were not synced may be old, new, cut off anywhere, or zeros. Of the changes of
names any may be kept, in the order in which they were made or (`Chance.shuffled`) without those
before them, even in one directory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol

Image = dict[str, bytes | None]
"""Path to content; None is a directory."""


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes that were written at a place of a file."""

    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A file that was given another length."""

    size: int


Change = Written | Cut


@dataclass(eq=False)
class File:
    """A file: what is surely on the disk, and what happened since.

    Attributes:
        number: In the order in which files appear.
        synced: Its bytes at its last ``fsync``.
        since: Changes since then, with the time of each.
    """

    number: int
    synced: bytes = b""
    since: list[tuple[int, Change]] = field(default_factory=list)

    def sync(self, until: int) -> None:
        """Put on the disk what was changed before a time."""
        kept = [change for time, change in self.since if time < until]
        self.synced = applied(self.synced, kept)
        self.since = [one for one in self.since if one[0] >= until]

    @property
    def now(self) -> bytes:
        """What a program reads."""
        return applied(self.synced, [change for _, change in self.since])


@dataclass(eq=False)
class Directory:
    """A directory: the names that are surely on the disk, and what happened since.

    Attributes:
        synced: Names at its last ``fsync``.
        since: Changes since then, with the time of each; None is a name that is gone. A change is
            there as a whole or not at all, so a file that is renamed never has no name.
    """

    synced: "dict[str, File | Directory]" = field(default_factory=dict)
    since: "list[tuple[int, dict[str, File | Directory | None]]]" = field(default_factory=list)

    def sync(self, until: int) -> None:
        """Put on the disk what was changed before a time."""
        kept = sum(1 for time, _ in self.since if time < until)
        self.synced, self.since = self.after(range(kept)), self.since[kept:]

    def after(self, changes: Iterable[int]) -> "dict[str, File | Directory]":
        """Names after some of the changes."""
        names: dict[str, File | Directory | None] = dict(self.synced)
        for change in changes:
            names |= self.since[change][1]
        return {name: node for name, node in names.items() if node is not None}

    @property
    def now(self) -> "dict[str, File | Directory]":
        """What a program sees."""
        return self.after(range(len(self.since)))


class Fate(Protocol):
    """Decides what of the unsynced a power cut leaves."""

    def changes(self, directory: Directory) -> Iterable[int]:
        """Which changes of names are kept."""

    def content(self, file: File) -> bytes:
        """What a file holds."""


@dataclass(frozen=True)
class Plain:
    """The same for all: whether names are kept, and what of the bytes."""

    names: bool
    data: str

    def changes(self, directory: Directory) -> Iterable[int]:
        return range(len(directory.since) if self.names else 0)

    def content(self, file: File) -> bytes:
        if not file.since or self.data == "old":
            return file.synced
        return file.now if self.data == "new" else zeros(file, len(file.since), None)


EXTREMES = {
    "nothing survives": Plain(names=False, data="old"),
    "everything survives": Plain(names=True, data="new"),
    "names without bytes": Plain(names=True, data="old"),
    "names and zeros": Plain(names=True, data="zeros"),
}


@dataclass(frozen=True)
class Chance:
    """Anything that may be, one of it."""

    random: Random
    shuffled: bool

    def changes(self, directory: Directory) -> Iterable[int]:
        number = len(directory.since)
        if self.shuffled:
            return [change for change in range(number) if self.random.random() < 0.5]
        return range(self.random.randint(0, number))

    def content(self, file: File) -> bytes:
        if not file.since:
            return file.synced
        kept = self.random.randint(0, len(file.since))
        if self.random.random() < 0.3:
            return zeros(file, kept, self.random)
        return torn(file, kept, self.random)


def applied(data: bytes, changes: list[Change]) -> bytes:
    """The bytes of a file after changes."""
    made = bytearray(data)
    for change in changes:
        size = change.size if isinstance(change, Cut) else change.at
        made.extend(bytes(max(0, size - len(made))))
        if isinstance(change, Cut):
            del made[size:]
        else:
            made[size : size + len(change.data)] = change.data
    return bytes(made)


def torn(file: File, kept: int, random: Random) -> bytes:
    """The first changes of a file, the last of them cut off anywhere."""
    changes = [change for _, change in file.since[:kept]]
    if changes and isinstance(last := changes[-1], Written):
        changes[-1] = Written(last.at, last.data[: random.randint(0, len(last.data))])
    return applied(file.synced, changes)


def zeros(file: File, kept: int, random: Random | None) -> bytes:
    """The length after some changes, and zeros (from anywhere on) where bytes were written."""
    changes: list[Change] = []
    for _, change in file.since[:kept]:
        if isinstance(change, Written):
            real = 0 if random is None else random.choice((0, len(change.data) // 2))
            data = change.data[:real].ljust(len(change.data), b"\0")
            changes.append(Written(change.at, data))
        else:
            changes.append(change)
    return applied(file.synced, changes)


def image(root: Directory, fate: Fate) -> Image:
    """A directory as a power cut leaves it."""
    contents: dict[int, bytes] = {}

    def walk(directory: Directory, prefix: str) -> Iterator[tuple[str, bytes | None]]:
        for name, node in sorted(directory.after(fate.changes(directory)).items()):
            if isinstance(node, Directory):
                yield prefix + name, None
                yield from walk(node, f"{prefix}{name}/")
                continue
            # A file with two names has one content.
            if node.number not in contents:
                contents[node.number] = fate.content(node)
            yield prefix + name, contents[node.number]

    return dict(walk(root, ""))


def write(made: Image, place: Path) -> None:
    """Make real what a power cut leaves."""
    place.mkdir()
    for name, content in made.items():
        if content is None:
            (place / name).mkdir()
        else:
            (place / name).write_bytes(content)


def read(place: Path) -> Image:
    """What a directory holds."""
    return {
        path.relative_to(place).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in sorted(place.rglob("*"))
    }


def load(made: Image) -> Directory:
    """A directory, all of it synced."""
    root = Directory()
    for number, (name, content) in enumerate(sorted(made.items())):
        *above, last = name.split("/")
        node: File | Directory = root
        for part in above:
            assert isinstance(node, Directory)
            node = node.synced[part]
        assert isinstance(node, Directory)
        node.synced[last] = Directory() if content is None else File(-number, content)
    return root
