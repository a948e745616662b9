"""Make a ledger whole again from nothing but the bundles in a store.

What comes out is proven by ``reconciler verify``, not here: this proves that every byte used is
what its name says and that no entry between the first and the last is missing.

Rule 1: The first version of a key counts; what was laid on top of it is a finding.
Rule 2: A bundle that does not follow from the ones before it is left out, and is a finding.
Rule 3: A hole is a finding; what lies before it is rebuilt, what lies behind it cannot be.
"""

import hashlib
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import EvidenceError
from reconciler.evidence import layout
from reconciler.evidence.entry import FIRST_SEQ
from reconciler.ledger.durable import on_disk
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.packing.bundle import read_bundle
from reconciler.ledger.packing.select import links
from reconciler.ledger.packing.unpack import unpack_bundle
from reconciler.ledger.worm import bundles
from reconciler.ledger.worm.bundles import Bundle
from reconciler.ledger.worm.nouns import MAX_OBJECT, Finding, Problem, Version
from reconciler.ledger.worm.store import WormStore

_HINT = "Use another copy, or leave the named object out; then run reconciler verify."


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was made.

    Attributes:
        last: Sequence number of its newest entry.
        tip: Commit of that entry.
        keys: The objects that it was made from, in order.
        findings: What is wrong with the rest.
    """

    last: int
    tip: str
    keys: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether it was made from everything that the store holds of this ledger."""
        return not self.findings


def rebuild(
    store: WormStore,
    client: str,
    host: str,
    directory: Path,
    *,
    without: Collection[str] = (),
) -> Rebuilt:
    """Rebuild a repository from all bundles of one appliance.

    Args:
        store: The bucket, with a credential that may read.
        client: Whose ledger.
        host: Of which appliance.
        directory: Where to make it; nothing may be there.
        without: Keys to leave out: those that ``reconciler verify`` showed to be forged.

    Raises:
        EvidenceError: There is no bundle to begin with, or what they hold does not fit together.
        MachineError: The store does not answer, or the disk is full.
    """
    place = bundles.folder(store.settings.prefix, client, host)
    fetch = _Fetch(store, layout.ref_name(client, host), store.versions(place), without)
    candidates = fetch.candidates(place)
    with on_disk(directory), tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        used = fetch.chain(candidates, Path(scratch))
        if not used:
            message = f"no bundle below {place} begins the ledger of {client}/{host}"
            raise EvidenceError(message, hint="See the prefix, the client and the host.")
        try:
            unpack_bundle([path for _, path in used], directory)
        except EvidenceError as error:
            raise EvidenceError(error.message, hint=_HINT) from error
    last = used[-1][0].last
    _check_count(directory, fetch.tip, last)
    fetch.findings += _holes(candidates, last)
    return Rebuilt(last, fetch.tip, tuple(bundle.key for bundle, _ in used), tuple(fetch.findings))


def _check_count(directory: Path, tip: str, last: int) -> None:
    """One commit is one entry: the names must not say more, or less, than the bundles hold."""
    held = sum(1 for _ in links(ObjectStore(directory), tip))
    if held != last - FIRST_SEQ + 1:
        message = f"the bundles hold {held:,} entries, and their names say {last - FIRST_SEQ + 1:,}"
        raise EvidenceError(message, hint=_HINT)


class _Fetch:
    """Reads bundles of one branch, and remembers what was wrong."""

    def __init__(
        self, store: WormStore, ref: str, listed: Sequence[Version], without: Collection[str]
    ) -> None:
        self._store = store
        self._ref = ref
        self._without = without
        self._versions: dict[str, list[Version]] = {}
        self.tip = ""
        self.findings: list[Finding] = []
        for version in listed:
            self._versions.setdefault(version.key, []).append(version)

    def candidates(self, place: str) -> list[Bundle]:
        """Whatever has the name of a bundle, the oldest object first."""
        found: list[tuple[Version, Bundle]] = []
        for key, versions in self._versions.items():
            held = [version for version in versions if not version.marker]
            bundle = bundles.parse_key(place, key)
            if bundle is None:
                self._wrong(Problem.NAME, key, None, "it is not the name of a bundle")
            elif held and key not in self._without:
                found.append((held[-1], bundle))
            self._laid_on_top(versions, held)
        found.sort(key=lambda pair: (pair[0].modified, pair[1].key))
        return [bundle for _, bundle in found]

    def chain(self, candidates: Sequence[Bundle], scratch: Path) -> list[tuple[Bundle, Path]]:
        """Fetch a chain of bundles into files; what does not fit is replaced by what does."""
        left, used = list(candidates), list[tuple[Bundle, Path]]()
        while len(wanted := bundles.chain(left)) > len(used):
            bundle = wanted[len(used)]
            path = scratch / bundle.key.rpartition("/")[2]
            if not self._fits(bundle, path):
                left.remove(bundle)
                continue
            used.append((bundle, path))
            # What was used stays: from here on only what follows it can be chosen.
            left = [b for b in left if b is bundle or not bundle.first <= b.first <= bundle.last]
        return used

    def _fits(self, bundle: Bundle, path: Path) -> bool:
        """Fetch a bundle into a file, if it is what its name says and follows the last one."""
        first = [version for version in self._versions[bundle.key] if not version.marker][-1]
        try:
            path.write_bytes(self._content(bundle, first))
            header = read_bundle(path)
            needed = (self.tip,) if self.tip else ()
            if header.prerequisites != needed or set(header.references) != {self._ref}:
                raise EvidenceError("it does not follow from the bundles before it", hint=_HINT)
        except EvidenceError as error:
            self._wrong(Problem.CONTENT, bundle.key, first.version_id, error.message)
            return False
        self.tip = header.references[self._ref]
        return True

    def _content(self, bundle: Bundle, version: Version) -> bytes:
        if version.size > MAX_OBJECT:
            raise EvidenceError(f"it has {version.size:,} bytes", hint=_HINT)
        data = self._store.read(bundle.key, version.version_id, version.size)
        digest = hashlib.sha256(data).hexdigest()
        if not digest.startswith(bundle.sha256):
            raise EvidenceError(f"its SHA-256 is {digest}, not what its name says", hint=_HINT)
        return data

    def _laid_on_top(self, versions: Sequence[Version], held: Sequence[Version]) -> None:
        for version in versions:
            if version.marker:
                message = "a delete marker was laid on it"
                self._wrong(Problem.DELETED, version.key, version.version_id, message)
        for version in held[:-1]:
            message = f"it was written over {held[-1].version_id}"
            self._wrong(Problem.OVERWRITTEN, version.key, version.version_id, message)

    def _wrong(self, problem: Problem, key: str, version_id: str | None, message: str) -> None:
        self.findings.append(Finding(problem, key, version_id, message))


def _holes(candidates: Sequence[Bundle], last: int) -> Iterator[Finding]:
    """What no bundle holds, and what cannot be reached for that (Rule 3)."""
    for first, end in bundles.holes((bundle.first, bundle.last) for bundle in candidates):
        yield Finding(Problem.HOLE, "", None, f"no bundle holds entries {first} to {end}")
    beyond = max((bundle.last for bundle in candidates), default=last)
    if beyond > last:
        message = f"entries {last + 1} to {beyond} are not rebuilt: what leads to them is not there"
        yield Finding(Problem.HOLE, "", None, message)
