"""From the fleet repository to a desired state that may be used, or the reason why not.

Rule 1: Nothing advances before every check holds; what was accepted stays in force meanwhile.
Rule 2: How fresh the newest state is, and whether a revoked key wrote what is in force, is judged
        in every run, with the server in reach or not. What is held is in force, and nothing acts.
Rule 3: Where a limit is promised and broken, a newer state must bring a fresh heartbeat: somebody
        who holds the server back must not choose what comes next. A signed recovery need not.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import check_fleet
from reconciler.desired.objects import MirrorDamaged
from reconciler.desired.problem import FleetInvalid
from reconciler.desired.resolve import resolve
from reconciler.desired.source import FleetSource
from reconciler.desired.trust import acceptance as verified
from reconciler.engine.appliance import Appliance
from reconciler.engine.facts import Facts
from reconciler.engine.settings import Settings
from reconciler.engine.trusted.freshness import measure, seconds, stale_hold, tainted_hold
from reconciler.engine.trusted.lookout import look_at_heartbeat, refuse_stale
from reconciler.errors import InputError, IntentRefused, MachineError, ReconcilerError
from reconciler.evidence.signers import AllowedSigners
from reconciler.ledger.verify import load_signers
from reconciler.model.check import Check
from reconciler.model.desired import DesiredState
from reconciler.model.run import Acceptance, Agreed, IntentStatus, Recovered
from reconciler.model.step import StepKind


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


def pull(appliance: Appliance, facts: Facts) -> Intent:
    """Fetch, verify every new commit, check the policy graph, resolve, judge how new it is.

    Nothing advances before all of that holds: a refused or broken newest state leaves the last
    accepted one in force (design promise 1).

    Args:
        appliance: Open.
        facts: The machine's clocks, read together.

    Raises:
        InputError: The signers that were pinned at enrolment cannot be read: without its trust
            anchor an appliance does nothing (design promise 8).
    """
    trusted = pinned(appliance)
    past = appliance.past
    past.standing = past.standing.at(facts.clocks())
    accepted = past.memory.accepted
    commit, counter = (accepted.commit, accepted.counter) if accepted else (None, 0)
    before = IntentStatus(commit=commit, counter=counter, fetched=False)
    found = _newest(appliance, before, trusted, facts.at)
    if found.desired is None:
        return found
    try:
        return _judged(appliance, found, found.desired, facts.at)
    except (IntentRefused, MachineError) as error:
        # Nobody can say whether what is in force may be acted on.
        return Intent(None, _refused(replace(before, fetched=found.status.fetched), error), error)


def _newest(
    appliance: Appliance, before: IntentStatus, trusted: AllowedSigners, now: datetime
) -> Intent:
    status, head = before, None
    try:
        head = appliance.source.fetch()
        status = replace(before, fetched=True)
        with suppress(MirrorDamaged):
            return _offered(appliance, status, head, trusted, now)
        # The server has what the mirror lost; a fetch alone would not ask for it again. Not while
        # the error is handled: it keeps the torn pack open, and libgit2 goes by a pack's name.
        appliance.source.rebuild()
        return _offered(appliance, status, head, trusted, now)
    except (IntentRefused, InputError, MachineError) as error:
        if head is not None and before.commit is not None:
            # What stays in force must be the newest that CI saw. Otherwise one bad commit on top
            # of a good one would hide the good one for ever, and everything would look fresh.
            with suppress(IntentRefused, MachineError):
                look_at_heartbeat(appliance, before.commit, before.commit, now)
        return _keep(appliance, status, head, error)


def _offered(
    appliance: Appliance,
    status: IntentStatus,
    head: str,
    trusted: AllowedSigners,
    now: datetime,
) -> Intent:
    """The newest state, if it is in force or may be accepted.

    Raises:
        IntentRefused, InputError, MachineError: It may not; nothing has changed.
    """
    if head != status.commit:
        return _accepted(appliance, status, head, trusted, now)
    appliance.source.standing(head, now)
    desired = load(appliance, head)
    look_at_heartbeat(appliance, head, head, now)
    return Intent(desired, status)


def _accepted(
    appliance: Appliance,
    status: IntentStatus,
    head: str,
    trusted: AllowedSigners,
    now: datetime,
) -> Intent:
    past = appliance.past
    used = None if past.standing.recovery is None else past.standing.recovery.issued
    found = appliance.source.verify_new(
        accepted=status.commit,
        head=head,
        pinned=trusted,
        now=now,
        pin=appliance.home.settings.fleet.pin,
        recovered_at=used,
    )
    desired = load(appliance, head)
    if found.recovery is None:
        look_at_heartbeat(appliance, head, head, now)
        refuse_stale(past, head, now)
    else:
        # What was signed for the line that was replaced says nothing about this one.
        past.standing = past.standing.forgetting_heartbeats()
        with suppress(IntentRefused, MachineError):
            look_at_heartbeat(appliance, head, head, now)
    taken = replace(status, commit=head, counter=status.counter + 1)
    return Intent(desired, replace(taken, acceptance=_behind(found)))


def _behind(found: verified.Acceptance) -> Acceptance:
    """What stood behind an acceptance, for the report and for evidence."""
    agreed = [
        Agreed(one.owner, one.commit, one.people)
        for one in found.rulings
        if one.held and one.people and one.owner and one.commit
    ]
    signers = {one.commit: one.signer for one in found.commits}
    return Acceptance(
        previous=found.previous,
        signer=signers.get(found.commit),
        commits=len(found.commits),
        agreed=tuple(agreed),
        recovery=_recovered(found.recovery),
    )


def _recovered(used: verified.Recovered | None) -> Recovered | None:
    return None if used is None else Recovered(used.digest, used.issued, used.people)


def _keep(
    appliance: Appliance, status: IntentStatus, head: str | None, why: ReconcilerError
) -> Intent:
    """Keep the last accepted state; without one there is nothing to run."""
    status = _refused(status, why, head)
    if status.commit is None:
        return Intent(None, status, why)
    try:
        return Intent(load(appliance, status.commit), status, why)
    except (InputError, IntentRefused, MachineError):
        return Intent(None, status, why)


def _refused(status: IntentStatus, why: ReconcilerError, head: str | None = None) -> IntentStatus:
    return replace(
        status,
        fetched=status.fetched or isinstance(why, IntentRefused),
        refused=reason_of(why),
        refused_commit=getattr(why, "commit", head if isinstance(why, InputError) else None),
        message=str(why),
        exit_code=why.exit_code,
    )


def _judged(appliance: Appliance, found: Intent, desired: DesiredState, now: datetime) -> Intent:
    """The desired state with what holds it.

    Raises:
        IntentRefused, MachineError: What is live cannot be judged.
    """
    standing = appliance.past.standing
    live = appliance.source.standing(desired.commit, now)
    paths = tuple(dict.fromkeys(one.path for one in live.tainted))
    freshness = measure(standing, seconds(desired.client.freshness_h), now)
    holds = (tainted_hold(paths, standing, now), stale_hold(freshness, standing, now))
    known = tuple(hold for hold in holds if hold is not None)
    return replace(found, status=replace(found.status, freshness=freshness, holds=known))


def load(appliance: Appliance, commit: str) -> DesiredState:
    """The desired state of this host at a commit that was verified.

    A commit never changes, so one that was resolved is not read again.

    Raises:
        FleetInvalid: The policy graph has errors; carries all of them.
        IntentRefused: The commit's tree may not be read.
    """
    if appliance.resolved is None or appliance.resolved.commit != commit:
        appliance.resolved = resolved(
            appliance.source, appliance.home.settings, commit, appliance.checks, appliance.steps
        )
    return appliance.resolved


def resolved(
    source: FleetSource,
    settings: Settings,
    commit: str,
    checks: Mapping[str, Check],
    steps: Mapping[str, StepKind],
) -> DesiredState:
    """The desired state of a host at a commit.

    Args:
        source: Holds the commit's objects.
        settings: Say which host.
        commit: Hex id, verified by the caller.
        checks: By id.
        steps: By id.

    Raises:
        FleetInvalid: The policy graph has errors; carries all of them.
        IntentRefused: The commit's tree may not be read.
    """
    fleet = read_fleet(source.read_files(commit))
    errors = [one for one in check_fleet(fleet, checks, steps) if one.severity == "error"]
    if errors:
        raise FleetInvalid(errors)
    client, host, tree = settings.client, settings.host, source.tree_of(commit)
    return resolve(fleet, client, host, commit=commit, tree=tree, checks=checks)


def pinned(appliance: Appliance) -> AllowedSigners:
    """The signers that were pinned at enrolment.

    Raises:
        InputError: The file is missing or wrong; nobody is trusted by default.
    """
    return load_signers(appliance.home.path(appliance.home.settings.fleet.signers))
