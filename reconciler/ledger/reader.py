"""Reading a ledger without its signing key, for people and tools that only look."""

from collections.abc import Iterator
from pathlib import Path

from reconciler.errors import LedgerDamaged, LedgerMissing
from reconciler.evidence.history import history
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.signers import AllowedSigners
from reconciler.ledger.objects import ObjectStore, open_repository


def newest_first(path: Path, client: str, host: str, signers: AllowedSigners) -> Iterator[Record]:
    """Proven entries of one appliance, newest first.

    Raises:
        LedgerMissing: There is no repository, or no branch of this appliance in it.
        LedgerDamaged: An entry does not verify; what came before it was proven.
    """
    branch = Branch(client, host, signers)
    store = ObjectStore(open_repository(path))
    tip = store.ref(branch.ref)
    if tip is None:
        raise LedgerMissing(
            f"no branch {branch.ref} in {path}",
            hint="Name the evidence repository of this appliance in the settings.",
        )
    for step in history(store, branch, tip):
        if step.faults or step.record is None:
            raise LedgerDamaged(
                f"{path} does not verify: {'; '.join(map(str, step.faults))}",
                hint="Run: reconciler verify REPOSITORY --signers FILE",
            )
        yield step.record
