"""What every part of the graph check needs: the fleet, the catalogues, how to say what is wrong."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.desired.fitting import Flaw
from reconciler.desired.fleet import Fleet
from reconciler.desired.layout import Kind
from reconciler.desired.problem import Problem, error
from reconciler.desired.suggest import did_you_mean
from reconciler.errors import Where
from reconciler.model.check import Check
from reconciler.model.framework import Control
from reconciler.model.step import StepKind

MANY: Mapping[str, str] = {
    "rule": "rules",
    "baseline": "baselines",
    "framework": "frameworks",
    "exception": "exceptions",
    "approval": "approvals",
    "tier": "tiers",
    "runbook": "runbooks",
    "client": "clients",
    "host": "hosts",
}
"""The attribute of a fleet that holds the documents of a kind."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A fleet beside the catalogues that it must fit.

    Attributes:
        controls: Every control of every framework, by ``<framework>:<control>``.
    """

    fleet: Fleet
    checks: Mapping[str, Check]
    steps: Mapping[str, StepKind]
    controls: Mapping[str, Control]

    def no_document(self, where: Where, kind: Kind, name: str) -> Iterator[Problem]:
        """A problem when no file holds a document; a file that cannot be read is known already."""
        if not self.fleet.has(kind, name):
            known = getattr(self.fleet, MANY[kind])
            yield error(where, f"there is no {kind} {name}", did_you_mean(name, known))

    def no_check(self, where: Where, name: str) -> Iterator[Problem]:
        """A problem when the catalogue has no such check."""
        if name not in self.checks:
            yield error(where, f"there is no check {name}", did_you_mean(name, self.checks))

    def no_controls(self, kind: Kind, key: str, names: Iterable[str]) -> Iterator[Problem]:
        """A problem for every control that its framework does not have."""
        for index, name in enumerate(names):
            framework = name.split(":", 1)[0]
            where = self.fleet.where(kind, key, "controls", index)
            yield from self.no_control(where, framework, name)

    def no_control(self, where: Where, framework: str, name: str) -> Iterator[Problem]:
        """A problem when a framework is not there, or does not have a control."""
        if framework not in self.fleet.frameworks:
            yield from self.no_document(where, "framework", framework)
        elif name not in self.controls:
            known = [control for control in self.controls if control.startswith(f"{framework}:")]
            yield error(where, f"there is no control {name}", did_you_mean(name, known))


def flawed(where: Where, flaw: Flaw) -> Problem:
    """A flaw at a place."""
    return error(where, flaw.message, flaw.hint)


def doubled(where: Where, names: Iterable[str]) -> Iterator[Problem]:
    """A problem for every name that a list has twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield error(where, f"{name} is listed twice", "Remove one.")
        seen.add(name)
