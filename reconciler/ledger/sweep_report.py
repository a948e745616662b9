"""What a sweep of a repository's files found."""

from dataclasses import dataclass, field

from reconciler.evidence.fault import Fault


@dataclass(slots=True)
class SweepReport:
    """What a sweep found.

    Attributes:
        files: How many files were checked.
        skipped: How many were not read again, because an earlier sweep found them sound.
        unreferenced: Sound objects that no reference reaches, as a crash leaves them.
        leftovers: Unfinished files of an interrupted writer; they are not part of the ledger.
        faults: Everything that is wrong.
    """

    files: int = 0
    skipped: int = 0
    unreferenced: int = 0
    leftovers: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
