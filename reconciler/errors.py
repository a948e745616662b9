"""Every error that leaves this package, and the exit code it stands for.

::

    ReconcilerError
    ├── InputError        a file, a setting or an argument is wrong          (exit 5)
    ├── IntentRefused     the new desired state is not trusted               (exit 4)
    ├── EvidenceError     the ledger, a key or a signature is missing or bad (exit 6)
    │   ├── LedgerMissing
    │   ├── LedgerDamaged
    │   ├── KeyMissing
    │   └── ClockWrong
    ├── MachineError      this machine would not do it: disk, network, lock  (exit 7)
    │   ├── Busy
    │   └── Restarting    it restarts, as an action asked it to
    └── Unobservable      a probe's answer does not say what was asked; becomes ``unknown``

A refusal by a guard is a value (`reconciler.model.verdict.Verdict`), not an error: errors mean
"could not know" or "could not do", and each says what to do about it.
"""

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What the command line returns; documented in the README, never renumbered."""

    CLEAN = 0
    DRIFT = 1
    USAGE = 2
    UNKNOWN = 3
    REFUSED = 4
    INPUT = 5
    EVIDENCE = 6
    MACHINE = 7
    INTERNAL = 70
    UNREAD = 141


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file that a person can open.

    Attributes:
        file: Path as the person gave it, or relative to the fleet repository.
        line: 1-based line, if known.
        field: Dotted path inside the document, if known: ``remedy.params.unit``.
    """

    file: str
    line: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return place if self.field is None else f"{place}: {self.field}"


class ReconcilerError(Exception):
    """Root of the tree.

    Attributes:
        message: What is wrong, in one sentence.
        hint: What to do about it, in one sentence.
        where: The place, if there is one.
    """

    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str, where: Where | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        return self.message if self.where is None else f"{self.where}: {self.message}"


class InputError(ReconcilerError):
    """A file, a setting or an argument is wrong; nothing was done."""

    exit_code = ExitCode.INPUT


class IntentRefused(ReconcilerError):
    """A new desired state is not trusted; the last accepted one stays in force.

    Attributes:
        reason: Stable code for machines and evidence, for example ``not-fast-forward``.
        commit: The commit that was refused (hex), if one was seen.
    """

    exit_code = ExitCode.REFUSED

    def __init__(self, message: str, *, hint: str, reason: str, commit: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.commit = commit


class EvidenceError(ReconcilerError):
    """Evidence could not be written, or what is there does not verify."""

    exit_code = ExitCode.EVIDENCE


class LedgerMissing(EvidenceError):
    """The ledger is not where it was; memory is lost, so nothing may be applied."""


class LedgerDamaged(EvidenceError):
    """The ledger is there and something in it is wrong."""


class KeyMissing(EvidenceError):
    """A signing key is missing or unusable. There is no unsigned path."""


class ClockWrong(EvidenceError):
    """The clock says what cannot be: evidence with a wrong time could not be withdrawn."""


class MachineError(ReconcilerError):
    """This machine would not do it: disk full, read-only, no network, no permission."""

    exit_code = ExitCode.MACHINE


class Busy(MachineError):
    """Another run holds this host."""


class Restarting(MachineError):
    """The machine restarts, as an action asked it to; a later look closes its intent."""


class Unobservable(ReconcilerError):
    """A probe's answer does not say what the check asked; the finding is ``unknown``."""

    exit_code = ExitCode.UNKNOWN

    def __init__(self, message: str, *, hint: str = "See the reason; nothing was assumed.") -> None:
        super().__init__(message, hint=hint)
