"""The whole policy graph, checked at once: every id exists, every type fits.

rule → check → parameters → runbook → step → control → exception → approval. Run in the pull
request and again on the appliance, so a dangling or mistyped edge never reaches a machine (lessons
3, 27).
"""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.desired.fleet import Fleet
from reconciler.desired.graph.answers import answer_problems
from reconciler.desired.graph.approvals import (
    approval_problems,
    high_risk_problems,
    plan_problems,
)
from reconciler.desired.graph.context import Graph
from reconciler.desired.graph.exceptions import exception_problems
from reconciler.desired.graph.fleet_wide import fleet_wide_problems
from reconciler.desired.graph.freeze import freeze_problems
from reconciler.desired.graph.freshness import freshness_problems
from reconciler.desired.graph.healing import healing_problems
from reconciler.desired.graph.hosts import client_problems, host_problems
from reconciler.desired.graph.named import named_problems
from reconciler.desired.graph.policies import baseline_problems, framework_problems
from reconciler.desired.graph.rings import ring_problems
from reconciler.desired.graph.rules import rule_problems
from reconciler.desired.graph.runbooks import runbook_problems, safe_runbooks
from reconciler.desired.graph.tiers import tier_problems
from reconciler.desired.graph.vulnerabilities import vulnerability_problems
from reconciler.desired.problem import Problem
from reconciler.model.check import Check
from reconciler.model.step import StepKind

__all__ = ["Problem", "check_fleet"]


def check_fleet(
    fleet: Fleet, checks: Mapping[str, Check], steps: Mapping[str, StepKind]
) -> list[Problem]:
    """Everything that is wrong with a fleet: its files, and what they say of one another.

    Args:
        fleet: As read.
        checks: The catalogue of checks, by id.
        steps: The catalogue of kinds of step, by id.

    Returns:
        Problems by file and line, each once; a fleet with an ``error`` may not be used.
    """
    whole = Graph(fleet, checks, steps, fleet.controls())
    graph = replace(whole, fleet=replace(fleet, runbooks=safe_runbooks(fleet.runbooks)))
    of_rules = rule_problems(graph)
    faulty = frozenset(
        name
        for name, problems in of_rules.items()
        if any(problem.severity == "error" for problem in problems)
    )
    # A rule whose file cannot be read is reported there, not again at every host.
    unread = frozenset(
        name
        for baseline in fleet.baselines.values()
        for name in baseline.rules
        if name not in fleet.rules
    )
    found = [
        *fleet.problems,
        *(problem for problems in of_rules.values() for problem in problems),
        *runbook_problems(whole),
        *baseline_problems(graph),
        *framework_problems(graph),
        *exception_problems(graph),
        *approval_problems(graph),
        *high_risk_problems(graph),
        *fleet_wide_problems(graph),
        *named_problems(graph),
        *ring_problems(graph),
        *vulnerability_problems(graph),
        *healing_problems(graph),
        *freeze_problems(graph),
        *tier_problems(graph),
        *client_problems(graph),
        *freshness_problems(graph),
        *host_problems(graph, faulty | unread),
    ]
    if not any(problem.severity == "error" for problem in found):
        found += [*plan_problems(whole, checks), *answer_problems(whole)]
    return sorted(dict.fromkeys(found), key=_place)


def _place(problem: Problem) -> tuple[str, int, str]:
    return problem.where.file, problem.where.line or 0, problem.message
