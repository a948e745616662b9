"""What one host would be held to, and what may be done to it: the thing that people approve.

Rule 1: It is a function of the documents alone. No clock, no commit id, nothing of ``approvals/``,
no comment and no order of keys takes part, so an approval neither changes nor outlives what it
is about.
Rule 2: What judges or acts takes part; what only describes (names, contacts, reasons, titles) does
not. A setting of client or host that is added later takes part until somebody says it describes.
Rule 3: A pull request and an appliance call this one function; both name the same digest.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.evidence.canonical import digest
from reconciler.model.desired import BoundRule, DesiredState, PinnedRunbook
from reconciler.model.exemption import PolicyException
from reconciler.model.expectation import Expectation
from reconciler.model.values import Params, Scalar, Value
from reconciler.plan.planner import Proposal, propose

FORMAT = 1

_CLIENT_DESCRIBES = {"id", "name", "contacts", "escalation", "kill_switch"}
_HOST_DESCRIBES = {"id", "policies", "declares", "overrides", "kill_switch"}
"""Policies, declarations and overrides have become bound rules; switches are listed by scope."""
_SETS = {"one_of", "contains_all", "contains_none", "subset_of", "same_set"}


def host_plan(desired: DesiredState) -> dict[str, Any]:
    """The plan of one host as canonical JSON values.

    Returns:
        ``format``, ``target``, ``client`` and ``host`` (settings that judge or act), ``features``
        (of the tier), ``kill_switches`` (scopes), ``rules``, ``runbooks`` (those that a rule
        leads to under enforce), ``exceptions``; every list in an order of its own.
    """
    return {
        "format": FORMAT,
        "target": desired.target,
        "client": desired.client.model_dump(mode="json", exclude=_CLIENT_DESCRIBES),
        "host": desired.host.model_dump(mode="json", exclude=_HOST_DESCRIBES),
        "features": sorted(desired.features),
        "kill_switches": sorted(desired.kill_switches),
        "rules": [_rule(rule) for rule in sorted(desired.rules, key=lambda rule: rule.id)],
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


def _runbooks(desired: DesiredState) -> list[dict[str, Any]]:
    work: dict[str, list[Proposal]] = {}
    for rule in sorted(desired.rules, key=lambda rule: rule.id):
        proposed = propose(rule, desired)
        if isinstance(proposed, Proposal):
            work.setdefault(proposed.pinned.runbook.id, []).append(proposed)
    return [_runbook(desired.runbooks[name], work[name]) for name in sorted(work)]


def _runbook(pinned: PinnedRunbook, proposals: Iterable[Proposal]) -> dict[str, Any]:
    actions: dict[str, dict[str, Any]] = {}
    for proposal in proposals:
        action = actions.setdefault(
            proposal.id, {"id": proposal.id, "params": _params(proposal.params), "rules": []}
        )
        action["rules"].append(proposal.rule.id)
    return {
        "id": pinned.runbook.id,
        "digest": pinned.digest,
        "approved": pinned.approved,
        "mode": pinned.runbook.mode,
        "blast_radius": pinned.runbook.blast_radius,
        "access_guarded": pinned.runbook.access_guarded,
        "actions": [actions[key] for key in sorted(actions)],
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
