"""Which rings may be opened next, by what the hosts of the rings before show.

Rule 1: The next ring of a revision opens when every host of the ring before soaked, or as many as
        that ring asks for. Who shows nothing does not count.
Rule 2: One host that failed in any ring that is open stops the rollout, whatever others show; so
        does evidence that does not verify. Both are said by name.
Rule 3: One ring at a time: who was let in a moment ago has not soaked.
Rule 4: Where a newer revision is open already, an older one is no longer moved on.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model.rings import Promotions, Ring, RingMove, Rings, Vouched
from reconciler.trust.judgement import TOLERANCE
from reconciler.trust.rings import first_shut
from reconciler.trust.soak import Stand

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Revision:
    """All systems of a release.

    Attributes:
        id: Digest of them, 64 hex digits.
        commit: The newest commit that has them.
        released: When the first of their releases was made.
        systems: Store path by ``<client>/<host>``.
    """

    id: str
    commit: str
    released: datetime
    systems: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of the hosts of a fleet, for one revision.

    Attributes:
        members: Hosts of each ring, in the order of the rings.
        stands: How each host stands with its system; a host without evidence is left out.
        unread: Hosts whose evidence does not verify.
        now: Wall time.
        recent: How long ago a host may have been looked at.
    """

    members: Sequence[Collection[str]]
    stands: Mapping[str, Stand]
    unread: Collection[str]
    now: datetime
    recent: timedelta


def next_move(rings: Rings, promotions: Promotions, revision: Revision, sight: Sight) -> RingMove:
    """What becomes of one revision.

    Args:
        rings: In their order; at least two.
        promotions: As they are.
        revision: Whose next ring is asked about.
        sight: Its hosts.
    """
    shut = first_shut(rings.rings, promotions, revision.id)
    if shut is None:
        return RingMove(revision.id, revision.commit, None, opens=False)
    ring = rings.rings[shut].id
    halts = list(_halts(sight, shut))
    before = rings.rings[shut - 1]
    showing, waits = _vouching(before, sight.members[shut - 1], revision, sight)
    wanted = before.least if before.least is not None else len(sight.members[shut - 1])
    short = not showing or len(showing) < wanted
    if not halts and not short:
        return RingMove(revision.id, revision.commit, ring, opens=True, by=tuple(showing))
    said = halts + (_short(before, len(showing), wanted) + waits if short else [])
    return RingMove(revision.id, revision.commit, ring, opens=False, why=tuple(said))


def moves(
    rings: Rings, promotions: Promotions, revisions: Sequence[tuple[Revision, Sight]]
) -> tuple[RingMove, ...]:
    """What becomes of every revision that is on its way.

    Args:
        rings: In their order.
        promotions: As they are.
        revisions: The newest first, each with its hosts.

    Returns:
        Down to the newest that is open everywhere; what is older waits for nobody.
    """
    found: list[RingMove] = []
    furthest = 0
    for revision, sight in revisions:
        shut = first_shut(rings.rings, promotions, revision.id)
        if shut is not None and shut < furthest:
            continue
        move = next_move(rings, promotions, revision, sight)
        found.append(move)
        if shut is None:
            break
        furthest = max(furthest, shut + move.opens)
    return tuple(found)


def _halts(sight: Sight, shut: int) -> Iterator[str]:
    """What stops a rollout, whatever else is shown: by the hosts of every ring that is open."""
    members = sorted({host for ring in sight.members[:shut] for host in ring})
    failed = [h for h in members if h in sight.stands and sight.stands[h].state == "failed"]
    if failed:
        yield f"halted: its activation failed on {_several(failed)}"
    unread = [host for host in members if host in sight.unread]
    if unread:
        yield f"halted: evidence does not verify: {_several(unread)}"


def _vouching(
    ring: Ring, members: Collection[str], revision: Revision, sight: Sight
) -> tuple[list[Vouched], list[str]]:
    """Who soaked, and what the others wait for."""
    showing: list[Vouched] = []
    waits: list[str] = []
    for host in sorted(members):
        why = _waits(host, ring, revision, sight)
        stand = sight.stands.get(host)
        if why is None and stand is not None and stand.reference is not None:
            entry = stand.reference
            showing.append(Vouched(host=host, seq=entry.seq, sha256=entry.digest))
        elif host not in sight.unread:
            waits.append(f"{host}: {why}")
    return showing, waits


def _waits(host: str, ring: Ring, revision: Revision, sight: Sight) -> str | None:
    """What a host waits for; ``None`` when it soaked."""
    if host not in revision.systems:
        return "the release names no system for it"
    stand = sight.stands.get(host)
    if stand is None or stand.seen is None:
        return "no evidence was given of it"
    if stand.seen > sight.now + TOLERANCE:
        return "its clock is ahead: its newest look is still to come"
    if stand.state != "soaking":
        return _STATES[stand.state]
    if sight.now - stand.seen > sight.recent:
        return f"was last looked at {_hours(sight.now - stand.seen)} ago"
    wanted = timedelta(hours=ring.soak_h or 0)
    if stand.soaked < wanted:
        return f"soaked for {_hours(stand.soaked)} of {ring.soak_h} h"
    return None


_STATES = {
    "elsewhere": "does not run it",
    "failed": "its activation failed",
    "blind": "its newest look did not see what runs",
}


def _short(ring: Ring, number: int, wanted: int) -> list[str]:
    if not wanted:
        return [f"ring {ring.id} has no host"]
    return [f"{number} of the {wanted} hosts that ring {ring.id} asks for soaked"]


def _hours(time: timedelta) -> str:
    return f"{time // timedelta(hours=1)} h {time % timedelta(hours=1) // timedelta(minutes=1)} min"


def _several(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" * bool(names[_SHOWN:]))
