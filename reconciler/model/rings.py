"""In which order hosts come to run a new system: ``policies/rings.yaml``, ``promotions.yaml``.

No appliance sees another's evidence. Who keeps the evidence of the fleet asks there whether a ring
has soaked (`reconciler rings`) and writes which ring is open for which revision, signed like all
else; every appliance follows at its next pull.
"""

from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from reconciler.model.acknowledgement import Moment
from reconciler.model.document import Document, Name, Text
from reconciler.model.fleet_wide import Target

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

MOST_RINGS = 16
MOST_PROMOTIONS = 1000


class Ring(Document):
    """Hosts that come to run a system together.

    Attributes:
        hosts: ``<client>/<host>``, one by one.
        tags: Or every host that has one of these tags.
        soak_h: For how many hours they must have run a system before the next ring may.
        least: How many of them must have, where not every one is waited for.
    """

    id: Name
    hosts: tuple[Target, ...] = Field(default=(), max_length=1000)
    tags: tuple[Name, ...] = Field(default=(), max_length=16)
    soak_h: int | None = Field(default=None, ge=1, le=720)
    least: int | None = Field(default=None, ge=1, le=1000)

    @property
    def named(self) -> bool:
        """Whether it says who is in it; one that does not takes everybody else."""
        return bool(self.hosts or self.tags)


class Rings(Document):
    """Every ring, in the order in which they open; the last one takes who is in no other."""

    rings: tuple[Ring, ...] = Field(default=(), max_length=MOST_RINGS)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for ring in self.rings[:-1]:
            _check_named(ring)
        for ring in self.rings[-1:]:
            if ring.named or ring.soak_h is not None or ring.least is not None:
                raise ValueError(
                    f"{ring.id} is the last ring: it takes every other host and waits for nothing, "
                    "so it has an id alone"
                )
        if len(self.rings) == 1:
            raise ValueError("one ring is no order; name one or more before it, or remove the file")
        return self


def _check_named(ring: Ring) -> None:
    if bool(ring.hosts) == bool(ring.tags):
        raise ValueError(f"{ring.id} needs hosts or tags, and not both; only the last has neither")
    if ring.soak_h is None:
        raise ValueError(f"{ring.id} needs soak_h: how long it runs before the next ring may")


class Vouched(Document):
    """An entry of a host that shows that it runs a system.

    Attributes:
        host: ``<client>/<host>``.
        seq: Number of the entry in its ledger.
        sha256: Digest of the entry's statement.
    """

    host: Target
    seq: int = Field(ge=0, le=99_999_999)
    sha256: Sha256


class Promotion(Document):
    """One ring that is open for one revision.

    Attributes:
        revision: Digest of all systems of a release.
        opened: When that was found, UTC.
        by: What showed it: for each host of the ring before, the newest entry that was read.
        reason: Why people opened it without that.
    """

    revision: Sha256
    ring: Name
    opened: Moment
    by: tuple[Vouched, ...] = Field(default=(), max_length=1000)
    reason: Text | None = None

    @model_validator(mode="after")
    def _founded(self) -> Self:
        if bool(self.by) == (self.reason is not None):
            raise ValueError("needs by, which reconciler rings writes, or a reason of people's own")
        return self


class Promotions(Document):
    """Every ring that is open for a revision, by the order in which they were opened."""

    promotions: tuple[Promotion, ...] = Field(default=(), max_length=MOST_PROMOTIONS)


@dataclass(frozen=True, slots=True)
class RingMove:
    """What evidence says of one revision that is on its way.

    Attributes:
        revision: Digest of all systems of a release.
        commit: The newest commit that has them.
        ring: The next ring; ``None`` when all are open.
        opens: Whether it may be opened now.
        why: Why not, host by host; empty when it opens, or when all are open.
        by: Who showed it.
    """

    revision: str
    commit: str
    ring: str | None
    opens: bool
    why: tuple[str, ...] = ()
    by: tuple[Vouched, ...] = ()
