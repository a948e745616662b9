"""The audit of an evidence repository, for a terminal and for machines."""

from collections.abc import Iterable
from typing import Any, Protocol

from reconciler.evidence.audit import AuditReport
from reconciler.evidence.claims import Claim, State
from reconciler.evidence.fault import Fault
from reconciler.evidence.whole import Gap

SHOWN = 20
_MARKS = {State.PROVEN: "proven    ", State.NOT_PROVEN: "NOT PROVEN", State.FALSE: "FALSE     "}


class SweepLike(Protocol):
    """What the files of the store look like."""

    @property
    def files(self) -> int:
        """How many files were checked."""
        ...

    @property
    def skipped(self) -> int:
        """How many were not read again."""
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
    def claims(self) -> tuple[Claim, ...]:
        """What is proven and what is not, branch by branch."""
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
    """One line of what was proven, every claim under it, or every fault with its place."""
    head = "VERIFIED" if result.ok else "NOT VERIFIED"
    lines = [f"{head}: {result.sentence.removeprefix('does NOT verify, ')}"]
    lines += [f"  {fault}" for fault in result.faults[:SHOWN]]
    if len(result.faults) > SHOWN:
        lines.append(f"  … and {len(result.faults) - SHOWN} more (--json shows all)")
    lines += _claims(result.claims)
    lines += _store(result)
    return "\n".join(lines)


def _claims(claims: Iterable[Claim]) -> list[str]:
    lines: list[str] = []
    ref = None
    for claim in claims:
        if claim.ref != ref:
            ref = claim.ref
            lines.append(f"{ref.removeprefix('refs/heads/')}:")
        lines.append(f"  {_MARKS[claim.state]}  {claim.sentence}")
    return lines


def _store(result: Verified) -> list[str]:
    swept = result.sweep
    line = f"  {swept.files:,} files of the store checked, byte by byte"
    if swept.skipped:
        line += f"; {swept.skipped:,} untouched since an earlier audit were not read again"
    lines = [line]
    if swept.unreferenced:
        note = f"{swept.unreferenced:,} sound objects that nothing refers to"
        lines.append(f"  note: {note}, as a crash leaves them")
    return lines


def as_document(result: Verified) -> dict[str, Any]:
    """Everything, as one JSON document."""
    return {
        "ok": result.ok,
        "sentence": result.sentence,
        "branches": [_branch(report) for report in result.branches],
        "claims": [_claim(claim) for claim in result.claims],
        "unproven": sum(claim.state is not State.PROVEN for claim in result.claims),
        "faults": [_fault(fault) for fault in result.faults],
        "store": {
            "files": result.sweep.files,
            "skipped": result.sweep.skipped,
            "unreferenced": result.sweep.unreferenced,
        },
    }


def _claim(claim: Claim) -> dict[str, str]:
    return {
        "subject": claim.subject,
        "state": claim.state.value,
        "sentence": claim.sentence,
        "ref": claim.ref,
    }


def _branch(report: AuditReport) -> dict[str, Any]:
    newest, oldest = report.newest, report.oldest
    return {
        "ref": report.ref,
        "ok": report.ok,
        "tip": report.tip,
        "entries": report.entries,
        "runs": report.runs,
        "first": oldest.entry.recorded_at if oldest else None,
        "last": newest.entry.recorded_at if newest else None,
        "newest_seq": newest.entry.seq if newest else None,
        "newest_digest": newest.digest if newest else None,
        "log_root": report.log.root().hex() if report.log else None,
        "counts": {kind.value: count for kind, count in sorted(report.counts.items())},
        "open_intents": [reference.seq for reference in report.open_intents],
        "keys": list(report.keys),
        "policies": list(report.policies),
        "gaps": [_gap(gap) for gap in report.gaps],
        "faults": len(report.faults),
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "seq": gap.seq,
        "begin_ms": gap.begin,
        "end_ms": gap.end,
        "promise_s": gap.promise_s,
        "declared": gap.declared,
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "code": fault.code.value,
        "commit": fault.place.commit,
        "seq": fault.place.seq,
        "path": fault.place.path,
        "message": fault.message,
    }
