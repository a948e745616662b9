"""Which entries of which branches a kit holds: all from the first, up to the end of the period.

A witness's own ledger speaks of every log that it looks at. It belongs into a kit only if it speaks
of none but those in it, because the names of other clinics are nobody's business there; what it
cosigned of the logs in the kit goes along as notes, which stand alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import EvidenceError, InputError
from reconciler.evidence import layout
from reconciler.evidence.entry import Kind
from reconciler.evidence.note import read_checkpoint
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.testimony import WITNESS, Saying, sayings
from reconciler.ledger.kit.nouns import End, Wanted
from reconciler.ledger.reader import newest_first


@dataclass(frozen=True, slots=True)
class Cut:
    """What goes into a kit.

    Attributes:
        ends: Each branch with its newest entry; appliances first, then witnesses, by name.
        late: Appliances without an entry up to the end of the period.
        apart: Witnesses whose ledgers speak of other logs, too, and stay out.
        notes: Cosigned notes of the logs in the kit that its branches do not hold.
    """

    ends: tuple[End, ...]
    late: tuple[str, ...]
    apart: tuple[str, ...]
    notes: tuple[Saying, ...]

    @property
    def appliances(self) -> tuple[End, ...]:
        """The branches of appliances."""
        return tuple(end for end in self.ends if end.client != WITNESS)


def cut(wanted: Wanted, places: Iterable[tuple[str, str]], signers: AllowedSigners) -> Cut:
    """Decide what goes into a kit.

    Args:
        wanted: What is asked for.
        places: Client and host of every branch of the repository.
        signers: Who may sign.

    Raises:
        InputError: No appliance that was asked for has an entry up to the end of the period.
        LedgerDamaged: An entry does not verify.
    """
    known = sorted(places)
    chosen = [place for place in known if _chosen(wanted, *place)]
    found = {place: _newest(wanted, *place, signers) for place in chosen}
    ends = [End(*place, record) for place, record in found.items() if record is not None]
    if not ends:
        raise _nothing(wanted, known)
    sizes = {layout.origin(end.client, end.host): end.newest.entry.seq + 1 for end in ends}
    witnesses, apart, notes = [], [], list(_of(sizes, wanted.extra.said))
    for place in known:
        if place[0] != WITNESS:
            continue
        ledger = _Ledger(sizes)
        for record in _up_to(wanted, *place, signers):
            ledger.add(record)
        if ledger.newest is not None and not ledger.strangers:
            witnesses.append(End(*place, ledger.newest))
            continue
        notes += ledger.notes.values()
        apart.append("/".join(place))
    return Cut(
        ends=(*ends, *witnesses),
        late=tuple("/".join(place) for place, record in found.items() if record is None),
        apart=tuple(apart),
        notes=tuple(notes),
    )


def _chosen(wanted: Wanted, client: str, host: str) -> bool:
    if client == WITNESS:
        return False
    return wanted.client in {None, client} and wanted.host in {None, host}


def _up_to(wanted: Wanted, client: str, host: str, signers: AllowedSigners) -> Iterator[Record]:
    """Entries up to the end of the period, newest first."""
    for record in newest_first(wanted.repository, client, host, signers):
        if record.entry.recorded_at <= wanted.period.end:
            yield record


def _newest(wanted: Wanted, client: str, host: str, signers: AllowedSigners) -> Record | None:
    return next(_up_to(wanted, client, host, signers), None)


class _Ledger:
    """A witness's ledger, newest entry first.

    Attributes:
        newest: The newest entry before it vouches for more than a kit holds of a log: its clock
            may be behind, and then it saw in the period, by its own time, what came after it.
        strangers: Whether it speaks of logs that are not in the kit.
        notes: What it vouched for last of each log in the kit.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = sizes
        self.newest: Record | None = None
        self.strangers = False
        self.notes: dict[str, Saying] = {}

    def add(self, record: Record) -> None:
        """Take in the next older entry."""
        self.strangers = self.strangers or any(name not in self._sizes for name in _named(record))
        self.newest = self.newest or record
        for saying in sayings([record]):
            if not any(_of(self._sizes, [saying])):
                self.newest = None
            else:
                note = Saying(saying.place, saying.note)
                self.notes.setdefault(str(record.entry.body.get("origin")), note)


def _named(record: Record) -> Iterator[str]:
    """The logs that an entry of a witness speaks of."""
    body = record.entry.body
    if record.entry.kind in {Kind.COSIGNATURE, Kind.REFUSAL}:
        yield str(body.get("origin"))
    memory = body.get("memory")
    for part in ("seen", "objections"):
        logs = memory.get(part) if isinstance(memory, Mapping) else None
        yield from map(str, logs) if isinstance(logs, Mapping) else ()


def _of(sizes: Mapping[str, int], said: Iterable[Saying]) -> Iterator[Saying]:
    """Notes about a log in the kit, as far as the kit has it."""
    for saying in said:
        try:
            claimed = read_checkpoint(saying.note)
        except EvidenceError:
            # The verification of the repository names it.
            continue
        if claimed.size <= sizes.get(claimed.origin, -1):
            yield Saying(saying.place, saying.note)


def _nothing(wanted: Wanted, known: Sequence[tuple[str, str]]) -> InputError:
    names = ", ".join("/".join(place) for place in known[:10] if place[0] != WITNESS) or "none"
    message = f"no appliance that was asked for has an entry up to {wanted.period.end}"
    return InputError(message, hint=f"The repository has branches of: {names}.")


def branch_of(end: End, signers: AllowedSigners) -> Branch:
    """The branch of an end, as readers want it."""
    return Branch(end.client, end.host, signers)
