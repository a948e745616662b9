"""The desired state of one host, from a work tree or a revision, for whoever tries it out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.desired.gate.reading import Reading, read_revision, read_work_tree
from reconciler.desired.gate.revision import Revisions, complete
from reconciler.errors import InputError
from reconciler.model.check import Check
from reconciler.model.desired import DesiredState
from reconciler.model.step import StepKind


@dataclass(frozen=True, slots=True)
class Catalogues:
    """What documents refer to beside one another."""

    checks: Mapping[str, Check]
    steps: Mapping[str, StepKind]


def state_of(
    fleet: Path, revision: str | None, target: str, catalogues: Catalogues
) -> DesiredState:
    """The desired state of one host.

    Args:
        fleet: A clone of the fleet repository.
        revision: A branch, tag or commit of it; ``None`` is the work tree as it is.
        target: ``<client>/<host>``.
        catalogues: Checks and kinds of step.

    Raises:
        InputError: No appliance would take the revision, or it has no such host.
        IntentRefused: Its tree is refused.
    """
    reading = reading_of(fleet, revision, catalogues)
    state = reading.states.get(target)
    if state is None:
        known = ", ".join(sorted(reading.states)[:10])
        hint = f"Name one of: {known}" if known else "Add a host under hosts/."
        raise InputError(f"the fleet has no host {target}", hint=hint)
    return state


@complete()
def reading_of(fleet: Path, revision: str | None, catalogues: Catalogues) -> Reading:
    """Everything a revision says.

    Raises:
        InputError: No appliance would take it; gives the first reason.
        IntentRefused: Its tree is refused.
    """
    checks, steps = catalogues.checks, catalogues.steps
    if revision is None:
        reading = read_work_tree(fleet, checks, steps)
    else:
        revisions = Revisions(fleet)
        named = revisions.resolve(revision)
        files = revisions.tree(named.commit).files()
        reading = read_revision(
            files, commit=named.commit, tree=named.tree, checks=checks, steps=steps
        )
    for remark in reading.remarks:
        if remark.severity == "error":
            raise InputError(remark.message, hint=remark.hint, where=remark.where)
    return reading
