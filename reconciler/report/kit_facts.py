"""What a kit itself shows to be limited about it, in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.evidence.claims import Claim
from reconciler.evidence.fault import Fault
from reconciler.report.control_sheet import View
from reconciler.report.gap_text import described, moment
from reconciler.report.period import Period

MOST = 100

_SOURCE = "The repository that this kit was taken from does NOT verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known when a kit is made.

    Attributes:
        version: Of this program.
        period: The period.
        views: Each appliance over the period.
        newest: By ``<client>/<host>``, the number of its newest entry in the kit.
        unproven: Claims that are not proven, or false.
        faults: What is wrong with what is in the kit.
        source_faults: What is wrong with the repository that it was taken from.
        late: Appliances without an entry up to the end of the period.
        apart: Witnesses whose ledgers stay out.
        others: How many principals in the list of signers have no branch in the kit.
        roots: Whether trust anchors were given.
        pages: Whether something was asked for, and there are pages of it.
    """

    version: str
    period: Period
    views: Sequence[View]
    newest: Mapping[str, int]
    unproven: Sequence[Claim]
    faults: Sequence[Fault]
    source_faults: Sequence[Fault]
    late: Sequence[str]
    apart: Sequence[str]
    others: int
    roots: bool
    pages: bool


def own(facts: Facts) -> list[str]:
    """Everything, the gravest first."""
    return [
        *_faults(facts),
        *(f"Not proven ({claim.subject}): {claim.sentence}." for claim in facts.unproven),
        *(line for view in facts.views for line in _host(facts, view)),
        *_outside(facts),
        *_always(facts),
    ]


def source_text(faults: Sequence[Fault]) -> str:
    """What verification.txt says of the repository that a kit was taken from; empty if it holds."""
    if not faults:
        return ""
    lines = [f"NOT VERIFIED: {_SOURCE}, {_count(faults)}"]
    return "".join(f"{line}\n" for line in [*lines, *(f"  {fault}" for fault in faults[:MOST])])


def source_document(faults: Sequence[Fault]) -> dict[str, Any]:
    """The same for verification.json."""
    listed = [
        {
            "code": fault.code.value,
            "commit": fault.place.commit,
            "seq": fault.place.seq,
            "path": fault.place.path,
            "message": fault.message,
        }
        for fault in faults
    ]
    return {"ok": not faults, "faults": listed}


def _count(faults: Sequence[Fault]) -> str:
    return f"{len(faults)} fault{'s' * (len(faults) != 1)}"


def _faults(facts: Facts) -> Iterator[str]:
    for faults, what in (
        (facts.faults, "What is in this kit does NOT verify"),
        (facts.source_faults, _SOURCE),
    ):
        if faults:
            yield f"{what}, {_count(faults)}: {'; '.join(map(str, faults[:MOST]))}."


def _host(facts: Facts, view: View) -> Iterator[str]:
    survey = view.survey
    name = f"{survey.client}/{survey.host}"
    newest = facts.newest[name]
    if survey.first is None or survey.last is None:
        yield f"{name}: no entry lies in the period; entries 0 to {newest} are all older."
    else:
        yield f"{name}: entries {survey.first.seq} to {survey.last.seq} lie in the period."
        if survey.first.seq:
            yield (
                f"{name}: entries 0 to {survey.first.seq - 1} are older. They are in the bundle"
                " because each entry is chained to the one before, down to the first: without them"
                " nothing of the period could be proven."
            )
    yield from _gaps(name, view)


def _gaps(name: str, view: View) -> Iterator[str]:
    for gap in view.gaps[:MOST]:
        where = f"{moment(gap.begin)} to {moment(gap.end)}"
        yield f"{name}: {where} (before entry {gap.seq}): {described(gap)}."
    if len(view.gaps) > MOST:
        yield f"{name}: {len(view.gaps) - MOST} more times without a run are in verification.json."


def _outside(facts: Facts) -> Iterator[str]:
    if facts.late:
        yield f"Without an entry up to the end of the period, and left out: {_names(facts.late)}."
    if facts.apart:
        yield (
            f"The ledgers of {_names(facts.apart)} speak of other clinics' logs, too, or begin"
            " later, and are left out; what they vouched for of the logs in this kit is in"
            " checkpoints/ as signed notes."
        )
    if facts.others:
        yield (
            f"keys/allowed_signers is the whole list that was given: {facts.others} of its names"
            " have no branch in this kit."
        )


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST]) + (" and more" if len(names) > MOST else "")


def _always(facts: Facts) -> Iterator[str]:
    yield (
        f"Entries after {facts.period.end} are not in this kit, and neither are proofs of time and"
        " cosignatures that were recorded in them; ask for a later end to have them."
    )
    given = "The keys and the roots in" if facts.roots else "The keys in"
    yield (
        f"{given} this kit were given by whoever made it. Compare them with what you get by"
        " another way; everything rests on them."
    )
    yield (
        "Git names objects by SHA-1. What carries the proof is inside: signed statements, chained"
        " and hashed into the log by SHA-256."
    )
    yield (
        "The ledger shows what checks of machines saw and what was done about it. It does not show"
        " what nobody checked, what an appliance was made to say, or what people decided."
    )
    yield (
        "By design no data of patients is collected. That is a property of the checks and not"
        " proven by this kit; docs/auditing.md says where to look."
    )
    if facts.pages:
        yield (
            "Tables and pages in controls/ are copies for reading; what proves is the entry that"
            " each row names. A rule that no longer names a control is not found under it."
        )
    yield (
        f"Made by reconciler {facts.version}. A kit holds no time of its own making: the same"
        " evidence and the same files give the same kit, byte for byte."
    )
