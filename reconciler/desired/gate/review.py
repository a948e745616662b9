"""Two revisions of a fleet, compared as a reviewer and an appliance would.

Rule 1: Nothing is said about changes when one side cannot be read whole; what is wrong is said.
Rule 2: Warnings that the base has, too, are counted and not repeated: a reviewer reads what is new.
        Errors are always said.
Rule 3: The digest of the head is over the plans of all its hosts, also those that nobody asked to
        see; a person approves the whole.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.desired.ending import ending
from reconciler.desired.gate.binding_approvals import approval_changes
from reconciler.desired.gate.needs import needs_of, short, unowned
from reconciler.desired.gate.reading import Reading, read_revision, refused, remarks_of
from reconciler.desired.gate.revision import Revisions, complete
from reconciler.desired.gate.trust_change import trust_changes
from reconciler.desired.gate.trust_health import trust_problems
from reconciler.errors import InputError, IntentRefused, Where
from reconciler.model.check import Check
from reconciler.model.desired import DesiredState
from reconciler.model.review import HostChange, Named, Remark, Review
from reconciler.model.step import StepKind
from reconciler.plan.change import host_change
from reconciler.plan.host_plan import fleet_digest


@dataclass(frozen=True, slots=True)
class Compared:
    """A review, and the two readings that it is made of."""

    review: Review
    base: Reading
    head: Reading


@dataclass(frozen=True, slots=True)
class Catalogues:
    """What documents refer to beside one another."""

    checks: Mapping[str, Check]
    steps: Mapping[str, StepKind]


@complete()
def compare(
    revisions: Revisions,
    base: Named,
    head: Named,
    catalogues: Catalogues,
    *,
    at: datetime,
    hosts: Collection[str] = (),
) -> Compared:
    """Compare two revisions.

    Args:
        revisions: The repository.
        base: What is in force, or would be merged into.
        head: What is proposed.
        catalogues: Checks and kinds of step.
        at: When terms and keys must count.
        hosts: Show only these targets; all of them when empty.

    Raises:
        InputError: A host that neither revision has, more than any fleet needs, or an object that
            this clone lacks.
    """
    one, other = (_read(revisions, named, catalogues) for named in (base, head))
    _known(hosts, one, other)
    paths = tuple(sorted(_shown(revisions, base, head)))
    whole = one.whole and other.whole
    policy = one.trust.policy
    review = Review(
        base=base,
        head=head,
        at=at,
        digest=fleet_digest(_digests(other)) if other.whole else None,
        hosts=_digests(other),
        compared=whole,
        paths=paths,
        changes=tuple(_changes(one, other, hosts)) if whole else (),
        trust=tuple(trust_changes(one.trust, other.trust)),
        needs=needs_of(policy, paths),
        approvals=approval_changes(one, other, at.date()) if whole else (),
    )
    remarks, older = _remarks(review, one, other)
    ancestry = tuple(_ancestry(revisions, base, head))
    return Compared(replace(review, remarks=(*ancestry, *remarks), older=older), one, other)


def health(reading: Reading, at: datetime, *, template: bool = False) -> Iterator[Remark]:
    """What is wrong with one revision: graph, terms that end, trust.

    Args:
        reading: As read.
        at: When terms and keys must count.
        template: Whether it may have no signers yet.
    """
    clients = reading.fleet.clients if reading.fleet else ()
    trust = set(reading.trust.remarks)
    yield from (remark for remark in reading.remarks if remark not in trust)
    if reading.fleet is not None:
        for remark in remarks_of(ending(reading.fleet, at.date()), "exception"):
            approval = remark.where.file.startswith("approvals/")
            yield replace(remark, subject="approval" if approval else "exception")
        yield from trust_problems(reading.trust, clients, at, template=template)


@complete()
def states_at(
    revisions: Revisions, commit: str, catalogues: Catalogues
) -> Mapping[str, DesiredState]:
    """The desired state of every host at a commit that evidence names; empty if it has errors.

    Raises:
        InputError: There is no such commit here, or not all of it.
    """
    return _read(revisions, revisions.resolve(commit), catalogues).states


def _read(revisions: Revisions, named: Named, catalogues: Catalogues) -> Reading:
    try:
        files = revisions.tree(named.commit).files()
        return read_revision(
            files,
            commit=named.commit,
            tree=named.tree,
            checks=catalogues.checks,
            steps=catalogues.steps,
        )
    except IntentRefused as error:
        return refused(error)


def _known(hosts: Collection[str], one: Reading, other: Reading) -> None:
    there = {host for reading in (one, other) if reading.fleet for host in reading.fleet.hosts}
    for host in hosts:
        if host not in there:
            hint = "Give CLIENT/HOST as in hosts/CLIENT/HOST.yaml."
            raise InputError(f"neither revision has a host {host[:130]}", hint=hint)


def _digests(reading: Reading) -> dict[str, str]:
    return {target: state.plan_digest for target, state in reading.states.items()}


def _shown(revisions: Revisions, base: Named, head: Named) -> Iterator[str]:
    try:
        for path in revisions.differing(base, head):
            yield path.encode("utf-8", "backslashreplace").decode()
    except IntentRefused:
        # Told as an error of the revision whose tree it is.
        return


def _changes(one: Reading, other: Reading, hosts: Collection[str]) -> Iterator[HostChange]:
    for target in sorted(one.plans.keys() | other.plans.keys()):
        changed = host_change(one.plans.get(target), other.plans.get(target))
        if changed is not None and (not hosts or target in hosts):
            yield changed


def _remarks(review: Review, one: Reading, other: Reading) -> tuple[tuple[Remark, ...], int]:
    """Remarks about the head, and how many warnings were left out because the base has them."""
    if not one.whole:
        place = f"base {review.base.name}"
        what = "the base cannot be read whole, so nothing is compared"
        first = next((r for r in one.remarks if r.severity == "error"), None)
        why = f": {first.where}: {first.message}" if first else ""
        base = [Remark("warning", "graph", Where(place), what + why, "Repair the base first.")]
    else:
        base = []
    known = {_key(remark) for remark in health(one, review.at)}
    found = [*health(other, review.at), *unowned(review.needs, one.trust), *short(review.needs)]
    old = [remark for remark in found if _stands(remark) and _key(remark) in known]
    return (*base, *_without(found, old)), len(old)


def _stands(remark: Remark) -> bool:
    """Whether it need not be said again; what ends by itself is said until it is dealt with."""
    return remark.severity == "warning" and remark.subject not in {"exception", "approval"}


def _without(found: Iterable[Remark], old: Collection[Remark]) -> list[Remark]:
    return list(dict.fromkeys(remark for remark in found if remark not in old))


def _key(remark: Remark) -> tuple[str, str, str | None, str]:
    """What a remark is about; a line may move."""
    return remark.subject, remark.where.file, remark.where.field, remark.message


def _ancestry(revisions: Revisions, base: Named, head: Named) -> Iterator[Remark]:
    if base.commit == head.commit or revisions.descends(head.commit, base.commit):
        return
    yield Remark(
        "warning",
        "graph",
        Where(f"head {head.name}"),
        f"does not contain {base.name}: what is shown undoes what {base.name} has meanwhile",
        f"Merge or rebase onto {base.name} first, or compare with the commit where they parted.",
    )
