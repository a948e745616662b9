"""Which of so many healing rules answers a finding: tier L1, beside rule engines.

First the answers, then the numbers: every row must choose what asking all rules in turn chooses.
"""

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import l1_peers
from benchmarks.l1_peers import Decide, Facts, Make
from benchmarks.rounds import Row, Sample, cost_of, in_turn
from benchmarks.table import Table
from reconciler.model.finding import Finding, Severity
from reconciler.model.healing_rule import HealingRule
from reconciler.model.values import Value
from reconciler.plan.index import HealingIndex
from tests.support.desired_states import make_host, make_rule
from tests.support.healing import linear, make_healing

SIZES = (10, 1_000, 10_000)
CHECKS = 40
"""About as many as a baseline has."""
FINDINGS = 100
BASE = "index of the planner"
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
HOST = make_host()

PEERS: Mapping[str, Make] = {
    "rule-engine": l1_peers.rule_engine,
    "business-rules": l1_peers.business_rules,
    "zen": l1_peers.zen,
}

Ask = Callable[[Facts, Finding], str | None]


def measure(rounds: int) -> list[Table]:
    """The planner's index, a linear scan, and peers."""
    with tempfile.TemporaryDirectory() as folder:
        versions = l1_peers.install(Path(folder))
        spread = [_table(size, CHECKS, rounds, versions) for size in SIZES]
        return [*spread, *(_table(size, 1, rounds, versions) for size in SIZES[1:])]


def _table(size: int, checks: int, rounds: int, versions: dict[str, str]) -> Table:
    rules = _rules(size, checks)
    asked = _findings(rules)
    rows = _rows(rules, PEERS)
    _same_answers(rows, rules, asked)
    where = f"about {checks} checks" if checks > 1 else "all about one check"
    named = {"business-rules": "business-rules", "rule-engine": "rule-engine", "zen": "zen-engine"}
    return Table(
        name=f"l1_rules, {size:,} rules {where}",
        title=f"One decision among {size:,} rules with four conditions, {rounds} rounds in turn.",
        metrics={"cpu_us": "CPU µs a decision", "wall_us": "wall µs"},
        rows=in_turn({name: _row(name, ask, asked, size) for name, ask in rows.items()}, rounds),
        base=BASE,
        versions={
            row: versions[package]
            for row in rows
            for prefix, package in named.items()
            if row.startswith(prefix)
        },
    )


def _rules(size: int, checks: int) -> list[HealingRule]:
    """Rules in the order of priority; each pair differs in a check, a severity or a state."""
    return [
        make_healing(
            f"r{number}",
            check=f"LNX-T{number % checks}-001",
            severity=[SEVERITIES[number // checks % 4]],
            where={
                "observed.state": f"state-{number // checks // 4}",
                "observed.count": {"at_least": number % 5},
            },
            priority=10_000 - number,
        )
        for number in range(size)
    ]


def _findings(rules: Sequence[HealingRule]) -> list[tuple[Facts, Finding]]:
    chance = random.Random(0)
    found = []
    for _ in range(FINDINGS):
        parts = l1_peers.condition(chance.choice(rules))
        seen: dict[str, Value] = {"state": parts["state"], "count": chance.randint(0, 8)}
        if chance.random() < 0.1:
            seen["state"] = "unheard-of"
        finding = Finding(
            rule="time",
            check=parts["check"],
            target="clinic/frontdesk",
            status="fail",
            severity=parts["severity"],
            controls=(),
            observed=seen,
        )
        found.append(({"check": parts["check"], "severity": parts["severity"], **seen}, finding))
    return found


def _rows(rules: Sequence[HealingRule], peers: Mapping[str, Make]) -> dict[str, Ask]:
    index = HealingIndex(rules)
    bound = {rule.match.check: make_rule("time", check=rule.match.check) for rule in rules}

    def ours(_facts: Facts, finding: Finding) -> str | None:
        best = index.best(bound[finding.check], finding)
        return best[0].id if best else None

    def scan(_facts: Facts, finding: Finding) -> str | None:
        best = linear(rules, bound[finding.check], finding, HOST)
        return best[0] if best else None

    rows: dict[str, Ask] = {BASE: ours, "the same conditions, every rule in turn": scan}
    for name, make in peers.items():
        rows[name] = _of_facts(make(rules))
        rows[f"{name}, a dictionary of checks before it"] = _of_facts(
            l1_peers.by_check(make, rules)
        )
    return rows


def _of_facts(decide: Decide) -> Ask:
    return lambda facts, _finding: decide(facts)


def _same_answers(
    rows: dict[str, Ask], rules: Sequence[HealingRule], asked: Sequence[tuple[Facts, Finding]]
) -> None:
    some = asked if len(rules) <= 1_000 else asked[:10]
    wanted = [rows["the same conditions, every rule in turn"](*one) for one in some]
    for name, ask in rows.items():
        if [ask(*one) for one in some] != wanted:
            raise RuntimeError(f"{name} decides otherwise than asking every rule in turn")


def _row(name: str, ask: Ask, asked: Sequence[tuple[Facts, Finding]], size: int) -> Row:
    """All findings, again and again where that is quick, a few where it is slow."""
    quick = name == BASE or "dictionary" in name or size <= 10
    some = asked if quick else asked[:5]
    times = 20 if name == BASE else 1

    def work() -> None:
        for facts, finding in some:
            ask(facts, finding)

    def run() -> Sample:
        used = cost_of(work, times)
        each = 1000 / len(some)
        return {"cpu_us": used["cpu_ms"] * each, "wall_us": used["wall_ms"] * each}

    return run
