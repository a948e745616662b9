"""The audit of an evidence repository, for a terminal and for machines."""

from typing import Any, Protocol

from reconciler.evidence.audit import AuditReport
from reconciler.evidence.fault import Fault

SHOWN = 20


class SweepLike(Protocol):
    """What the files of the store look like."""

    @property
    def files(self) -> int:
        """How many files were checked."""
        ...

    @property
    def unreferenced(self) -> int:
        """Sound objects that no reference reaches."""
        ...


class Verified(Protocol):
    """What was proven about a repository."""

    @property
    def ok(self) -> bool:
        """Whether everything verifies."""
        ...

    @property
    def sentence(self) -> str:
        """What was proven, in one line."""
        ...

    @property
    def branches(self) -> tuple[AuditReport, ...]:
        """One report per branch."""
        ...

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything that is wrong."""
        ...

    @property
    def sweep(self) -> SweepLike:
        """The store."""
        ...


def render(result: Verified) -> str:
    """One line of what was proven, or every fault with its place."""
    head = "VERIFIED" if result.ok else "NOT VERIFIED"
    lines = [f"{head}: {result.sentence.removeprefix('does NOT verify, ')}"]
    lines += [f"  {fault}" for fault in result.faults[:SHOWN]]
    if len(result.faults) > SHOWN:
        lines.append(f"  … and {len(result.faults) - SHOWN} more (--json shows all)")
    lines.append(f"  {result.sweep.files} files of the store checked")
    if result.sweep.unreferenced:
        count = result.sweep.unreferenced
        lines.append(
            f"  note: {count} sound objects that nothing refers to, as a crash leaves them"
        )
    return "\n".join(lines)


def as_document(result: Verified) -> dict[str, Any]:
    """Everything, as one JSON document."""
    return {
        "ok": result.ok,
        "sentence": result.sentence,
        "branches": [_branch(report) for report in result.branches],
        "faults": [_fault(fault) for fault in result.faults],
        "store": {"files": result.sweep.files, "unreferenced": result.sweep.unreferenced},
    }


def _branch(report: AuditReport) -> dict[str, Any]:
    newest, oldest = report.newest, report.oldest
    return {
        "ref": report.ref,
        "ok": report.ok,
        "tip": report.tip,
        "entries": report.entries,
        "first": oldest.entry.recorded_at if oldest else None,
        "last": newest.entry.recorded_at if newest else None,
        "newest_seq": newest.entry.seq if newest else None,
        "newest_digest": newest.digest if newest else None,
        "counts": {kind.value: count for kind, count in sorted(report.counts.items())},
        "open_intents": [reference.seq for reference in report.open_intents],
        "keys": list(report.keys),
        "faults": len(report.faults),
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "code": fault.code.value,
        "commit": fault.place.commit,
        "seq": fault.place.seq,
        "path": fault.place.path,
        "message": fault.message,
    }
