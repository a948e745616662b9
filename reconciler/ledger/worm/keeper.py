"""Copy what is new of a ledger: bundles into the store, and what to record of them.

The caller appends the body as a ``copy`` entry. A crash between the two leaves objects that no
entry records; the next copy makes the same bundle again and finds it stored.
"""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from reconciler.errors import EvidenceError
from reconciler.evidence.entry import FIRST_SEQ
from reconciler.ledger.durable import on_disk
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.packing.bundle import write_bundle
from reconciler.ledger.packing.select import links
from reconciler.ledger.worm import bundles
from reconciler.ledger.worm.body import Body, make_body
from reconciler.ledger.worm.bundles import Span
from reconciler.ledger.worm.nouns import MAX_OBJECT, Stored
from reconciler.ledger.worm.retention import retain_until
from reconciler.ledger.worm.store import WormStore

MOST_ENTRIES = 10_000
"""In one bundle; about 17 MB of entries with a file each."""

Point = tuple[int, str]
"""Sequence number of an entry, and its commit."""


def copy_new(
    repository: Path,
    ref: str,
    last_copied: Point | None,
    tip: Point,
    store: WormStore,
    now: datetime,
) -> Body | None:
    """Store the entries after the last copied one, up to the newest.

    Args:
        repository: The ledger.
        ref: Its branch.
        last_copied: The newest entry that the last ``copy`` entry covers, None if there is none.
        tip: The newest entry.
        store: Where to.
        now: Wall time, timezone-aware; the time of retention counts from it.

    Returns:
        The body of a ``copy`` entry; None if there is nothing new.

    Raises:
        EvidenceError: The ledger does not continue what was copied, or the store holds something
            else or does not lock what is given to it.
        MachineError: The store refused, or did not answer in time.
    """
    first = FIRST_SEQ if last_copied is None else last_copied[0] + 1
    if first > tip[0]:
        return None
    store.check()
    line = _line(repository, last_copied, tip, tip[0] - first + 1)
    copier = _Copier(store, repository, ref, first, line)
    until = retain_until(now, years=store.settings.years)
    objects = copier.copy((first, tip[0]), until)
    return make_body(store.settings, objects, (first, tip[0]))


def _line(repository: Path, last_copied: Point | None, tip: Point, count: int) -> "_Line":
    source = ObjectStore(repository_directory(repository))
    found = tuple(link.oid for link in islice(links(source, tip[1]), count + 1))
    base = found[count] if len(found) > count else None
    if len(found) < count or base != (None if last_copied is None else last_copied[1]):
        after = "no entry" if last_copied is None else f"entry {last_copied[0]}, {last_copied[1]}"
        message = f"as entry {tip[0]}, {tip[1]} does not continue what was copied, {after}"
        hint = "If history was changed after the copy, the copy is the proof: keep both."
        raise EvidenceError(message, hint=hint)
    return _Line(base, found[count - 1 :: -1])


@dataclass(frozen=True, slots=True)
class _Line:
    """New commits, oldest first, and the one that the first of them builds on."""

    base: str | None
    commits: tuple[str, ...]

    def before(self, index: int) -> str | None:
        return self.commits[index - 1] if index else self.base


class _Copier:
    """Copies spans of one branch."""

    def __init__(
        self,
        store: WormStore,
        repository: Path,
        ref: str,
        first: int,
        line: _Line,
    ) -> None:
        self._store = store
        self._repository = repository
        self._ref = ref
        self._place = bundles.folder(store.settings.prefix, *bundles.owner(ref))
        self._first = first
        self._line = line

    def copy(self, span: Span, until: datetime) -> list[Stored]:
        """Store a span in as many objects as it needs, the oldest entries first."""
        objects: list[Stored] = []
        first, last = span
        while first <= last:
            end = self._end(first, last)
            objects += self._part((first, end), until)
            first = end + 1
        return objects

    def _end(self, first: int, last: int) -> int:
        """Where a bundle ends: where one ends that a copy which was cut off left, if it did.

        The same entries are the same bytes, so that one is then found stored, and recorded.
        """
        most = min(last, first + MOST_ENTRIES - 1)
        versions = self._store.versions(f"{self._place}{first:08d}-")
        keys = (version.key for version in versions if not version.marker)
        named = filter(None, (bundles.parse_key(self._place, key) for key in keys))
        return max((bundle.last for bundle in named if bundle.last <= most), default=most)

    def _part(self, span: Span, until: datetime) -> list[Stored]:
        first, last = span
        data = self._bundle(first - self._first, last - self._first)
        if len(data) <= MAX_OBJECT or first == last:
            return [self._store.put(bundles.key_of(self._place, span, data), data, until)]
        middle = (first + last) // 2
        return [*self._part((first, middle), until), *self._part((middle + 1, last), until)]

    def _bundle(self, first: int, last: int) -> bytes:
        old, new = self._line.before(first), self._line.commits[last]
        with on_disk(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory() as scratch:
            target = Path(scratch) / "new.bundle"
            write_bundle(self._repository, self._ref, old, new, target)
            return target.read_bytes()
