"""Close what a crash or a restart left open: after a fresh look, and by what it shows.

Rule 1: A step that knows how it is brought to an end (`StepKind.resume`) is, before the look: an
        activation that nobody confirmed goes forward where it was proven and back where it was not,
        and a system that was restarted into becomes the default or does not stay. That the fleet
        has its runbook no more changes nothing. Nothing else is undone or sent again.
Rule 2: Where the helper is not there yet, or still at what an earlier process asked for, that is
        waited for. What it does not come to because of that stays open for the next run.
Rule 3: ``healed`` only where such a step came to its end and every rule passes now; where it did
        not, ``failed``. Everything else is ``interrupted``: nobody knows how far it went.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.engine.look import Eye
from reconciler.engine.session import Session
from reconciler.engine.tracking import Tracking
from reconciler.errors import MachineError
from reconciler.evidence.bodies import outcome_body
from reconciler.evidence.statement import Kind, Reference
from reconciler.model.desired import PinnedRunbook
from reconciler.model.finding import Finding
from reconciler.model.operation import UNDER_WAY, Operation, OperationResult, seconds_for
from reconciler.model.outcome import Outcome, Result, StepResult

Resumed = Mapping[str, StepResult]
"""What became of steps that were brought to an end, by the id of their action."""

_REBOOT = "system.reboot"
_ASKED_AGAIN_S = 2.0
_CUT = "the reconciler ended before it recorded an outcome; see the look after it"
_ENDED = (
    "the reconciler ended before it recorded an outcome; what it had begun was brought to an end"
)


def resume(session: Session, eye: Eye) -> Resumed:
    """Bring steps to an end that a crash or a restart of the machine cut off.

    Raises:
        MachineError: The helper is still at something; nothing was closed.
    """
    resumed: dict[str, StepResult] = {}
    for _reference, action in session.appliance.past.open_intents:
        for step, kind, operations in _to_resume(session, eye, action):
            session.options.hook(f"before-resume:{step}")
            results = tuple(_carried_out(session, eye, operation) for operation in operations)
            found = StepResult(step, kind, results)
            earlier = resumed.setdefault(str(action["id"]), found)
            # What did not come to its end is not made good by what did.
            resumed[str(action["id"])] = found if earlier.ok else earlier
            session.options.hook(f"after-resume:{step}")
    return resumed


def close_interrupted(
    session: Session, findings: Mapping[str, Finding], tracking: Tracking, resumed: Resumed
) -> tuple[Outcome, ...]:
    """Append an outcome for every intent that has none.

    Its incidents go on from there, in the entry that closes the intent.

    Args:
        session: The run.
        findings: What the look after `resume` found.
        tracking: Follows the incidents.
        resumed: What `resume` brought to an end.
    """
    closed = []
    # A copy: every outcome that is appended takes its intent off the list.
    for reference, action in tuple(session.appliance.past.open_intents):
        outcome = _outcome(reference, action, findings, resumed.get(str(action["id"])))
        tracking.ended(outcome)
        body = outcome_body(session.run, outcome, session.own)
        session.append(Kind.OUTCOME, body, closes=reference)
        closed.append(outcome)
    return tuple(closed)


def _carried_out(session: Session, eye: Eye, operation: Operation) -> OperationResult:
    clock = session.appliance.clock
    until = clock.monotonic() + seconds_for(operation)
    while not (result := eye.target.carry_out(operation)).begun:
        over = clock.monotonic() >= until
        if session.options.stopping() or (over and result.reason == UNDER_WAY):
            raise MachineError(
                f"what was cut off is not brought to its end yet: {result.reason}",
                hint="The next run goes on. See what it is at: journalctl -u reconciler-helper.",
            )
        if over:
            break
        clock.sleep(_ASKED_AGAIN_S)
    return result


def _to_resume(
    session: Session, eye: Eye, action: Mapping[str, Any]
) -> Iterator[tuple[str, str, tuple[Operation, ...]]]:
    """Steps of an action that know how they are brought to an end."""
    pinned = eye.desired.runbooks.get(action["runbook"])
    for step, use in _steps_of(session, action, pinned):
        kind = session.appliance.steps.get(use)
        operations = kind.resume(action["params"]) if kind else ()
        if operations:
            yield step, use, operations


def _steps_of(
    session: Session, action: Mapping[str, Any], pinned: PinnedRunbook | None
) -> list[tuple[str, str]]:
    """Steps of an action with their kinds; all kinds about a system where nobody knows any more."""
    if pinned is not None:
        return [(step.id, step.use) for step in pinned.runbook.steps]
    # An operation that brings something to its end finds nothing to do where nothing was begun.
    kinds = sorted(session.appliance.steps) if "system" in action["params"] else []
    return [(kind, kind) for kind in kinds]


def _outcome(
    intent: Reference,
    action: Mapping[str, Any],
    findings: Mapping[str, Finding],
    resumed: StepResult | None,
) -> Outcome:
    rules = tuple(action["rules"])
    after = {rule: findings[rule] for rule in rules if rule in findings}
    passes = bool(rules) and all(rule in after and after[rule].status == "pass" for rule in rules)
    result, reason = _judged(resumed, passes=passes)
    lost = result == "failed" and not _restarted(resumed)
    return Outcome(
        action=action["id"],
        runbook=action["runbook"],
        rules=rules,
        result=result,
        reason=reason,
        steps=(resumed,) if resumed and not lost else (),
        undone=(resumed,) if resumed and lost else (),
        # A way back that did not lead back closes the host; a restart that ended in what was
        # proven does not.
        rollback="unverified" if lost else "none",
        after=after,
        intent=intent.seq,
    )


def _judged(resumed: StepResult | None, *, passes: bool) -> tuple[Result, str]:
    if resumed is None:
        return "interrupted", _CUT
    if not resumed.ok:
        return "failed", resumed.results[-1].reason
    return ("healed", "") if passes else ("interrupted", _ENDED)


def _restarted(resumed: StepResult | None) -> bool:
    return resumed is not None and resumed.kind == _REBOOT
