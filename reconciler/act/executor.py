"""One action, from a receipt to an outcome.

Rule 1: No receipt of an ``intent``, no step: the evidence comes first (design promise 2).
Rule 2: Only the runbook that was planned, approved and pinned runs.
Rule 3: The outcome is what the second look says. Steps that report success make nothing healed;
        a step that was not carried out makes ``healed`` impossible, even when the look is good:
        a check may read settings that the running program never took over.
Rule 4: What did not heal is undone, and the undoing is looked at, too.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.act import rollback
from reconciler.act.rollback import Rollback
from reconciler.act.second_look import Also, Look, SecondLook, Seen
from reconciler.act.work import Done, Hook, Late, Prepared, Worker, prepare
from reconciler.errors import EvidenceError, InputError
from reconciler.model.answer import Answers
from reconciler.model.desired import PinnedRunbook
from reconciler.model.outcome import Outcome, Result, StepResult
from reconciler.model.parameter import bind
from reconciler.model.plan import Action
from reconciler.model.step import StepKind
from reconciler.ports import Clock, ReceiptLike, Target


def _nothing(_where: str) -> None:
    return


def _never() -> str:
    return ""


def execute(
    action: Action,
    pinned: PinnedRunbook,
    receipt: ReceiptLike,
    target: Target,
    steps: Mapping[str, StepKind],
    *,
    look: Look,
    also: Also,
    clock: Clock,
    deadline_s: float,
    hook: Hook = _nothing,
    late: Late = _never,
) -> Outcome:
    """Carry one action out.

    Args:
        action: Admitted by every guard.
        pinned: The runbook, as the desired state in force pins it.
        receipt: Of the intent that announced this action.
        target: The machine.
        steps: The catalogue of kinds of steps.
        look: A fresh finding for each of the action's rules.
        also: A fresh finding for each ``also_verify`` of the runbook, in its order.
        clock: For waiting between looks; durations come from its monotonic time.
        deadline_s: Seconds for each question asked before and after the steps.
        hook: Called with a name between any two things that touch the machine. What it raises
            ends the work there, as a crash would.
        late: Asked before a switch or a restart of the machine begins: why it may not any more.

    Returns:
        ``healed``, ``rolled_back``, ``failed``, or ``denied`` when the runbook is not the one
        that was planned.

    Raises:
        EvidenceError: The receipt is not one of an intent; nothing was done.
        Restarting: A step restarts the machine; a later run closes the intent.
    """
    if receipt.kind != "intent" or not receipt.digest:
        raise EvidenceError(
            f"a receipt of kind {receipt.kind!r} does not announce an action",
            hint="Append a signed intent first; nothing was done.",
        )
    story = _Story(action, receipt.seq)
    problem = _not_as_planned(action, pinned)
    if problem:
        return story.end("denied", problem, Seen({}, problem))
    eyes = SecondLook(action, pinned.runbook.also_verify, look, also, clock, hook)
    try:
        prepared = prepare(pinned.runbook, steps, action.params)
    except InputError as error:
        return story.end("failed", error.message, eyes.once())
    return _carry_out(story, pinned, prepared, Worker(target, deadline_s, hook, late), eyes)


@dataclass(frozen=True, slots=True)
class _Story:
    action: Action
    intent: int

    def end(
        self,
        result: Result,
        reason: str,
        seen: Seen,
        *,
        done: Sequence[Done] = (),
        undone: tuple[StepResult, ...] = (),
        back: Rollback = "none",
    ) -> Outcome:
        return Outcome(
            action=self.action.id,
            runbook=self.action.runbook,
            rules=self.action.rules,
            result=result,
            reason=reason,
            steps=tuple(step.result for step in done),
            undone=undone,
            rollback=back,
            after=seen.findings,
            intent=self.intent,
        )


def _not_as_planned(action: Action, pinned: PinnedRunbook) -> str | None:
    if pinned.runbook.id != action.runbook or not pinned.approved:
        return f"{action.runbook} is not approved"
    if not hmac.compare_digest(pinned.digest.encode(), action.runbook_digest.encode()):
        return f"{action.runbook} changed since it was planned"
    _params, problems = bind(dict(pinned.runbook.parameters), action.params)
    return "; ".join(problems) or None


def _carry_out(
    story: _Story,
    pinned: PinnedRunbook,
    prepared: Sequence[Prepared],
    worker: Worker,
    eyes: SecondLook,
) -> Outcome:
    before = worker.ask([probe for step in prepared for probe in step.probes])
    done, reason = _do(prepared, worker)
    if not reason:
        seen = eyes.settle(pinned.runbook.settle_s)
        if not seen.shortfall:
            return story.end("healed", "", seen, done=done)
        reason = f"not healed: {seen.shortfall}"
    return _take_back(story, reason, done, before, worker, eyes)


def _do(prepared: Sequence[Prepared], worker: Worker) -> tuple[list[Done], str]:
    done: list[Done] = []
    for step in prepared:
        done.append(worker.do(step))
        result = done[-1].result
        if not result.ok:
            return done, f"step {step.id} was not carried out: {result.results[-1].reason}"
    return done, ""


def _take_back(
    story: _Story,
    reason: str,
    done: Sequence[Done],
    before: Answers,
    worker: Worker,
    eyes: SecondLook,
) -> Outcome:
    if not any(step.touched for step in done):
        return story.end("failed", reason, eyes.once(), done=done)
    undone = worker.undo(done)
    back = rollback.judge(done, before, worker.ask(rollback.probes_of(done)))
    result: Result = "rolled_back" if back == "verified" else "failed"
    return story.end(result, reason, eyes.once(), done=done, undone=undone, back=back)
