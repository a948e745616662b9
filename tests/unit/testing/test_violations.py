"""Every rule that is shipped can be met, and every field of it can be violated and is judged so."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from reconciler.checks import catalogue as checks
from reconciler.desired.gate.reading import read_work_tree
from reconciler.diff.judge import judge
from reconciler.engine.scaffold.files import fleet_files, templates
from reconciler.model.desired import BoundRule, DesiredState
from reconciler.model.expectation import Expectation
from reconciler.model.finding import Finding
from reconciler.model.observation import Observation
from reconciler.model.values import Kind, Value
from reconciler.steps import catalogue as steps
from reconciler.testing.rehearsal.declared import CLIENT, HOST, declaration
from reconciler.testing.violations import broken, compliant, violations

BASELINES = {"linux": "linux-hipaa-v1", "nixos": "nixos-hipaa-v1"}


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, DesiredState]:
    """A host of each kind that declares something of everything."""
    found = {}
    for kind, baseline in BASELINES.items():
        root = tmp_path_factory.mktemp(kind)
        texts = fleet_files(templates(), CLIENT, HOST)
        texts |= declaration("clinicadmin", "SHA256:" + "A" * 43, policies=(baseline,))
        path = f"hosts/{CLIENT}/{HOST}.yaml"
        texts[path] = texts[path].replace("kind: linux", f"kind: {kind}")
        # What a container has from its host is no matter here: every rule is judged as shipped.
        texts[path] = texts[path].partition("overrides:")[0]
        for name, text in texts.items():
            file = Path(root, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        reading = read_work_tree(root, checks.load(), steps.load())
        assert reading.whole, reading.remarks
        found[kind] = reading.states[f"{CLIENT}/{HOST}"]
    return found


def judged(rule: BoundRule, values: Mapping[str, Value]) -> Finding:
    observation = Observation(rule.check, "seen", values)
    return judge(
        rule, observation, target="c/h", exceptions=(), controls={}, today=date(2026, 1, 1)
    )


def cannot_fail(asked: Expectation) -> bool:
    """Whether a rule names a field only so that evidence holds what was seen."""
    both = {str(inner) for inner in asked.inner}
    return asked.op == "any" and any(
        both == {str(Expectation(op, value)) for value in (True, False)}
        for op in ("equals", "absent")
    )


@pytest.mark.parametrize("kind", BASELINES)
def test_every_rule_passes_what_it_asks_for_and_fails_each_violation_of_each_field(
    kind: str, states: Mapping[str, DesiredState]
) -> None:
    seen: set[str] = set()
    count = 0
    for rule in states[kind].rules:
        check = checks.load()[rule.check]
        assert judged(rule, compliant(rule, check)).status == "pass", rule.id
        fields = set()
        for violation in violations(rule, check):
            finding = judged(rule, violation.values)
            assert finding.status == "fail", violation
            assert finding.failed == (violation.field,), violation
            fields.add(violation.field)
            count += 1
        told = {name for name, asked in rule.expect.items() if cannot_fail(asked)}
        assert fields == set(rule.expect) - told, rule.id
        seen.add(rule.check)
    assert len(seen) >= 30
    assert count >= 100


@pytest.mark.parametrize(
    ("expected", "kind", "values"),
    [
        (Expectation("at_least", 3), "int", (2,)),
        (Expectation("at_most", 3), "int", (4,)),
        (Expectation("equals", True), "bool", (False,)),
        (Expectation("one_of", (1, 5)), "int", (6,)),
        (Expectation("one_of", ("a",)), "str", ("drifted",)),
        (Expectation("subset_of", ("a",)), "list[str]", (("a", "drifted"),)),
        (Expectation("same_set", ("a",)), "list[str]", (("a", "drifted"), ())),
        (Expectation("contains_none", ("a",)), "list[str]", (("a",),)),
        (Expectation("absent", True), "str", ("drifted",)),
        (Expectation("absent", False), "str", (None,)),
        (Expectation("not", inner=(Expectation("equals", "a"),)), "str", ("a",)),
        (Expectation("each", inner=(Expectation("at_least", 1),)), "list[int]", ((0,),)),
        (
            Expectation("any", inner=(Expectation("absent", True), Expectation("at_least", 3))),
            "int",
            (1, 2),
        ),
    ],
)
def test_what_breaks_an_expectation(
    expected: Expectation, kind: Kind, values: tuple[Value, ...]
) -> None:
    assert broken(expected, kind) == values
