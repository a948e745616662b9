"""What is wanted of a kit, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.evidence.fault import Fault
from reconciler.evidence.record import Record
from reconciler.ledger.extra import Extra
from reconciler.ledger.verify import Verification
from reconciler.report.disclosures import Disclosure
from reconciler.report.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a kit shall hold.

    Attributes:
        repository: The evidence repository.
        signers_file: Who may sign; copied as it is.
        period: The period.
        client: Only appliances of this clinic; None for all in the repository.
        host: Only this appliance of it.
        controls: What was asked for.
        pdf: Whether each control gets a page for paper, too.
        roots: Folder of trust anchors; copied as it is. None if there is none.
        extra: The same, read, with cosigned notes that were given, and how the work is done.
        known: Limitations that the provider wrote down; None if no file was given.
        version: Of this program.
    """

    repository: Path
    signers_file: Path
    period: Period
    client: str | None = None
    host: str | None = None
    controls: Sequence[str] = ()
    pdf: bool = False
    roots: Path | None = None
    extra: Extra
    known: Sequence[Disclosure] | None = None
    version: str


@dataclass(frozen=True, slots=True)
class End:
    """A branch, as far as a kit has it.

    Attributes:
        client: One clinic, or ``witness``.
        host: The appliance, or the name of the witness.
        newest: The newest entry.
    """

    client: str
    host: str
    newest: Record

    @property
    def ref(self) -> str:
        """Full reference name."""
        return self.newest.entry.ref

    @property
    def name(self) -> str:
        """``<client>/<host>``."""
        return f"{self.client}/{self.host}"


@dataclass(frozen=True, slots=True)
class Kit:
    """What was made.

    Attributes:
        files: Names of its files, sorted.
        result: The verification of what is in it.
        source_faults: What is wrong with the repository that it was taken from.
        empty: Controls that were asked for and that nothing in the period names.
    """

    files: tuple[str, ...]
    result: Verification
    source_faults: tuple[Fault, ...]
    empty: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the kit and the repository that it was taken from verify."""
        return self.result.ok and not self.source_faults
