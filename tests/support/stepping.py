"""Steps done and undone on a fake machine."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation
from reconciler.model.parameter import bind
from reconciler.model.values import Params, Value
from reconciler.steps import catalogue
from reconciler.testing.fake_machine import FakeMachine
from reconciler.testing.fake_target import FakeTarget

KEPT = "/var/lib/reconciler/"


@dataclass(frozen=True)
class Receipt:
    """The receipt of an intent."""

    seq: int = 7
    kind: str = "intent"
    digest: str = "9" * 64


def bound(kind: str, params: Mapping[str, Value]) -> Params:
    complete, problems = bind(dict(catalogue.load()[kind].params), params)
    assert not problems, problems
    return complete


def rendered(
    kind: str, params: Mapping[str, Value], machine: FakeMachine | None = None
) -> tuple[tuple[Operation, ...], tuple[Operation, ...]]:
    """What a step would do to a machine, and how it would undo it."""
    step, complete = catalogue.load()[kind], bound(kind, params)
    answers = Answers(FakeTarget(machine or FakeMachine()).ask(step.before(complete), 1.0))
    return step.do(complete, answers), step.undo(complete, answers)


def carry_out(machine: FakeMachine, operations: tuple[Operation, ...]) -> None:
    target = FakeTarget(machine)
    for operation in operations:
        result = target.carry_out(operation)
        assert result.ok, result.reason


def state(machine: FakeMachine) -> FakeMachine:
    """A copy to compare with; backups and records of proofs are kept on purpose."""
    copy = deepcopy(machine)
    copy.files = {path: f for path, f in copy.files.items() if not path.startswith(KEPT)}
    return copy
