"""Rule engines that people use, asked the same questions: which rule answers this finding?

They come from PyPI into a folder of their own, for this run alone; they know no priorities, so each
gets the rules in the order of priority and stops at the first that matches.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from reconciler.model.healing_rule import HealingRule

PACKAGES = ("rule-engine==5.1.0", "business-rules==1.1.1", "zen-engine==2.1.3")

Facts = dict[str, Any]
Decide = Callable[[Facts], str | None]
"""From facts to the id of the rule that answers."""
Make = Callable[[Sequence[HealingRule]], Decide]


def install(folder: Path) -> dict[str, str]:
    """Put the peers where Python finds them.

    Args:
        folder: Empty, for the time of the run.

    Returns:
        Version by name.
    """
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), *PACKAGES]
    subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
    sys.path.append(str(folder))
    return {found.name: found.version for found in distributions(path=[str(folder)])}


def condition(rule: HealingRule) -> Facts:
    """The parts of a rule of this benchmark."""
    where = rule.match.where
    return {
        "id": rule.id,
        "check": rule.match.check,
        "severity": rule.match.severity[0],
        "state": where["observed.state"].operand,
        "count": where["observed.count"].operand,
    }


_TEXT = (
    'check == "{check}" and severity == "{severity}" and state == "{state}" and count >= {count}'
)


def rule_engine(rules: Sequence[HealingRule]) -> Decide:
    """rule-engine: expressions, compiled once, asked one after the other."""
    module = import_module("rule_engine")
    compiled = [(rule.id, module.Rule(_TEXT.format(**condition(rule)))) for rule in rules]

    def decide(facts: Facts) -> str | None:
        return next((name for name, rule in compiled if rule.matches(facts)), None)

    return decide


def zen(rules: Sequence[HealingRule]) -> Decide:
    """zen-engine: expressions, compiled once, run in Rust; its decision tables took longer."""
    compile_expression = import_module("zen").compile_expression
    compiled = [(rule.id, compile_expression(_TEXT.format(**condition(rule)))) for rule in rules]

    def decide(facts: Facts) -> str | None:
        return next((name for name, made in compiled if made.evaluate(facts)), None)

    return decide


def business_rules(rules: Sequence[HealingRule]) -> Decide:
    """business-rules: conditions as data, in its own loop that stops at the first."""
    run_all = import_module("business_rules").run_all
    variables, actions = _variables(), _actions()
    listed = [_as_data(condition(rule)) for rule in rules]

    def decide(facts: Facts) -> str | None:
        chosen = actions()
        run_all(
            rule_list=listed,
            defined_variables=variables(facts),
            defined_actions=chosen,
            stop_on_first_trigger=True,
        )
        answer: str | None = chosen.answer
        return answer

    return decide


def _variables() -> Any:
    """A class of business-rules that holds the facts of one finding."""
    variables = import_module("business_rules.variables")
    kinds = dict.fromkeys(("check", "severity", "state"), variables.string_rule_variable)
    kinds["count"] = variables.numeric_rule_variable

    def fact(name: str) -> Any:
        def value(self: Any) -> Any:
            return self.facts[name]

        value.__name__ = name
        return kinds[name]()(value)

    def begin(self: Any, facts: Facts) -> None:
        self.facts = facts

    members = {"__init__": begin, **{name: fact(name) for name in kinds}}
    return type("Variables", (variables.BaseVariables,), members)


def _actions() -> Any:
    """A class of business-rules whose one action notes which rule it was."""
    actions = import_module("business_rules.actions")
    text = import_module("business_rules.fields").FIELD_TEXT

    def choose(self: Any, name: str) -> None:
        self.answer = name

    choosing = actions.rule_action(params={"name": text})(choose)
    return type("Actions", (actions.BaseActions,), {"answer": None, "choose": choosing})


def _as_data(parts: Facts) -> Facts:
    asked = [("check", "equal_to"), ("severity", "equal_to"), ("state", "equal_to")]
    every = [*asked, ("count", "greater_than_or_equal_to")]
    return {
        "conditions": {"all": [{"name": n, "operator": o, "value": parts[n]} for n, o in every]},
        "actions": [{"name": "choose", "params": {"name": parts["id"]}}],
    }


def by_check(make: Make, rules: Sequence[HealingRule]) -> Decide:
    """A peer with a dictionary before it: one engine for each check."""
    grouped: dict[str, list[HealingRule]] = {}
    for rule in rules:
        grouped.setdefault(rule.match.check, []).append(rule)
    made = {check: make(some) for check, some in grouped.items()}

    def decide(facts: Facts) -> str | None:
        found = made.get(facts["check"])
        return None if found is None else found(facts)

    return decide
