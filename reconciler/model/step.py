"""A kind of step: typed parameters to operations, and the way back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe
from reconciler.model.values import Params


def _nothing(_params: Params) -> tuple[Probe, ...]:
    return ()


def _no_way_back(_params: Params, _before: Answers) -> tuple[Operation, ...]:
    return ()


def _nothing_to_resume(_params: Params) -> tuple[Operation, ...]:
    return ()


def _cuts_nothing(_params: Params) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKind:
    """One kind of step.

    Attributes:
        id: For example ``unit.restart``; the file name is its form with underscores.
        doc: One sentence.
        params: Typed parameters.
        before: What must be known before the step, to render it and to undo it.
        do: From parameters and what was seen before to operations.
        undo: The way back, from the same; empty when there is none (`reversible` says so).
        resume: What must be done before the next look when the step was cut off, by a crash or by
            the restart of the machine that it asked for. It brings the step to an end, or takes it
            back, by what the machine itself remembers.
        reversible: Whether `undo` returns the machine to what `before` saw.
        restarts: Whether it restarts the machine; such a runbook runs in maintenance windows alone.
        cuts: Access the step takes away: ``unit:ssh.service``, ``port:tcp/22``, ``file:/etc/…``,
            ``port:*`` (every port), ``port:!tcp/22,tcp/443`` (every port but these).
        touches: Access the step changes without taking it away, in the same words.
    """

    id: str
    doc: str
    params: Mapping[str, Parameter]
    do: Callable[[Params, Answers], tuple[Operation, ...]]
    before: Callable[[Params], tuple[Probe, ...]] = field(default=_nothing)
    undo: Callable[[Params, Answers], tuple[Operation, ...]] = field(default=_no_way_back)
    resume: Callable[[Params], tuple[Operation, ...]] = field(default=_nothing_to_resume)
    reversible: bool
    restarts: bool = False
    cuts: Callable[[Params], frozenset[str]] = field(default=_cuts_nothing)
    touches: Callable[[Params], frozenset[str]] = field(default=_cuts_nothing)
