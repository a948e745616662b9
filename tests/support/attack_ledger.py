"""An honest evidence repository with everything in it, for attacks on it.

Two appliances of one client and a witness, eight days of a run every five minutes, of which most
found what the run before found: more than 2,000 runs. It is made once and packed in parts.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.evidence.note import cosign, read_checkpoint
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.statement import Kind
from reconciler.ledger.audit_cache import AuditCache
from reconciler.ledger.extra import Extra
from reconciler.ledger.packing.placing import partial_pack, place_pack
from reconciler.ledger.packing.select import added
from reconciler.ledger.packing.writer import write_pack
from reconciler.ledger.repository import create_repository
from reconciler.ledger.verify import Verification, verify
from tests.support.attack_book import (
    MINUTE_MS,
    Book,
    Script,
    Step,
    annotate,
    asked,
    begin,
    checkpoint,
    conclude,
    copied,
    gap,
    handed_over,
    heartbeat,
    intend,
    look,
    quiet,
    refuse,
    rotate,
    seal,
    switched,
)
from tests.support.attack_stamps import Stamps
from tests.support.evidence_keys import test_key
from tests.support.forge import allowed, signer_line
from tests.support.long_history import put

START = datetime(2025, 3, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
TICKS = 2105
OLD, NEW = test_key("smile/desk"), test_key("smile/desk second")
XRAY, HUB = test_key("smile/xray"), test_key("witness/hub")
REVOKED = "revoked"
"""A key of the desk that was taken back before it signed anything that counts."""

_HOUR = 12
_DAY = 288
_AWAY = range(900, 937)
_SEALED = range(1400, 1411)
_NEWEST = (400, 60)


@dataclass(repr=False)
class AttackLedger:
    """The repository, and all that is needed to forge it.

    Attributes:
        path: Where it lies.
        signers: Who may sign.
        desk: The appliance that is attacked.
        xray: Another appliance of the same client.
        hub: The witness of both.
        script: How the desk's ledger was written.
        stamps: Independent times.
        cache: What an audit of it proved.
    """

    path: Path
    signers: AllowedSigners
    desk: Book
    xray: Book
    hub: Book
    script: Script
    stamps: Stamps
    cache: AuditCache | None = None

    def proven(self) -> AuditCache:
        """What an audit of the honest ledger leaves for the next one."""
        if self.cache is None:
            self.cache = AuditCache(self.path.with_name("cache"), "of these signers")
            extra = Extra(trust=self.stamps.trust(), cache=self.cache)
            assert self.verify(extra=extra).ok
        return self.cache

    def verify(self, path: Path | None = None, extra: Extra | None = None) -> Verification:
        """The whole verification, with everything that an auditor can bring."""
        brought = extra or Extra(trust=self.stamps.trust())
        return verify(path or self.path, self.signers, extra=brought)

    def first(self, kind: Kind, after: int = 0) -> int:
        """Number of the first entry of a kind on the desk."""
        entries = self.desk.entries[after:]
        return next(entry.seq for entry in entries if entry.kind is kind)


def script(stamps: Stamps, ticks: int = TICKS) -> Script:
    """Every kind of entry, and quiet runs between them; one entry a step."""
    special = _special(stamps)
    made: list[tuple[datetime, Step]] = [(START - STEP, begin)]
    for tick in range(ticks):
        at = START + tick * STEP
        if tick in _AWAY or tick in _SEALED:
            continue
        if tick % _HOUR == 0 and tick > 0:
            made.append((at - timedelta(seconds=1), checkpoint))
        usual = [look()] if tick % _DAY == 0 else [quiet]
        for number, step in enumerate(special.get(tick, usual)):
            made.append((at + timedelta(seconds=number), step))
    return made


def _special(stamps: Stamps) -> dict[int, list[Step]]:
    return {
        400: [heartbeat],
        500: [look("backup-fresh"), intend, conclude("healed"), look()],
        620: [look("sshd-hardened"), intend],
        621: [look("sshd-hardened")],
        622: [conclude("interrupted"), look()],
        700: [refuse, quiet],
        937: [gap, look()],
        1100: [rotate(NEW), quiet],
        1300: [annotate(500), quiet],
        1411: [seal([5 * MINUTE_MS] * (len(_SEALED) + 1))],
        1500: [copied, quiet],
        1600: [stamps.dated, quiet],
        1601: [stamps.submitted, quiet],
        1700: [stamps.upgraded, quiet],
        1800: [asked, handed_over, switched, quiet],
    }


def cosigned(of: Book, seq: int) -> Step:
    """The witness vouches for a checkpoint."""

    def write(book: Book) -> str:
        note = of.note_of(seq)
        claimed, at = read_checkpoint(note), int(book.at.timestamp())
        body = {
            "note": cosign(note, f"witness/{book.host}", book.key, at),
            "origin": claimed.origin,
            "root": claimed.root.hex(),
            "size": claimed.size,
            "time": at,
        }
        return book.append(Kind.COSIGNATURE, body)

    return write


def witness_script(*books: Book, every: int = 12) -> Script:
    """Some checkpoints of each log, and the newest of each, as they came."""
    chosen = [
        (book.entries[seq].time + timedelta(seconds=number + 1), cosigned(book, seq))
        for number, book in enumerate(books)
        for seq in sorted({*book.checkpoints[::every], book.checkpoints[-1]})
    ]
    return [(START - STEP, begin), *sorted(chosen, key=lambda one: one[0])]


def make(directory: Path) -> AttackLedger:
    """Write it, pack it, and say who may sign."""
    stamps = Stamps(directory / "stamps")
    written = script(stamps)
    desk = Book("smile", "desk", OLD).play(written)
    xray = Book("smile", "xray", XRAY, desk.objects, desk.names)
    xray.play([(START, begin), *quiet_script(START + STEP, 110)])
    hub = Book("witness", "hub", HUB, desk.objects, desk.names).play(witness_script(desk, xray))
    signers_file = directory / "allowed_signers"
    signers_file.write_text("".join(lines(desk)))
    path = directory / "smile.git"
    store(path, desk, (xray, hub), signers_file)
    return AttackLedger(path, allowed(*lines(desk)), desk, xray, hub, written, stamps)


def quiet_script(at: datetime, ticks: int) -> Iterator[tuple[datetime, Step]]:
    """A run with findings, quiet ones after it, and a checkpoint every hour."""
    for tick in range(ticks):
        if tick % _HOUR == 0 and tick > 0:
            yield at + tick * STEP - timedelta(seconds=1), checkpoint
        yield at + tick * STEP, quiet if tick else look()


def lines(desk: Book) -> list[str]:
    """The allowed signers file: each key of the desk bound to the entries that it signed."""
    last = max(seq for seq, key in enumerate(desk.keys) if key is OLD)
    return [
        bound("smile/desk", OLD, 0, last),
        bound("smile/desk", NEW, last + 1),
        bound("smile/desk", test_key(REVOKED), 0, 99),
        signer_line("smile/xray", XRAY),
        signer_line("witness/hub", HUB),
    ]


def bound(principal: str, key: object, first: int, last: int | None = None) -> str:
    """A line whose key is bound to positions."""
    line = signer_line(principal, key).rstrip("\n")  # type: ignore[arg-type]
    return f"{line} ledger:{first}-{'' if last is None else last}\n"


def store(
    path: Path,
    desk: Book,
    others: tuple[Book, ...],
    signers_file: Path,
    newest: tuple[int, int] = _NEWEST,
) -> None:
    """Write a repository: old entries in packs, the newest loose, some references packed.

    Args:
        path: Where.
        desk: The appliance whose newest entries are loose.
        others: Branches whose newest entry is loose.
        signers_file: What stock git is told to use.
        newest: So many entries of the desk are not in the first pack, and not in the second.
    """
    create_repository(path, desk.client, desk.host, signers_file)
    packed: set[bytes] = set()
    size = len(desk.commits)
    front, middle = (max(size - one, 0) for one in newest)
    spans = [(desk, 0, front), (desk, front, middle), *((book, 0, -1) for book in others)]
    for book, first, last in spans:
        if book.commits[first:last]:
            packed |= _pack(path, book, first, last)
    for oid, (kind, raw) in desk.objects.items():
        if bytes.fromhex(oid) not in packed:
            put(path, kind, raw)
    tips = {book.branch: book.commits[-1] for book in others}
    listed = "".join(f"{tips[name]} {name}\n" for name in sorted(tips))
    head = "# pack-refs with: peeled fully-peeled sorted \n"
    (path / "packed-refs").write_text(head + listed)
    (path / desk.branch).parent.mkdir(parents=True, exist_ok=True)
    (path / desk.branch).write_text(f"{desk.commits[-1]}\n")


def _pack(path: Path, book: Book, first: int, last: int) -> set[bytes]:
    old = book.commits[first - 1] if first else None
    with partial_pack(path / "objects/pack") as file:
        packed = write_pack(added(book, book.commits[last - 1], old), file)
        place_pack(file, packed)
    return {place[:20] for place in packed.places}


def copy_of(ledger: AttackLedger, path: Path) -> Path:
    """A copy that costs next to nothing: whoever changes a file of it must replace the file."""
    link: Callable[[str, str], object] = lambda old, new: Path(new).hardlink_to(old)  # noqa: E731
    shutil.copytree(ledger.path, path, copy_function=link)
    return path
