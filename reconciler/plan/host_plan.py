"""What one host would be held to, and what may be done to it: the thing that people approve.

Rule 1: It is a function of the documents alone. No clock, no commit id, nothing of ``approvals/``,
no comment and no order of keys takes part, so an approval neither changes nor outlives what it
is about.
Rule 2: What judges or acts takes part; what only describes (names, contacts, reasons, titles) does
not. A setting of client or host that is added later takes part until somebody says it describes.
Rule 3: What a healing rule may choose is told with its parameters where those are known; where they
        depend on what will be observed, the rule itself is what people approve.
Rule 4: A pull request and an appliance call this one function; both name the same digest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.evidence.canonical import digest
from reconciler.model.desired import BoundRule, DesiredState, PinnedRunbook
from reconciler.model.exemption import PolicyException
from reconciler.model.expectation import Expectation
from reconciler.model.healing_rule import FactRef, HealingRule, HealingValue
from reconciler.model.rule import bound
from reconciler.model.values import Params, Scalar, Value
from reconciler.plan.choice import answers, filled, observes
from reconciler.plan.facts import may_answer
from reconciler.plan.planner import Proposal, misfit, prepare, propose

FORMAT = 2

_CLIENT_DESCRIBES = {"id", "name", "contacts", "escalation", "kill_switch"}
_HOST_DESCRIBES = {"id", "policies", "declares", "overrides", "kill_switch"}
"""Policies, declarations and overrides have become bound rules; switches are listed by scope."""
_SETS = {"one_of", "contains_all", "contains_none", "subset_of", "same_set"}


def host_plan(desired: DesiredState) -> dict[str, Any]:
    """The plan of one host as canonical JSON values.

    Returns:
        ``format``, ``target``, ``client`` and ``host`` (settings that judge or act), ``features``
        (of the tier), ``kill_switches`` (scopes), ``guards`` (their numbers), ``rules``,
        ``healing`` (rules that can match here), ``runbooks`` (those that a rule leads to, or a
        healing rule may choose, under enforce), ``exceptions``; every list in an order of its own.
    """
    return {
        "format": FORMAT,
        "target": desired.target,
        "client": desired.client.model_dump(mode="json", exclude=_CLIENT_DESCRIBES),
        "host": desired.host.model_dump(mode="json", exclude=_HOST_DESCRIBES),
        "features": sorted(desired.features),
        "kill_switches": sorted(desired.kill_switches),
        "guards": dict(_numbers(desired.guards.model_dump(mode="json"))),
        "rules": [_rule(rule) for rule in sorted(desired.rules, key=lambda rule: rule.id)],
        "healing": [_healing(each) for each in _answering(desired)],
        "runbooks": _runbooks(desired),
        "exceptions": [_exception(e) for e in sorted(desired.exceptions, key=lambda e: e.id)],
    }


def plan_digest(desired: DesiredState) -> str:
    """Hex SHA-256 over the canonical bytes of `host_plan`.

    Raises:
        EvidenceError: A value has no canonical form, such as a number beyond 2^53.
    """
    return digest(host_plan(desired))


def fleet_digest(hosts: Mapping[str, str]) -> str:
    """Hex SHA-256 over the plan digests of every host of a revision: what a reviewer approves.

    Args:
        hosts: `plan_digest` of each host, by ``<client>/<host>``.
    """
    return digest({"format": FORMAT, "hosts": dict(hosts)})


def _rule(rule: BoundRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "check": rule.check,
        "params": _params(rule.params),
        "expect": {field: _expectation(wanted) for field, wanted in rule.expect.items()},
        "severity": rule.severity,
        "controls": sorted(rule.controls),
        "enforce": rule.enforce,
        "remedy": rule.remedy
        and {"runbook": rule.remedy.runbook, "params": _params(rule.remedy.params)},
    }


def _numbers(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every number by its place: ``cooldown.base_s``."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _numbers(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _answering(desired: DesiredState) -> list[HealingRule]:
    found = (each for each in desired.healing if answers(each, desired.host, desired.rules))
    return sorted(found, key=lambda each: each.id)


def _healing(healing: HealingRule) -> dict[str, Any]:
    match = healing.match
    return {
        "id": healing.id,
        "check": match.check,
        "rules": sorted(set(match.rules)),
        "roles": sorted(set(match.roles)),
        "tags": sorted(set(match.tags)),
        "severity": sorted(set(match.severity)),
        "where": {name: _expectation(bound(raw, {})) for name, raw in match.where.items()},
        "priority": healing.priority,
        "runbook": healing.runbook,
        "params": {name: _given(value) for name, value in healing.params.items()},
    }


def _given(value: HealingValue) -> Any:
    return {"ref": value.ref} if isinstance(value, FactRef) else _value(value)


@dataclass(slots=True)
class _Work:
    """What may be done with one runbook.

    Attributes:
        known: With parameters that are known.
        later: Rules by the healing rule that takes parameters from what will be observed.
    """

    known: list[Proposal] = field(default_factory=list)
    later: dict[str, list[str]] = field(default_factory=dict)


def _runbooks(desired: DesiredState) -> list[dict[str, Any]]:
    work: dict[str, _Work] = {}
    for rule in desired.rules:
        proposed = propose(rule, desired)
        if isinstance(proposed, Proposal):
            work.setdefault(proposed.pinned.runbook.id, _Work()).known.append(proposed)
    for healing in _answering(desired):
        for rule in desired.rules:
            if rule.enforce and may_answer(healing, rule):
                _foresee(healing, rule, desired, work)
    return [_runbook(desired.runbooks[name], work[name]) for name in sorted(work)]


def _foresee(
    healing: HealingRule, rule: BoundRule, desired: DesiredState, work: dict[str, _Work]
) -> None:
    """Enter what a healing rule would do about a rule, as far as that is known today."""
    pinned = desired.runbooks.get(healing.runbook)
    if pinned is None or misfit(rule, pinned, desired) is not None:
        return
    if observes(healing):
        found = work.setdefault(healing.runbook, _Work())
        found.later.setdefault(healing.id, []).append(rule.id)
        return
    given, problems = filled(healing.params, pinned.runbook.parameters, rule, None)
    proposed = None if problems else prepare(rule, healing.runbook, given, desired)
    if isinstance(proposed, Proposal):
        work.setdefault(healing.runbook, _Work()).known.append(proposed)


def _runbook(pinned: PinnedRunbook, work: _Work) -> dict[str, Any]:
    actions: dict[str, Proposal] = {proposal.id: proposal for proposal in work.known}
    return {
        "id": pinned.runbook.id,
        "digest": pinned.digest,
        "approved": pinned.approved,
        "mode": pinned.runbook.mode,
        "blast_radius": pinned.runbook.blast_radius,
        "access_guarded": pinned.runbook.access_guarded,
        "actions": [
            {
                "id": key,
                "params": _params(actions[key].params),
                "rules": sorted({p.rule.id for p in work.known if p.id == key}),
            }
            for key in sorted(actions)
        ],
        "by_observation": [
            {"healing": name, "rules": sorted(work.later[name])} for name in sorted(work.later)
        ],
    }


def _exception(exception: PolicyException) -> dict[str, Any]:
    """An exception that names this host; whether it is over is a question of the day it is."""
    return {
        "id": exception.id,
        "status": exception.status,
        "control": exception.control,
        "rules": sorted(exception.rules),
        "review_by": exception.review_by.isoformat(),
    }


def _expectation(wanted: Expectation) -> dict[str, Any]:
    value: Any = wanted.value
    if isinstance(value, tuple):
        # In a set, order and repetition say nothing.
        value = sorted(set(value), key=_rank) if wanted.op in _SETS else list(value)
    return {"op": wanted.op, "value": value, "inner": [_expectation(i) for i in wanted.inner]}


def _rank(value: Scalar) -> tuple[str, str]:
    return type(value).__name__, str(value)


def _params(params: Params) -> dict[str, Any]:
    return {name: _value(value) for name, value in params.items()}


def _value(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value
