"""Replays recorded system calls on a `Disk`, so that the power can be cut after each of them."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.disk import Cut, Directory, File, Written
from tests.support.syscalls import Call

_SHARED = re.compile(r"MAP_SHARED\b|MAP_SHARED_VALIDATE\b")
_THREAD = "CLONE_FILES"


@dataclass(eq=False)
class Opened:
    """An open file, shared by the descriptors that were made of one another."""

    path: str
    node: File | Directory | None
    append: bool
    since: int
    at: int = 0


@dataclass
class Replay:
    """The disk, and who has what open.

    Attributes:
        place: The directory whose disk is modelled.
        told: The file in which the program says what it has acknowledged.
        root: The directory now.
        said: Lines of ``told`` so far.
        changed: Whether the last call changed anything.
        mapped: Content of files that were written through memory, by their number.
    """

    place: Path
    told: Path
    mapped: dict[int, bytes] = field(default_factory=dict)
    root: Directory = field(default_factory=Directory)
    said: list[str] = field(default_factory=list)
    changed: bool = False
    _time: int = 0
    _files: int = 0
    _owners: dict[int, int] = field(default_factory=dict)
    _parents: dict[int, int] = field(default_factory=dict)
    _tables: dict[int, dict[int, Opened]] = field(default_factory=dict)

    def run(self, calls: Sequence[Call]) -> "Iterator[Replay]":
        """Go on call by call; yields itself at the beginning and after each change."""
        for call in calls:
            if call.name in ("clone", "clone3", "fork", "vfork"):
                flags = "".join(call.arguments)
                known = self._owners if _THREAD in flags else self._parents
                known[call.result] = call.thread
        yield self
        for call in calls:
            self.changed = False
            self._time += 1
            act = _ACTS.get(call.name)
            assert act is not None or call.name in _HARMLESS, call.name
            if act is not None:
                act(self, call)
            if self.changed:
                yield self

    # What calls have in common.

    def table(self, call: Call) -> dict[int, Opened]:
        """Descriptors of the process that made a call."""
        process = call.thread
        while process in self._owners:
            process = self._owners[process]
        if process not in self._tables:
            parent = self._parents.get(process)
            inherited = self._tables.get(parent, {}) if parent is not None else {}
            self._tables[process] = dict(inherited)
        return self._tables[process]

    def where(self, call: Call, at: int | None, place: int) -> str:
        """The whole path that a call names."""
        path = call.path(place)
        if not path.startswith("/"):
            base = "AT_FDCWD" if at is None else call.arguments[at]
            assert base != "AT_FDCWD", f"relative path {path}"
            path = f"{self.table(call)[int(base)].path}/{path}"
        return os.path.normpath(path)

    def parts(self, path: str) -> list[str] | None:
        """Names below the modelled directory, None if it is elsewhere."""
        place = str(self.place)
        if path != place and not path.startswith(place + "/"):
            return None
        return [part for part in path[len(place) :].split("/") if part]

    def find(self, parts: list[str]) -> File | Directory | None:
        """What is at a path now."""
        node: File | Directory | None = self.root
        for part in parts:
            node = node.now.get(part) if isinstance(node, Directory) else None
        return node

    def name(self, changes: dict[str, File | Directory | None]) -> None:
        """Change names of one directory at once; they are given with their path."""
        places = {path: self.parts(path) for path in changes}
        inside = {path: parts for path, parts in places.items() if parts}
        if not inside:
            return
        assert len(inside) == len(changes), f"renamed across the border: {list(changes)}"
        above = {tuple(parts[:-1]) for parts in inside.values()}
        assert len(above) == 1, f"renamed across directories: {list(changes)}"
        directory = self.find(list(above.pop()))
        assert isinstance(directory, Directory), list(changes)
        named = {parts[-1]: changes[path] for path, parts in inside.items()}
        directory.since.append((self._time, named))
        self.changed = True

    def file(self) -> File:
        """A new file."""
        self._files += 1
        return File(self._files)

    def put(self, node: File | Directory | None, change: Written | Cut) -> None:
        """Change a file."""
        if isinstance(node, File):
            node.since.append((self._time, change))
            self.changed = True

    # What they do.

    def opened(self, call: Call) -> None:
        first = 0 if call.name in ("open", "creat") else 1
        path = self.where(call, None if first == 0 else 0, first)
        flags = "O_CREAT|O_TRUNC" if call.name == "creat" else call.arguments[first + 1]
        parts = self.parts(path)
        node = None if parts is None else self.find(parts)
        if parts and node is None:
            assert "O_CREAT" in flags, f"{path} is not known"
            node = self.file()
            self.name({path: node})
        elif "O_TRUNC" in flags:
            self.put(node, Cut(0))
        self.table(call)[call.result] = Opened(path, node, "O_APPEND" in flags, self._time)

    def closed(self, call: Call) -> None:
        table, number = self.table(call), call.number(0)
        found = table.get(number)
        # Another thread may get the number before this one hears that it is free.
        if found is not None and found.since <= call.begun:
            del table[number]

    def doubled(self, call: Call) -> None:
        if call.name != "fcntl" or "F_DUPFD" in call.arguments[1]:
            table = self.table(call)
            found = table.get(call.number(0))
            if found is not None:
                table[call.result] = found

    def sought(self, call: Call) -> None:
        found = self.table(call).get(call.number(0))
        if found is not None:
            found.at = call.result

    def wrote(self, call: Call) -> None:
        found = self.table(call).get(call.number(0))
        if found is None:
            return
        if found.path == str(self.told):
            self.said += call.data().decode().split("\n")[:-1]
            self.changed = True
        if isinstance(found.node, File):
            at = len(found.node.now) if found.append else found.at
            self.put(found.node, Written(at, call.data()))
            found.at = at + call.result

    def wrote_at(self, call: Call) -> None:
        found = self.table(call).get(call.number(0))
        if found is not None:
            self.put(found.node, Written(call.number(3), call.data()))

    def cut(self, call: Call) -> None:
        found = self.table(call).get(call.number(0))
        if found is not None:
            self.put(found.node, Cut(call.number(1)))

    def shared(self, call: Call) -> None:
        if "PROT_WRITE" in call.arguments[2] and _SHARED.search(call.arguments[3]):
            found = self.table(call).get(call.number(4))
            if found is not None and isinstance(found.node, File):
                # What is written there is no call; the file at the end says what it was.
                self.put(found.node, Written(0, self.mapped.get(found.node.number, b"")))

    def synced(self, call: Call) -> None:
        node = self.table(call)[call.number(0)].node
        if node is not None:
            node.sync(call.begun + 1)
            self.changed = True

    def renamed(self, call: Call) -> None:
        assert "RENAME_EXCHANGE" not in call.arguments[-1]
        plain = call.name == "rename"
        old = self.where(call, None if plain else 0, 0 if plain else 1)
        new = self.where(call, None if plain else 2, 1 if plain else 3)
        parts = self.parts(old)
        node = None if parts is None else self.find(parts)
        if old != new:
            self.name({old: None, new: node})

    def linked(self, call: Call) -> None:
        plain = call.name == "link"
        old = self.parts(self.where(call, None if plain else 0, 0 if plain else 1))
        new = self.where(call, None if plain else 2, 1 if plain else 3)
        if self.parts(new):
            assert old is not None
            self.name({new: self.find(old)})

    def symlinked(self, call: Call) -> None:
        plain = call.name == "symlink"
        self.name({self.where(call, None if plain else 1, 1 if plain else 2): self.file()})

    def removed(self, call: Call) -> None:
        beside = call.name == "unlinkat"
        self.name({self.where(call, 0 if beside else None, 1 if beside else 0): None})

    def made(self, call: Call) -> None:
        beside = call.name == "mkdirat"
        self.name({self.where(call, 0 if beside else None, 1 if beside else 0): Directory()})


_ACTS = {
    "open": Replay.opened,
    "openat": Replay.opened,
    "creat": Replay.opened,
    "close": Replay.closed,
    "dup": Replay.doubled,
    "dup2": Replay.doubled,
    "dup3": Replay.doubled,
    "fcntl": Replay.doubled,
    "lseek": Replay.sought,
    "write": Replay.wrote,
    "writev": Replay.wrote,
    "pwrite64": Replay.wrote_at,
    "ftruncate": Replay.cut,
    "mmap": Replay.shared,
    "fsync": Replay.synced,
    "fdatasync": Replay.synced,
    "rename": Replay.renamed,
    "renameat": Replay.renamed,
    "renameat2": Replay.renamed,
    "link": Replay.linked,
    "linkat": Replay.linked,
    "symlink": Replay.symlinked,
    "symlinkat": Replay.symlinked,
    "unlink": Replay.removed,
    "unlinkat": Replay.removed,
    "rmdir": Replay.removed,
    "mkdir": Replay.made,
    "mkdirat": Replay.made,
}
_HARMLESS = {"clone", "clone3", "fork", "vfork"}
"""Any other call that is recorded is one that the model lacks."""
