"""The sweep: every file of ``objects/`` and ``refs/``, ``packed-refs`` and ``HEAD``, byte by byte.

An audit proves what the branch reaches. The sweep proves that nothing else is there and that no
byte of the store differs from what Git would have written, so a changed one is found and located
even where it changes no content.
"""

import re
import stat
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import suppress
from pathlib import Path

from reconciler.errors import EvidenceError
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.ledger import loose, packs
from reconciler.ledger.file_identity import Identity, identity
from reconciler.ledger.objects import ObjectStore, prove
from reconciler.ledger.pack_reader import PackReader
from reconciler.ledger.sweep_report import SweepReport

_ID = re.compile(rb"[0-9a-f]{40}\n")
_SYMBOLIC = re.compile(rb"ref: (refs/[A-Za-z0-9._/-]+)\n")
_PACKED_HEADER = b"# pack-refs with: peeled fully-peeled sorted \n"
_PACKED_LINE = re.compile(rb"([0-9a-f]{40}) (refs/[A-Za-z0-9._/-]+)\n")
_LOOSE = re.compile(r"objects/([0-9a-f]{2})/([0-9a-f]{38})")
_PACK = re.compile(r"objects/pack/pack-[0-9a-f]{40}\.(pack|idx|rev|bitmap)")
_TRAILED = re.compile(
    r"objects/(pack/multi-pack-index|info/commit-graph|info/commit-graphs/graph-[0-9a-f]{40}\.graph)"
)
_LISTS = re.compile(r"objects/info/(packs|commit-graphs/commit-graph-chain)")
_HALVES = {".pack": ".idx", ".idx": ".pack", ".rev": ".pack", ".bitmap": ".pack"}
_FORBIDDEN = ("shallow", "info/grafts")
_MAX_LIST = 1024 * 1024


def sweep(
    path: Path,
    store: ObjectStore | None,
    seen: Set[bytes],
    names: Set[str],
    texts: Mapping[str, bytes],
    earlier: Mapping[str, Identity] | None = None,
) -> SweepReport:
    """Check every file of a repository's store.

    Args:
        path: The repository directory (the one that holds ``objects``).
        store: What the audit read from; None if there was none, then only bytes are checked.
        seen: Binary ids of the objects that the audit has read and proven.
        names: All reference names of the repository.
        texts: What the files of references held before the audit: the branch may have grown since.
        earlier: Files of packs that an earlier sweep found sound, not read again while they are
            the same. The audit has then not seen all objects, so unreferenced ones do not count.
    """
    return _Sweep(path, store, seen, names, texts, earlier).run()


class _Sweep:
    def __init__(
        self,
        path: Path,
        store: ObjectStore | None,
        seen: Set[bytes],
        names: Set[str],
        texts: Mapping[str, bytes],
        earlier: Mapping[str, Identity] | None,
    ) -> None:
        self._earlier = earlier
        self._path = path
        self._store = store
        self._seen = seen
        self._names = names
        self._texts = texts
        self._readers: list[PackReader] = []
        self._report = SweepReport()

    def run(self) -> SweepReport:
        for name in _FORBIDDEN:
            if (self._path / name).exists():
                self._fault(Code.STRAY_FILE, name, "changes what history looks like to git")
        self._readers = list(_opened(self._path / "objects/pack"))
        for name in ("HEAD", "packed-refs", "refs", "objects"):
            for file in self._files(self._path / name):
                if self._is_known(file):
                    self._report.skipped += 1
                else:
                    self._report.files += 1
                    self._check(file)
        self._report.unreferenced *= self._earlier is None
        return self._report

    def _is_known(self, file: Path) -> bool:
        known = (self._earlier or {}).get(self._name(file))
        return known is not None and known == identity(file)

    def _files(self, path: Path) -> Iterator[Path]:
        """Plain files at or below a path; what is neither file nor directory is a fault."""
        try:
            mode = path.lstat().st_mode
            children = sorted(path.iterdir()) if stat.S_ISDIR(mode) else []
        except FileNotFoundError:
            # What is gone by now was moved by housekeeping; these three stay where they are.
            if path.parent == self._path and path.name != "packed-refs":
                self._fault(Code.FILE, self._name(path), "is not there")
            return
        if stat.S_ISDIR(mode):
            for child in children:
                yield from self._files(child)
        elif stat.S_ISREG(mode):
            yield path
        else:
            self._fault(Code.STRAY_FILE, self._name(path), "is not a plain file")

    def _check(self, file: Path) -> None:
        name = self._name(file)
        if loose.is_leftover(file.name) or name.endswith(".lock") or _is_half_done(file):
            self._report.leftovers.append(name)
            return
        check = self._checker(name)
        if check is None:
            self._fault(Code.STRAY_FILE, name, "does not belong in a ledger")
            return
        try:
            check(file)
        except EvidenceError as error:
            self._failed(file, error.message)
        except OSError as error:
            self._failed(file, f"cannot be read: {error.strerror}")

    def _failed(self, file: Path, message: str) -> None:
        """A fault, unless housekeeping has just moved what the file held into another.

        Whatever the branch reaches has been read and proven by the audit, wherever it was then.
        """
        name = self._name(file)
        moved = not file.exists() or _is_half_done(file)
        if not (moved and name.startswith("objects/")):
            self._fault(Code.FILE, name, message)

    def _checker(self, name: str) -> Callable[[Path], None] | None:
        if name == "HEAD":
            return self._head
        if name == "packed-refs":
            return self._packed_refs
        if name.startswith("refs/"):
            return self._reference
        if _LOOSE.fullmatch(name):
            return self._loose
        if _PACK.fullmatch(name):
            return self._pack
        if _TRAILED.fullmatch(name):
            return self._trailed
        return self._list if _LISTS.fullmatch(name) else None

    def _head(self, file: Path) -> None:
        match = _SYMBOLIC.fullmatch(self._text(file))
        if match is None or match[1].decode() not in self._names:
            raise _wrong("does not name a branch of this ledger")

    def _reference(self, file: Path) -> None:
        data = self._text(file)
        if _ID.fullmatch(data):
            self._audited(data[:40])
            return
        match = _SYMBOLIC.fullmatch(data)
        remote = self._name(file).startswith("refs/remotes/") and file.name == "HEAD"
        if not remote or match is None or match[1].decode() not in self._names:
            raise _wrong("is not an object id and a newline")

    def _packed_refs(self, file: Path) -> None:
        data = self._text(file)
        if not data.startswith(_PACKED_HEADER):
            raise _wrong("does not begin as git writes it")
        position = len(_PACKED_HEADER)
        while position < len(data):
            match = _PACKED_LINE.match(data, position)
            if match is None:
                line = data.count(b"\n", 0, position) + 1
                raise _wrong(f"line {line} is not an object id and a name")
            # A loose reference hides the packed one, which must still be a point of this history.
            self._audited(match[1])
            position = match.end()

    def _audited(self, oid: bytes) -> None:
        if bytes.fromhex(oid.decode()) not in self._seen:
            raise _wrong(f"points to {oid.decode()}, which the audit did not reach")

    def _loose(self, file: Path) -> None:
        oid = file.parent.name + file.name
        loose.check(str(file), oid)
        name = bytes.fromhex(oid)
        self._report.unreferenced += name not in self._seen
        self._prove_copies(name, self._readers)

    def _pack(self, file: Path) -> None:
        if file.suffix == ".pack":
            self._packed(file)
        else:
            packs.check_trailer(file)

    def _packed(self, file: Path) -> None:
        """Check a pack's bytes, and prove what the audit has not read, in the order of the pack.

        Of two copies of an object the audit has read one; git may read the other.
        """
        ids = packs.check_pack(file)
        own = PackReader(file.with_suffix(".idx"))
        larger = [pack for pack in self._readers if _rank(pack) > _rank(own)]
        for oid in ids:
            if oid not in self._seen:
                self._report.unreferenced += 1
                if self._store is not None:
                    self._prove(oid, own)
            elif any(pack.holds(oid) for pack in larger):
                self._prove_copies(oid, [own, *larger])

    def _prove_copies(self, oid: bytes, readers: list[PackReader]) -> None:
        for pack in readers:
            if pack.holds(oid):
                self._prove(oid, pack)

    def _prove(self, oid: bytes, pack: PackReader) -> None:
        try:
            found = pack.read(oid)
            if found is not None:
                prove(oid, found)
        except EvidenceError as error:
            self._fault(Code.FILE, f"objects/pack/{pack.name}.pack", error.message)

    def _trailed(self, file: Path) -> None:
        packs.check_trailer(file)

    def _list(self, file: Path) -> None:
        """Lists of neighbours: each must name what is there, and all of it."""
        lines = _short(file).decode("ascii", "replace")
        if file.name == "packs":
            found = (self._path / "objects/pack").glob("*.pack")
            there = {f"P {pack.name}" for pack in found if not _is_half_done(pack)}
            if sorted(lines.split("\n")) != sorted([*there, "", ""]):
                raise _wrong("does not list the packs that are there")
        else:
            there = {graph.name for graph in file.parent.glob("*.graph")}
            named = [f"graph-{line}.graph" for line in lines.split("\n")[:-1]]
            if not lines.endswith("\n") or sorted(named) != sorted(there):
                raise _wrong("does not list the commit graphs that are there")

    def _text(self, file: Path) -> bytes:
        return self._texts.get(self._name(file)) or _short(file)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._path).as_posix()

    def _fault(self, code: Code, name: str, message: str) -> None:
        self._report.faults.append(Fault(code, Place(path=name), message))


def _opened(directory: Path) -> Iterator[PackReader]:
    """The packs that can be opened; what is wrong with the others is found file by file."""
    for index in sorted(directory.glob("*.idx")):
        with suppress(EvidenceError, FileNotFoundError):
            yield PackReader(index)


def _rank(pack: PackReader) -> tuple[int, str]:
    return pack.count, pack.name


def _is_half_done(file: Path) -> bool:
    """Whether it is half of a pack, which a crash leaves and nobody reads: git neither."""
    if file.parent.parts[-2:] != ("objects", "pack") or file.suffix not in _HALVES:
        return False
    return not file.with_suffix(_HALVES[file.suffix]).exists()


def _short(file: Path) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(_MAX_LIST + 1)
    if len(data) > _MAX_LIST:
        raise _wrong("is too large")
    return data


def _wrong(message: str) -> EvidenceError:
    return EvidenceError(message, hint="Restore the file from a clone.")
