"""Rings: which hosts may run a revision already, and which wait until others have.

Rule 1: A host is in the last ring unless one before it names it; where two do, the later counts.
Rule 2: The first ring is always open. Any other is open for a revision when a promotion says so of
        it and of every ring between: one that was skipped opens nothing behind it.
Rule 3: Without rings everybody may run everything that is trusted.
"""

from collections.abc import Collection, Sequence

from reconciler.model.desired import DesiredState
from reconciler.model.rings import Promotions, Ring, Rings


def may_run(desired: DesiredState, revision: str) -> str | None:
    """Why a host may not run the systems of a revision yet; ``None`` when it may.

    Args:
        desired: In force, of this host.
        revision: Digest of all systems of a release.
    """
    rings = desired.rings.rings
    if not rings:
        return None
    mine = place_of(desired.rings, desired.target, desired.host.tags)
    shut = first_shut(rings, desired.promotions, revision)
    if shut is None or mine < shut:
        return None
    if mine == shut:
        return f"ring {rings[mine].id} is not open for it"
    return f"ring {rings[mine].id} is not open for it, nor is ring {rings[shut].id} before it"


def place_of(rings: Rings, target: str, tags: Collection[str]) -> int:
    """Index of a host's ring; of a fleet that has rings.

    Args:
        rings: In their order.
        target: ``<client>/<host>``.
        tags: Of the host.
    """
    return max(places_of(rings, target, tags), default=len(rings.rings) - 1)


def places_of(rings: Rings, target: str, tags: Collection[str]) -> tuple[int, ...]:
    """Index of every ring that names a host; more than one is a mistake of people."""
    return tuple(
        index
        for index, ring in enumerate(rings.rings)
        if target in ring.hosts or not set(tags).isdisjoint(ring.tags)
    )


def first_shut(rings: Sequence[Ring], promotions: Promotions, revision: str) -> int | None:
    """Index of the first ring that is not open for a revision; ``None`` when all are."""
    opened = {one.ring for one in promotions.promotions if one.revision == revision}
    shut = (index for index, ring in enumerate(rings) if index > 0 and ring.id not in opened)
    return next(shut, None)
