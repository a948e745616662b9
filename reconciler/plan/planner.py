"""Tier L1: the answer of a healing rule, or else the rule's own remedy.

Rule 1: Only a ``fail`` is planned for; ``unknown`` is not a fault that anyone saw.
Rule 2: A finding goes to its own rule and its own target, or nowhere (lesson 25).
Rule 3: Every failing finding ends in exactly one place: in one action, or among the unplanned.
Rule 4: The same runbook with the same parameters is one action, however many rules call for it.
Rule 5: A healing rule that matches decides, even where its answer cannot be planned: what it was
        written to prevent must not happen because it has a fault.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import EvidenceError, InputError
from reconciler.evidence.canonical import digest
from reconciler.model.desired import BoundRule, DesiredState, PinnedRunbook
from reconciler.model.finding import Finding, Severity
from reconciler.model.healing_rule import HealingRule
from reconciler.model.parameter import bind
from reconciler.model.plan import Action, Plan, Tier, Unplanned
from reconciler.model.values import Value
from reconciler.plan.choice import chosen, filled

_ORDER: Mapping[Severity, int] = {"critical": 0, "high": 1, "medium": 2, "low": 3}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one rule asks for: a runbook, its parameters, and the id of that work.

    Attributes:
        healing: The healing rule that answered; ``None`` when nothing but the rule itself did.
    """

    rule: BoundRule
    id: str
    pinned: PinnedRunbook
    params: Mapping[str, Value]
    healing: str | None = None


def plan(findings: Sequence[Finding], desired: DesiredState) -> Plan:
    """The actions that should put failing findings right, and what is left to people.

    Actions come in order of the severest rule they serve, then by runbook and id, so that the
    order does not depend on the order of findings.

    Raises:
        InputError: A finding is about another target, or about a rule that is not desired here.
    """
    rules = {rule.id: rule for rule in desired.rules}
    failing = sorted((f for f in findings if f.status == "fail"), key=lambda f: f.rule)
    proposed = [answer(_rule_of(f, rules, desired), f, desired) for f in failing]
    actions = _actions([p for p in proposed if isinstance(p, Proposal)], desired.target)
    return plan_of(actions, [left for left in proposed if isinstance(left, Unplanned)])


def plan_of(actions: Sequence[Action], unplanned: Sequence[Unplanned]) -> Plan:
    """A plan of some actions, in this order, and of what is left to people."""
    return Plan(tuple(actions), tuple(unplanned), _digest(actions, unplanned))


def action_id(target: str, runbook: str, runbook_digest: str, params: Mapping[str, Value]) -> str:
    """Hex SHA-256 over what makes two pieces of work the same work.

    Raises:
        EvidenceError: A parameter has no canonical form.
    """
    work = {
        "target": target,
        "runbook": runbook,
        "runbook_digest": runbook_digest,
        "params": _plain(params),
    }
    return digest(work)


def _rule_of(finding: Finding, rules: Mapping[str, BoundRule], desired: DesiredState) -> BoundRule:
    rule = rules.get(finding.rule)
    if finding.target != desired.target or rule is None:
        raise InputError(
            f"finding {finding.target}: {finding.rule} is not about {desired.target}",
            hint="Nothing was planned: findings and desired state must be of the same host.",
        )
    return rule


def answer(rule: BoundRule, finding: Finding, desired: DesiredState) -> Proposal | Unplanned:
    """The work that a failing finding leads to, or why it leads to none."""
    healing = chosen(rule, finding, desired)
    if not healing:
        return propose(rule, desired)
    if not rule.enforce:
        return _observed(rule, " or ".join(sorted({each.runbook for each in healing})))
    if len(healing) > 1:
        names = ", ".join(each.id for each in healing)
        detail = f"healing rules of equal priority match: {names}"
        return Unplanned(rule.id, "conflict", detail)
    return _healed(rule, finding, healing[0], desired)


def propose(rule: BoundRule, desired: DesiredState) -> Proposal | Unplanned:
    """The work that a failing rule asks for by itself, or why it asks for none."""
    if rule.remedy is None:
        return Unplanned(rule.id, "no-remedy")
    if not rule.enforce:
        return _observed(rule, rule.remedy.runbook)
    return prepare(rule, rule.remedy.runbook, rule.remedy.params, desired)


def prepare(
    rule: BoundRule, runbook: str, given: Mapping[str, Value], desired: DesiredState
) -> Proposal | Unplanned:
    """One runbook with parameters for one rule, whoever chose it, or why that cannot be."""
    pinned = desired.runbooks.get(runbook)
    if pinned is None:
        return Unplanned(rule.id, "no-runbook", f"there is no runbook {runbook}")
    if (left := misfit(rule, pinned, desired)) is not None:
        return left
    params, problems = bind(dict(pinned.runbook.parameters), given)
    if problems:
        return Unplanned(rule.id, "bad-parameters", "; ".join(problems))
    try:
        found = action_id(desired.target, pinned.runbook.id, pinned.digest, params)
    except EvidenceError as error:
        return Unplanned(rule.id, "bad-parameters", error.message)
    return Proposal(rule, found, pinned, params)


def _observed(rule: BoundRule, runbook: str) -> Unplanned:
    return Unplanned(rule.id, "observe", f"{runbook} is the remedy under enforce")


def _healed(
    rule: BoundRule, finding: Finding, healing: HealingRule, desired: DesiredState
) -> Proposal | Unplanned:
    pinned = desired.runbooks.get(healing.runbook)
    declared = pinned.runbook.parameters if pinned else {}
    given, problems = filled(healing.params, declared, rule, finding)
    if problems:
        return Unplanned(rule.id, "bad-parameters", f"{healing.id}: {'; '.join(problems)}")
    made = prepare(rule, healing.runbook, given, desired)
    return replace(made, healing=healing.id) if isinstance(made, Proposal) else made


def misfit(rule: BoundRule, pinned: PinnedRunbook, desired: DesiredState) -> Unplanned | None:
    """Why a runbook cannot answer a rule on this host, whatever its parameters are."""
    runbook, kind = pinned.runbook, desired.host.kind
    if rule.check not in runbook.fixes:
        detail = f"{runbook.id} does not fix {rule.check}"
        return Unplanned(rule.id, "not-fixed-by-runbook", detail)
    if kind not in runbook.platforms:
        # A fix for one platform is damage on another: NixOS "fixed" with sed (lesson 9).
        return Unplanned(rule.id, "not-for-this-platform", f"{runbook.id} is not for {kind}")
    return None


def _actions(proposals: Sequence[Proposal], target: str) -> tuple[Action, ...]:
    groups: dict[str, list[Proposal]] = {}
    for proposal in proposals:
        groups.setdefault(proposal.id, []).append(proposal)
    return tuple(action_of(group, target) for group in sorted(groups.values(), key=_rank))


def _rank(group: Sequence[Proposal]) -> tuple[int, str, str]:
    severest = min(_ORDER[proposal.rule.severity] for proposal in group)
    return severest, group[0].pinned.runbook.id, group[0].id


def action_of(group: Sequence[Proposal], target: str, tier: Tier = "L1") -> Action:
    """One action for proposals of the same work.

    Args:
        group: At least one; all with the same id.
        target: ``<client>/<host>``.
        tier: Who chose it.
    """
    first = group[0]
    return Action(
        id=first.id,
        target=target,
        tier=tier,
        rules=tuple(sorted(proposal.rule.id for proposal in group)),
        runbook=first.pinned.runbook.id,
        runbook_digest=first.pinned.digest,
        params=first.params,
        healing=tuple(sorted({p.healing for p in group if p.healing is not None})),
    )


def _digest(actions: Sequence[Action], unplanned: Sequence[Unplanned]) -> str:
    return digest(
        {
            "actions": [{"id": a.id, "tier": a.tier, "rules": list(a.rules)} for a in actions],
            "unplanned": [{"rule": left.rule, "reason": left.reason} for left in unplanned],
        }
    )


def _plain(params: Mapping[str, Value]) -> dict[str, object]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in params.items()
    }
