"""Attacks on a copy of the honest repository: put a forged history there, see what is found."""

import zlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.evidence import commit, layout, sshsig
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.source import framed
from reconciler.evidence.testimony import Saying
from reconciler.ledger.audit_cache import AuditCache
from reconciler.ledger.extra import Extra
from reconciler.ledger.file_identity import Identity, pack_files
from reconciler.ledger.verify import Verification
from tests.support.attack_book import Book
from tests.support.attack_ledger import AttackLedger, copy_of
from tests.support.forge import Parts
from tests.support.long_history import put


@dataclass
class Scene:
    """A copy of the repository, which an attacker may change.

    Attributes:
        ledger: The honest one.
        path: Where the copy lies.
        packs: What tells its packs, untouched, from others.
    """

    ledger: AttackLedger
    path: Path
    packs: dict[str, Identity] = field(default_factory=dict)

    def show(self, *books: Book) -> None:
        """Put the new objects of forged branches there, and have the references lead to them."""
        for book in books:
            for oid in set(book.objects) - set(self.ledger.desk.objects):
                put(self.path, *book.objects[oid])
            self.point(book.branch, book.names[book.branch])

    def point(self, name: str, oid: str) -> None:
        """Have a reference lead somewhere else."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        self.write(file, f"{oid}\n".encode())

    def write(self, file: Path, data: bytes) -> None:
        """Replace a file: the honest repository shares it."""
        file.unlink(missing_ok=True)
        file.write_bytes(data)

    def write_loose(self, oid: str, kind: str, raw: bytes) -> None:
        """Put a loose object under a name, fitting or not."""
        file = self.path / "objects" / oid[:2] / oid[2:]
        file.parent.mkdir(exist_ok=True)
        self.write(file, zlib.compress(framed(kind, raw), 1))

    def verify(self, *notes: str) -> Verification:
        """The whole verification; the auditor has everything, and some notes kept from before."""
        return self._verified(notes, None)

    def verify_again(self, *notes: str) -> Verification:
        """What an auditor finds who proved the honest ledger before, and looks at what is new."""
        cache = deepcopy(self.ledger.proven())
        cache.files = self.packs
        return self._verified(notes, cache)

    def _verified(self, notes: tuple[str, ...], cache: AuditCache | None) -> Verification:
        said = tuple(
            Saying(Place(path=f"kept/{number}.note"), note) for number, note in enumerate(notes)
        )
        extra = Extra(said=said, trust=self.ledger.stamps.trust(), cache=cache)
        return self.ledger.verify(self.path, extra)


def scene_of(ledger: AttackLedger, directory: Path) -> Scene:
    """A fresh copy."""
    path = copy_of(ledger, directory / "copy.git")
    return Scene(ledger, path, pack_files(path))


def named(
    result: Verification,
    code: Code,
    *,
    commit: str | None = None,
    seq: int | None = None,
    path: str | None = None,
) -> list[Fault]:
    """Faults of that name in that place; what is not given may be anything."""
    assert not result.ok
    wanted = ((commit, "commit"), (seq, "seq"), (path, "path"))
    return [
        fault
        for fault in result.faults
        if fault.code is code
        and all(value in (None, getattr(fault.place, name)) for value, name in wanted)
    ]


def codes(result: Verification) -> set[Code]:
    """Every name that was found."""
    return {fault.code for fault in result.faults}


def resigned(book: Book, oid: str, change: Callable[[bytes], bytes], key: object) -> str:
    """A commit with something else in what is signed, signed again; its object id."""
    old = commit.parse(book.read(oid)[1])
    to_sign = change(old.signed)
    return book.put(
        "commit",
        commit.with_signature(to_sign, sshsig.sign(key, to_sign, "git")),  # type: ignore[arg-type]
    )


def rebased(book: Book, oid: str, onto: str) -> bytes:
    """A commit as it was, with another parent: its signature does not fit any more."""
    raw = book.read(oid)[1]
    (parent,) = commit.parents_of(raw)
    return raw.replace(f"parent {parent}".encode(), f"parent {onto}".encode(), 1)


def by_outsider(book: Book, onto: str, oids: list[str]) -> str:
    """Honest commits put on top of another one, by somebody without any key; the new tip."""
    for oid in oids:
        onto = book.put("commit", rebased(book, oid, onto))
    return onto


def as_if_after(seq: int) -> Callable[[Book], Callable[[Parts], None]]:
    """Write on top of an older entry, as if what lies between had never been."""

    def of(book: Book) -> Callable[[Parts], None]:
        def spoil(parts: Parts) -> None:
            parts.parents = (book.commits[seq],)
            parts.base = commit.tree_of(book.read(book.commits[seq])[1])

        return spoil

    return of


def path_of(book: Book, seq: int) -> str:
    """The file of an entry."""
    return layout.entry_path(book.entries[seq])
