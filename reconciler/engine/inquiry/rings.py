"""What signed releases and the evidence of many hosts say of rings: which may be opened next.

No appliance sees another's evidence. Whoever keeps it runs this, reads what it proposes, and signs
the change of the fleet repository; every appliance follows at its next pull.

Rule 1: Only releases that count by the trust of the commit in question are asked about, as an
        appliance would count them; two of one commit that differ name no revision.
Rule 2: A host is read back to its newest ``system`` entry, however old: it says what runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from reconciler.desired.fleet import Fleet
from reconciler.desired.trust.systems import Releases
from reconciler.engine.inquiry.fleet_evidence import Evidence, FleetEvidence, read_each
from reconciler.evidence.entry import Kind
from reconciler.evidence.record import Branch, Record
from reconciler.model.rings import Promotion, RingMove
from reconciler.trust.promotion import Revision, Sight, moves
from reconciler.trust.rings import first_shut, place_of
from reconciler.trust.soak import Stand, stand_of
from reconciler.trust.statements import revision_of

MOST_RELEASED = 64
"""Commits with releases that are looked at."""


@dataclass(frozen=True, slots=True)
class Line:
    """What releases name along a line of commits.

    Attributes:
        revisions: On their way, the newest first, down to the newest that is open everywhere.
        over: Revisions that are older than all of these: their promotions open nothing any more.
        torn: Commits whose releases differ from one another.
    """

    revisions: tuple[Revision, ...]
    over: frozenset[str]
    torn: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ahead:
    """What was found.

    Attributes:
        line: What releases name.
        evidence: Which evidence was read.
        moves: What becomes of every revision that is on its way.
    """

    line: Line
    evidence: FleetEvidence[Mapping[str, Stand]]
    moves: tuple[RingMove, ...]


def line_of(releases: Releases, fleet: Fleet) -> Line:
    """Every revision that is on its way.

    Raises:
        MirrorDamaged: An object is missing.
    """
    found: dict[str, Revision] = {}
    torn: list[str] = []
    for commit, counting in islice(releases.counting(), MOST_RELEASED):
        systems = [dict(one.release.systems) for one in counting if one.release.systems]
        named = {revision_of(each) for each in systems}
        if len(named) > 1:
            torn.append(commit)
        elif systems:
            at = min(one.release.time for one in counting if one.release.systems)
            paths = {target: system.path for target, system in systems[0].items()}
            _note(found, Revision(named.pop(), commit, at, paths))
    return _cut(tuple(found.values()), fleet, tuple(torn))


def _note(found: dict[str, Revision], one: Revision) -> None:
    newer = found.setdefault(one.id, one)
    if one.released < newer.released:
        found[one.id] = Revision(one.id, newer.commit, one.released, one.systems)


def _cut(revisions: tuple[Revision, ...], fleet: Fleet, torn: tuple[str, ...]) -> Line:
    for index, revision in enumerate(revisions):
        if first_shut(fleet.rings.rings, fleet.promotions, revision.id) is None:
            over = frozenset(one.id for one in revisions[index + 1 :])
            return Line(revisions[: index + 1], over, torn)
    return Line(revisions, frozenset(), torn)


def look_ahead(
    evidence: Evidence, fleet: Fleet, line: Line, now: datetime, *, days: int, recent: timedelta
) -> Ahead:
    """Ask the evidence of every host which rings may be opened.

    Args:
        evidence: Repositories with their branches.
        fleet: Whose rings and hosts count; it has rings.
        line: From `line_of`.
        now: Wall time.
        days: How far to look back for failures.
        recent: How long ago a host may have been looked at.

    Raises:
        InputError: Two repositories speak of one host.
    """
    since = now - timedelta(days=days)
    read = read_each(evidence, fleet, lambda branch, found: _stands(branch, found, line, since))
    members = members_of(fleet)

    def sight(revision: Revision) -> Sight:
        stands = {host: found[revision.id] for host, found in read.found.items() if found}
        return Sight(members, stands, tuple(read.unread), now, recent)

    asked = [(revision, sight(revision)) for revision in line.revisions]
    return Ahead(line, read, moves(fleet.rings, fleet.promotions, asked))


def members_of(fleet: Fleet) -> tuple[tuple[str, ...], ...]:
    """The appliances of every ring, in the order of the rings."""
    places = {
        target: place_of(fleet.rings, target, host.tags)
        for target, host in sorted(fleet.hosts.items())
        if host.kind == "nixos"
    }
    return tuple(
        tuple(target for target, place in places.items() if place == index)
        for index in range(len(fleet.rings.rings))
    )


def promotions_after(fleet: Fleet, ahead: Ahead, now: datetime) -> tuple[Promotion, ...]:
    """Every promotion as it should be from now on: what is over left out, what opens put last."""
    kept = [one for one in fleet.promotions.promotions if one.revision not in ahead.line.over]
    return (*kept, *(_promotion(move, now) for move in ahead.moves if move.opens))


def _promotion(move: RingMove, now: datetime) -> Promotion:
    return Promotion(
        revision=move.revision,
        ring=move.ring or "",
        opened=now.replace(microsecond=0),
        by=move.by,
    )


def _stands(
    branch: Branch, records: Iterator[Record], line: Line, since: datetime
) -> Mapping[str, Stand]:
    """How a host stands with its system of every revision, by revision."""
    target = f"{branch.client}/{branch.host}"
    read = list(_back_to(records, since))
    return {
        revision.id: _stand(read, revision, revision.systems.get(target))
        for revision in line.revisions
    }


def _stand(read: Sequence[Record], revision: Revision, system: str | None) -> Stand:
    if system is None:
        return Stand("elsewhere")
    return stand_of(reversed(read), system, revision.released)


def _back_to(records: Iterator[Record], since: datetime) -> Iterator[Record]:
    """Entries, newest first, back to a moment and to what says which system runs."""
    known = False
    for record in records:
        if known and record.entry.time < since:
            return
        known = known or record.entry.kind is Kind.SYSTEM
        yield record
