from datetime import datetime, timedelta

import pytest

from reconciler.learn.demotion import answered, demotions
from reconciler.learn.witness import trials_of
from reconciler.model.healing_rule import HealingRule
from tests.support.learning import BEGIN, CHECK, DIGEST, RUNBOOK, Host


def rule(**changes: object) -> HealingRule:
    document = {
        "id": "learned-one", "title": "x", "match": {"check": CHECK, "severity": ("high",)},
        "runbook": RUNBOOK,
        "source": "promoted", "evidence": ("clinic/a@1:sha256:0",),
    }  # fmt: skip
    return HealingRule.model_validate(document | changes)


def fallen(
    *days: int, digest: str = DIGEST, newest: datetime | None = None, **changes: object
) -> list[tuple[str, ...]]:
    host = Host()
    for day in days:
        host.at = BEGIN + timedelta(days=day)
        host.heal(tier="L1", result="failed", digest=digest)
    trials = trials_of(host.records)
    last = newest or BEGIN + timedelta(days=max(days))
    found = demotions([rule(**changes)], trials, {RUNBOOK: DIGEST}, last)
    return [one.references for one in found]


def test_two_failures_in_thirty_days_demote_and_are_named() -> None:
    (references,) = fallen(0, 29)
    assert [reference.partition(":")[0] for reference in references] == [
        "clinic/frontdesk@1", "clinic/frontdesk@3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [
        {"days": (0,)},
        {"days": (0, 31)},
        {"days": (0, 1), "newest": BEGIN + timedelta(days=32)},
        {"days": (0, 1), "digest": "e" * 64},
        {"days": (0, 1), "source": "human"},
        {"days": (0, 1), "enabled": False},
        {"days": (0, 1), "match": {"check": "LNX-TIME-001", "severity": ("high",)}},
        {"days": (0, 1), "match": {"check": CHECK, "severity": ("low",)}},
        {"days": (0, 1), "match": {"check": CHECK, "where": {"observed.active_state": "failed"}}},
        {"days": (0, 1), "match": {"check": CHECK, "where": {"observed.other": "inactive"}}},
    ],
)
def test_anything_less_does_not(case: dict[str, object]) -> None:
    days = case.pop("days")
    assert fallen(*days, **case) == []  # type: ignore[misc,arg-type]


def test_entry_that_names_its_healing_rules_is_believed() -> None:
    host = Host()
    host.heal(tier="L1", result="failed", healing=["learned-two"])
    host.heal(tier="L1", result="failed", healing=["learned-one"])
    trials = trials_of(host.records)
    assert [answered(rule(), trial) for trial in trials] == [False, True]


def test_failures_among_successes_count_alike() -> None:
    host = Host()
    for result in ("failed", "healed", "healed", "failed"):
        host.heal(tier="L1", result=result)
    trials = trials_of(host.records)
    (found,) = demotions([rule()], trials, {RUNBOOK: DIGEST}, host.at)
    assert len(found.references) == 2
