"""Verify an evidence repository: audit every branch, hear the witnesses, weigh the anchors, sweep.

Needs no network, no key and no settings: the repository, and who is allowed to sign. What else an
auditor can bring (roots of time stamping authorities, Bitcoin headers, a checkpoint seen earlier)
proves more; what is not brought is said to be unproven, never taken for granted.
"""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import EvidenceError, InputError, Where
from reconciler.evidence import signers
from reconciler.evidence.audit import AuditReport
from reconciler.evidence.claims import Claim, State
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.record import Branch
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.testimony import Testimony
from reconciler.ledger.anchored import Anchored
from reconciler.ledger.extra import Extra, Known
from reconciler.ledger.file_identity import pack_files
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.ref_files import ref_texts
from reconciler.ledger.sweep import sweep
from reconciler.ledger.sweep_report import SweepReport
from reconciler.ledger.verification import Work

__all__ = ["Extra", "Known", "Verification", "load_signers", "verify"]

_BRANCH = re.compile(r"refs/heads/([a-z0-9-]{1,63})/([a-z0-9-]{1,63})")
_TRACKED = re.compile(r"refs/remotes/[^/]+/([a-z0-9-]{1,63}/[a-z0-9-]{1,63})")


@dataclass(frozen=True, slots=True)
class Verification:
    """What was proven about a repository.

    Attributes:
        branches: One report per branch.
        testimonies: What is said of each appliance's log, by branch.
        anchored: The anchors of each appliance's log, by branch.
        claims: What is proven and what is not, branch by branch.
        earlier: How many entries were proven by an earlier audit and not read again.
        sweep: What the files of the store look like.
        faults: Everything that is wrong, anywhere.
    """

    branches: tuple[AuditReport, ...]
    testimonies: Mapping[str, Testimony]
    anchored: Mapping[str, Anchored]
    claims: tuple[Claim, ...]
    earlier: int
    sweep: SweepReport
    faults: tuple[Fault, ...]

    @property
    def unproven(self) -> tuple[Claim, ...]:
        """What is not proven, and what is false."""
        return tuple(claim for claim in self.claims if claim.state is not State.PROVEN)

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
    path: Path,
    allowed: AllowedSigners,
    *,
    branches: Set[tuple[str, str]] | None = None,
    extra: Extra | None = None,
) -> Verification:
    """Verify an evidence repository offline.

    Args:
        path: The repository, bare or with a work tree (which is not looked at).
        allowed: Who may sign.
        branches: Client and host of each branch that must be there; every other reference is
            then a fault. If not given: every branch that has the form of an appliance's.
        extra: What proves more, and how the work is done.

    Raises:
        LedgerMissing: There is no repository.
        MachineError: A process of the audit ended early.
    """
    directory = repository_directory(path)
    seen: set[bytes] = set()
    store = ObjectStore(directory, seen)
    try:
        # Before the audit: entries that are appended meanwhile are no fault.
        texts = ref_texts(directory)
        names = _with_tracked(store.refs())
    except (EvidenceError, OSError) as error:
        return _unreadable(directory, error)
    wanted = sorted(branches if branches is not None else _found(names.keys()))
    chosen = extra or Extra()
    cache = chosen.cache
    packs = {} if cache is None else pack_files(directory)
    work = Work(directory, store, seen, chosen, names)
    work.examine([Branch(*place, allowed) for place in wanted])
    work.judge()
    earlier = cache.files if cache is not None and work.earlier else None
    swept = sweep(directory, store, seen, frozenset(names), texts, earlier)
    result = Verification(
        branches=tuple(work.reports),
        testimonies=work.testimonies,
        anchored=work.anchored,
        claims=tuple(work.claims),
        earlier=work.earlier,
        sweep=swept,
        faults=work.all_faults(swept),
    )
    if cache is not None and result.ok:
        work.remember()
        cache.files = packs
    return result


def _with_tracked(names: Mapping[str, str]) -> dict[str, str]:
    """References, and the branches that a plain clone only has remote-tracking copies of."""
    tracked = {
        f"refs/heads/{match[1]}": oid
        for name, oid in names.items()
        if (match := _TRACKED.fullmatch(name))
    }
    return {**tracked, **names}


def _found(names: Set[str]) -> list[tuple[str, str]]:
    matches = filter(None, map(_BRANCH.fullmatch, names))
    return [(match[1], match[2]) for match in matches]


def _unreadable(directory: Path, error: Exception) -> Verification:
    swept = sweep(directory, None, frozenset(), frozenset(), {})
    message = f"references cannot be read: {error}"
    fault = Fault(Code.UNKNOWN_REF, Place(path="refs"), message)
    return Verification((), {}, {}, (), 0, swept, (fault, *swept.faults))
