"""Which keys the branches of an evidence repository know and have used."""

import re
from pathlib import Path

from reconciler.evidence import layout
from reconciler.evidence.history import history
from reconciler.evidence.key_use import BranchKeys, uses_of
from reconciler.evidence.record import Branch
from reconciler.evidence.signers import AllowedSigners
from reconciler.ledger.objects import ObjectStore, repository_directory

_BRANCH = re.compile(r"refs/heads/([a-z0-9-]{1,63})/([a-z0-9-]{1,63})")


def keys_of(path: Path, signers: AllowedSigners) -> dict[str, BranchKeys]:
    """Look through every branch of a repository.

    Args:
        path: The repository.
        signers: Who may sign; only the count of faults depends on it.

    Returns:
        Principal (``<client>/<host>``) to the keys of its branch.

    Raises:
        LedgerMissing: There is no repository.
        EvidenceError: Its references cannot be read.
    """
    store = ObjectStore(repository_directory(path))
    found: dict[str, BranchKeys] = {}
    for name, tip in sorted(store.refs().items()):
        place = _BRANCH.fullmatch(name)
        if place is not None:
            branch = Branch(place[1], place[2], signers)
            found[layout.principal(*place.groups())] = uses_of(history(store, branch, tip))
    return found
