"""Verify an evidence repository: audit every branch, then sweep every byte of the store.

Needs no network, no key and no settings: the repository, and who is allowed to sign.
"""

import re
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import EvidenceError, InputError, Where
from reconciler.evidence import layout, signers
from reconciler.evidence.audit import AuditReport, audit
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.record import Branch
from reconciler.evidence.signers import AllowedSigners
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.ref_files import ref_texts
from reconciler.ledger.sweep import SweepReport, sweep

_BRANCH = re.compile(r"refs/heads/([a-z0-9-]{1,63})/([a-z0-9-]{1,63})")


@dataclass(frozen=True, slots=True)
class Verification:
    """What was proven about a repository.

    Attributes:
        branches: One report per branch.
        sweep: What the files of the store look like.
        faults: Everything that is wrong, anywhere.
    """

    branches: tuple[AuditReport, ...]
    sweep: SweepReport
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        """Whether there is at least one branch, and everything verifies."""
        return (
            bool(self.branches) and all(report.ok for report in self.branches) and not self.faults
        )

    @property
    def sentence(self) -> str:
        """What was proven, in one line."""
        if self.ok:
            return "; ".join(report.sentence for report in self.branches)
        first = str(self.faults[0]) if self.faults else "it holds no ledger"
        count = f"{len(self.faults):,} fault{'s' * (len(self.faults) != 1)}"
        return f"does NOT verify, {count}, first: {first}"


def load_signers(path: Path) -> AllowedSigners:
    """Read an allowed signers file.

    Raises:
        InputError: It cannot be read, is too large, or a line of it is not allowed.
    """
    try:
        with path.open("rb") as file:
            data = file.read(signers.MAX_BYTES + 1)
    except OSError as error:
        hint = "Give the file that lists who may sign: --signers FILE."
        message = f"cannot be read: {error.strerror}"
        raise InputError(message, hint=hint, where=Where(str(path))) from error
    return signers.parse(data, str(path))


def verify(
    path: Path, allowed: AllowedSigners, *, branches: Set[tuple[str, str]] | None = None
) -> Verification:
    """Verify an evidence repository offline.

    Args:
        path: The repository, bare or with a work tree (which is not looked at).
        allowed: Who may sign.
        branches: Client and host of each branch that must be there; every other reference is
            then a fault. If not given: every branch that has the form of an appliance's.

    Raises:
        LedgerMissing: There is no repository.
    """
    directory = repository_directory(path)
    seen: set[bytes] = set()
    store = ObjectStore(directory, seen)
    try:
        # Before the audit: entries that are appended meanwhile are no fault.
        texts = ref_texts(directory)
        names = frozenset(store.refs())
    except (EvidenceError, OSError) as error:
        return _unreadable(directory, error)
    wanted = sorted(branches if branches is not None else _found(names))
    refs = frozenset(layout.ref_name(*place) for place in wanted)
    reports = tuple(audit(store, Branch(*place, allowed), other_refs=refs) for place in wanted)
    swept = sweep(directory, store, seen, names, texts)
    return Verification(reports, swept, _together(reports, swept))


def _found(names: Set[str]) -> list[tuple[str, str]]:
    matches = filter(None, map(_BRANCH.fullmatch, names))
    return [(match[1], match[2]) for match in matches]


def _together(reports: tuple[AuditReport, ...], swept: SweepReport) -> tuple[Fault, ...]:
    if not reports:
        none = Fault(Code.NO_LEDGER, Place(path="refs/heads"), "there is no appliance's branch")
        return (none, *swept.faults)
    # The same unknown reference is a fault of every branch: name it once.
    faults = dict.fromkeys(fault for report in reports for fault in report.faults)
    return (*faults, *swept.faults)


def _unreadable(directory: Path, error: Exception) -> Verification:
    swept = sweep(directory, None, frozenset(), frozenset(), {})
    message = f"references cannot be read: {error}"
    fault = Fault(Code.UNKNOWN_REF, Place(path="refs"), message)
    return Verification((), swept, (fault, *swept.faults))
