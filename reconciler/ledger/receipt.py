"""What the ledger hands out: proof of an append, and the result of a look at its newest part."""

from dataclasses import dataclass

from reconciler.evidence.statement import Reference


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an entry is on the disk, signed.

    Attributes:
        seq: Its sequence number.
        kind: Its kind: the executor takes only ``intent``.
        commit: Object id of its commit, 40 hex digits.
        digest: Hex SHA-256 of its statement.
        ref: Full name of its branch.
    """

    seq: int
    kind: str
    commit: str
    digest: str
    ref: str

    @property
    def reference(self) -> Reference:
        """How another entry names it."""
        return Reference(self.seq, self.digest)


@dataclass(frozen=True, slots=True)
class TailCheck:
    """What a look at the newest entries found.

    Attributes:
        ok: Whether at least one was looked at and all of them verify.
        checked: How many were looked at.
        faults: What is wrong, each with its place.
    """

    ok: bool
    checked: int
    faults: tuple[str, ...]
