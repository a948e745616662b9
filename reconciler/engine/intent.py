"""From the fleet repository to a desired state that may be used, or the reason why not."""

from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import check_fleet
from reconciler.desired.problem import FleetInvalid
from reconciler.desired.resolve import resolve
from reconciler.engine.appliance import Appliance
from reconciler.errors import InputError, IntentRefused, MachineError, ReconcilerError
from reconciler.evidence.signers import AllowedSigners
from reconciler.ledger.verify import load_signers
from reconciler.model.desired import DesiredState
from reconciler.model.run import IntentStatus


@dataclass(frozen=True, slots=True)
class Intent:
    """The desired state to use, and what became of the newest one.

    Attributes:
        desired: In force; ``None`` when there has never been one, or it cannot be read.
        status: For the report and for evidence.
        error: Why the newest state is not in force, if it is not.
    """

    desired: DesiredState | None
    status: IntentStatus
    error: ReconcilerError | None = None


def reason_of(error: ReconcilerError) -> str:
    """A stable code for why a desired state is not in force."""
    if isinstance(error, IntentRefused):
        return error.reason
    return "policy-invalid" if isinstance(error, InputError) else "unreachable"


def pull(appliance: Appliance, now: datetime) -> Intent:
    """Fetch, verify every new commit, check the policy graph, resolve.

    Nothing advances before all of that holds: a refused or broken newest state leaves the last
    accepted one in force (design promise 1).

    Raises:
        InputError: The signers that were pinned at enrolment cannot be read: without its trust
            anchor an appliance does nothing (design promise 8).
    """
    trusted = pinned(appliance)
    accepted = appliance.past.memory.accepted
    commit, counter = (accepted.commit, accepted.counter) if accepted else (None, 0)
    held = IntentStatus(commit=commit, counter=counter, fetched=False)
    head = None
    try:
        head = appliance.source.fetch()
        held = replace(held, fetched=True)
        if head == commit:
            appliance.source.reverify(head)
            return Intent(load(appliance, head), held)
        appliance.source.verify_new(accepted=commit, head=head, pinned=trusted, now=now)
        taken = replace(held, commit=head, counter=counter + 1)
        return Intent(load(appliance, head), taken)
    except (IntentRefused, InputError, MachineError) as error:
        return _hold(appliance, held, head, error)


def _hold(
    appliance: Appliance, held: IntentStatus, head: str | None, why: ReconcilerError
) -> Intent:
    """Keep the last accepted state; without one there is nothing to run."""
    status = replace(
        held,
        fetched=held.fetched or isinstance(why, IntentRefused),
        refused=reason_of(why),
        refused_commit=getattr(why, "commit", head if isinstance(why, InputError) else None),
        message=str(why),
        exit_code=why.exit_code,
    )
    if held.commit is None:
        return Intent(None, status, why)
    try:
        return Intent(load(appliance, held.commit), status, why)
    except (InputError, IntentRefused, MachineError):
        return Intent(None, status, why)


def load(appliance: Appliance, commit: str) -> DesiredState:
    """The desired state of this host at a commit that was verified.

    A commit never changes, so one that was resolved is not read again.

    Raises:
        FleetInvalid: The policy graph has errors; carries all of them.
        IntentRefused: The commit's tree may not be read.
    """
    if appliance.resolved is None or appliance.resolved.commit != commit:
        appliance.resolved = _resolve(appliance, commit)
    return appliance.resolved


def _resolve(appliance: Appliance, commit: str) -> DesiredState:
    fleet = read_fleet(appliance.source.read_files(commit))
    problems = check_fleet(fleet, appliance.checks, appliance.steps)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise FleetInvalid(errors)
    settings = appliance.home.settings
    return resolve(
        fleet,
        settings.client,
        settings.host,
        commit=commit,
        tree=appliance.source.tree_of(commit),
        checks=appliance.checks,
    )


def pinned(appliance: Appliance) -> AllowedSigners:
    """The signers that were pinned at enrolment.

    Raises:
        InputError: The file is missing or wrong; nobody is trusted by default.
    """
    return load_signers(appliance.home.path(appliance.home.settings.fleet.signers))
