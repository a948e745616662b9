"""Questions to a language model for tests: a finding, its candidates, what may be answered."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.advise.candidates import Candidate, candidates
from reconciler.advise.question import Question, compose
from reconciler.checks import catalogue
from reconciler.model.desired import BoundRule, DesiredState
from reconciler.model.expectation import Expectation
from reconciler.model.finding import Finding
from tests.support.desired_states import make_desired, make_finding, make_rule, make_runbook, pin

NONCE = b"n" * 16
UNITS = ("chrony.service", "chronyd.service", "systemd-timesyncd.service", "ntpsec.service")


def timed_rule(**changes: Any) -> BoundRule:
    """The rule about time, without a remedy."""
    return make_rule(**({"remedy": None} | changes))


def timed_finding(**changes: Any) -> Finding:
    fields: dict[str, Any] = {"observed": {"active": False}, "failed": ("active",)}
    return make_finding(**(fields | changes))


def timed_runbook(runbook_id: str = "RB-TIME-001", **changes: Any) -> Any:
    """A runbook whose one parameter is one of four units."""
    unit = {"type": "str", "doc": "x", "enum": list(UNITS)}
    return make_runbook(runbook_id, **({"parameters": {"unit": unit}} | changes))


def timed_desired(*runbooks: Any, **changes: Any) -> DesiredState:
    rules = (timed_rule(),)
    return make_desired(rules=rules, runbooks=[pin(one) for one in runbooks], **changes)


def offered(
    desired: DesiredState, finding: Finding | None = None, rule: BoundRule | None = None
) -> tuple[Candidate, ...]:
    found, _more = candidates(rule or desired.rules[0], finding or timed_finding(), desired)
    return found


def make_question(
    desired: DesiredState | None = None,
    *,
    observed: Mapping[str, Any] | None = None,
    expect: Mapping[str, Expectation] | None = None,
    nonce: bytes = NONCE,
) -> Question:
    """A question about the rule of time, with other values where a test needs them."""
    state = desired or timed_desired(timed_runbook())
    rule, finding = state.rules[0], timed_finding()
    if observed is not None:
        finding = replace(finding, observed=dict(observed), failed=tuple(observed))
        wanted = {name: Expectation("equals", True) for name in observed}
        rule = replace(rule, expect={**wanted, **(expect or {})})
    check = catalogue.load()[rule.check]
    return compose(rule, finding, check, state, candidates(rule, finding, state), nonce)
