"""One step at a time: ask what is, work out the way back, and only then do.

Rule 1: No operation is carried out before its undo is known; a step that cannot say how it would
        be undone is not begun.
Rule 2: The first operation that is not carried out ends the work.
Rule 3: Undoing tries everything, in reverse, also the step that failed half-way.
Rule 4: A restart of the machine that has begun ends the run as a crash would, with an open intent.
Rule 5: What comes before a switch or a restart may take hours, so it is asked once more whether the
        time for that is still there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import InputError, ReconcilerError, Restarting
from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, OperationResult
from reconciler.model.outcome import StepResult
from reconciler.model.probe import Probe
from reconciler.model.render import render_step
from reconciler.model.runbook import Runbook
from reconciler.model.step import StepKind
from reconciler.model.system_operation import ArmReturn, RebootInto, StageBoot
from reconciler.model.values import Params
from reconciler.ports import Target

Hook = Callable[[str], None]
Late = Callable[[], str]
"""Why it is too late to begin what people notice; empty when it is not."""

_NOTICED = (ArmReturn, StageBoot, RebootInto)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A step with its parameters bound."""

    id: str
    kind: StepKind
    params: Params

    @property
    def probes(self) -> tuple[Probe, ...]:
        """What must be known before it."""
        return self.kind.before(self.params)


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was begun.

    Attributes:
        result: What became of its operations.
        way_back: The operations that undo it.
        touched: Whether anything was begun on the machine; an operation that failed may have done
            half.
    """

    step: Prepared
    result: StepResult
    way_back: tuple[Operation, ...]
    touched: bool


@dataclass(frozen=True, slots=True)
class Worker:
    """The hands: one target, one deadline for questions, one hook between any two things."""

    target: Target
    deadline_s: float
    hook: Hook
    late: Late

    def ask(self, probes: Sequence[Probe]) -> Answers:
        """Answers to distinct probes, in one round."""
        distinct = tuple(dict.fromkeys(probes))
        return Answers(self.target.ask(distinct, self.deadline_s) if distinct else {})

    def do(self, step: Prepared) -> Done:
        """Do one step, as far as it goes."""
        self.hook(f"before-step:{step.id}")
        before = self.ask(step.probes)
        try:
            operations = step.kind.do(step.params, before)
            way_back = step.kind.undo(step.params, before)
        except ReconcilerError as error:
            refused = OperationResult(ok=False, reason=error.message, ms=0)
            return Done(step, StepResult(step.id, step.kind.id, (refused,)), (), touched=False)
        results = tuple(self._until_failure(step.id, operations))
        self.hook(f"after-step:{step.id}")
        result = StepResult(step.id, step.kind.id, results)
        touched = any(each.begun for each in results)
        return Done(step, result, way_back, touched=touched)

    def undo(self, done: Sequence[Done]) -> tuple[StepResult, ...]:
        """Undo steps, the newest first."""
        return tuple(self._undo(step) for step in reversed(done) if step.way_back)

    def _undo(self, done: Done) -> StepResult:
        self.hook(f"undo-step:{done.step.id}")
        results = tuple(self.target.carry_out(operation) for operation in done.way_back)
        return StepResult(done.step.id, done.step.kind.id, results)

    def _until_failure(
        self, step: str, operations: Sequence[Operation]
    ) -> Iterator[OperationResult]:
        for number, operation in enumerate(operations, 1):
            late = self.late() if isinstance(operation, _NOTICED) else ""
            if late:
                yield OperationResult(ok=False, reason=late, ms=0)
                return
            result = self.target.carry_out(operation)
            yield result
            if not result.ok:
                return
            self.hook(f"after-operation:{step}:{number}")
            if isinstance(operation, RebootInto):
                # What comes of it is seen by the first look after it, not by this process.
                raise Restarting(
                    "the machine restarts now",
                    hint="The first run after the restart says what came of it.",
                )


def prepare(
    runbook: Runbook, steps: Mapping[str, StepKind], params: Params
) -> tuple[Prepared, ...]:
    """Every step of a runbook with its parameters bound, before any of them is done.

    Raises:
        InputError: A kind of step is not known, or does not take its parameters.
    """
    prepared = []
    for step in runbook.steps:
        kind = steps.get(step.use)
        if kind is None:
            raise InputError(
                f"step {step.id} is of the unknown kind {step.use}",
                hint="Upgrade the appliance, or correct the runbook.",
            )
        bound = render_step(step, kind, params)
        if bound is not None:
            prepared.append(Prepared(step.id, kind, bound))
    return tuple(prepared)
