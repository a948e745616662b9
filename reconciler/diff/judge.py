"""One rule against one observation: the only place where findings are made.

Rule 1: ``pass`` needs an observed value for every field that something is expected of.
Rule 2: What could not be observed is ``unknown``, with the reason; it is never a pass or a fail.
Rule 3: One field seen to be wrong is enough for ``fail``, whatever else could not be seen.
Rule 4: An exception changes only a ``fail``, and only while it is in force.
Rule 5: A risk that is accepted without compliance changes no status: a ``fail`` stays a ``fail``,
        and says that the gap is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from reconciler.diff.compare import meets
from reconciler.model.desired import BoundRule
from reconciler.model.exemption import PolicyException
from reconciler.model.finding import Finding, Status
from reconciler.model.framework import Control
from reconciler.model.observation import Observation
from reconciler.model.proposed import is_proposed
from reconciler.model.values import Value, kind_of


def judge(
    rule: BoundRule,
    observation: Observation,
    *,
    target: str,
    exceptions: Sequence[PolicyException],
    controls: Mapping[str, Control],
    today: date,
) -> Finding:
    """Judge one rule.

    Args:
        rule: With every reference bound.
        observation: Of the rule's check.
        target: ``<client>/<host>``.
        exceptions: Of this client; those that do not name this host and rule are ignored.
        controls: By ``<framework>:<id>``; an unknown control cannot be excepted.
        today: Date in the run's time; an exception ends with its ``review_by`` day.
    """
    finding = _judge(rule, observation, target)
    if finding.status != "fail":
        return finding
    return _decided(finding, rule, exceptions, controls, today)


def _judge(rule: BoundRule, observation: Observation, target: str) -> Finding:
    if observation.check != rule.check:
        reason = f"was given an observation of {observation.check}"
        return _finding(rule, observation, target, "unknown", reason)
    if observation.sight == "unobserved":
        reason = observation.reason or "the check gave no reason"
        return _finding(rule, observation, target, "unknown", reason)
    if observation.sight == "not_applicable":
        # "Does not apply" is itself something that was seen (lesson 8), so it has a reason.
        status: Status = "not_applicable" if observation.reason else "unknown"
        reason = observation.reason or "the check did not say why it does not apply"
        return _finding(rule, observation, target, status, reason)
    return _judge_values(rule, observation, target)


def _judge_values(rule: BoundRule, observation: Observation, target: str) -> Finding:
    seen = {
        name: observation.values[name]
        for name in rule.expect
        if name in observation.values and _is_value(observation.values[name])
    }
    failed = tuple(name for name in seen if not meets(rule.expect[name], seen[name]))
    unseen = [name for name in rule.expect if name not in seen]
    status, reason = _status(failed, unseen, len(seen))
    made = _finding(rule, observation, target, status, reason)
    return replace(made, observed=seen, failed=failed)


def _status(failed: Sequence[str], unseen: Sequence[str], seen: int) -> tuple[Status, str]:
    if failed:
        return "fail", ""
    if unseen:
        return "unknown", f"not observed: {', '.join(unseen)}"
    return ("pass", "") if seen else ("unknown", "the rule expects nothing")


def _is_value(value: Value) -> bool:
    return value is None or kind_of(value) is not None


def _finding(
    rule: BoundRule, observation: Observation, target: str, status: Status, reason: str
) -> Finding:
    return Finding(
        rule=rule.id,
        check=rule.check,
        target=target,
        status=status,
        severity=rule.severity,
        controls=rule.controls,
        expected={name: str(expectation) for name, expectation in rule.expect.items()},
        reason=reason,
        raw_digest=observation.raw_digest,
    )


def _decided(
    finding: Finding,
    rule: BoundRule,
    exceptions: Sequence[PolicyException],
    controls: Mapping[str, Control],
    today: date,
) -> Finding:
    """The finding under the first exception in force, or as a known gap, or with the reasons."""
    host = finding.target.partition("/")[2]
    named = [e for e in exceptions if host in e.hosts and rule.rule in e.rules]
    problems = [(e, _problem(e, rule, controls, today)) for e in named]
    held = [e for e, problem in problems if problem is None]
    for exception in held:
        if exception.status == "excepted":
            return replace(
                finding, status="excepted", exception=exception.id, reason=exception.reason
            )
    for exception in held:
        return replace(finding, risk_accepted=exception.id, reason=exception.reason)
    reason = "; ".join(f"exception {exception.id} {problem}" for exception, problem in problems)
    return replace(finding, reason=reason)


def _problem(
    exception: PolicyException, rule: BoundRule, controls: Mapping[str, Control], today: date
) -> str | None:
    control = controls.get(exception.control)
    if exception.control not in rule.controls or control is None:
        return f"is for {exception.control}, which this rule does not serve"
    if exception.status == "excepted":
        if not control.exceptable:
            # 45 CFR 164.306(d)(3): only an addressable specification has an alternative.
            return f"is for {exception.control}, which is required and cannot be excepted"
        if is_proposed(exception.control):
            return f"is for {exception.control}, which is proposed and obliges to nothing"
    return None if exception.term.in_force(today) else exception.term.words(today)
