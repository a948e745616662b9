"""From trials to candidates, and from a ripe one to the text of a rule."""

import random
from datetime import timedelta
from typing import Any

import pytest
import yaml

from reconciler.desired import strict_yaml
from reconciler.desired.validation import validate
from reconciler.learn.candidates import Candidate, candidates
from reconciler.learn.document import disabled, document, path_of
from reconciler.learn.witness import trials_of
from reconciler.model.healing_rule import HealingRule
from tests.support.learning import CHECK, DIGEST, RUNBOOK, Host, clinics


def learned(hosts: list[Host]) -> list[Candidate]:
    return list(candidates(trial for host in hosts for trial in trials_of(host.records)))


def missing(hosts: list[Host]) -> dict[str, tuple[int, int]]:
    (found,) = learned(hosts)
    return {one.what: (one.have, one.need) for one in found.missing}


def read(text: str) -> HealingRule:
    return validate(strict_yaml.load(text.encode(), "rule.yaml"), HealingRule)


def test_sixteen_successes_on_four_hosts_in_ten_days_are_ripe() -> None:
    (found,) = learned(clinics())
    assert found.ripe
    assert (found.successes, found.failures, found.bound, len(found.hosts)) == (16, 0, 8063, 4)
    assert len(found.references) == 16
    rule = read(document(found, 50))
    assert (rule.source, rule.enabled, rule.priority) == ("promoted", True, 50)
    assert (rule.match.check, rule.runbook, rule.params) == (
        CHECK, RUNBOOK, {"unit": "portal.service"},
    )  # fmt: skip
    assert rule.match.severity == ("high",)
    (where,) = rule.match.where.items()
    assert (where[0], where[1].op, where[1].operand) == (
        "observed.active_state", "equals", "inactive",
    )  # fmt: skip
    assert rule.evidence == found.references
    assert f"sha256:{DIGEST}" in (rule.note or "")


@pytest.mark.parametrize(
    ("hosts", "lacks"),
    [
        (clinics(3, 5), {"successes": (15, 16), "bound": (7961, 8000)}),
        (clinics(2, 8), {"hosts": (2, 3)}),
        (clinics(4, 4, later=timedelta(hours=40)), {"days": (5, 7)}),
        (clinics(4, 4, later=timedelta(hours=54)), {"days": (6, 7)}),
    ],
)
def test_what_a_candidate_lacks_is_said_in_numbers(
    hosts: list[Host], lacks: dict[str, tuple[int, int]]
) -> None:
    assert missing(hosts) == lacks


@pytest.mark.parametrize(
    "failure",
    [
        {"result": "rolled_back"},
        {"soak": "confirmed"},
        # By the same runbook with the same parameters, although a rule chose it.
        {"tier": "L1", "result": "failed"},
    ],
)
def test_one_failure_keeps_the_best_candidate_back(failure: dict[str, Any]) -> None:
    hosts = clinics(6, 8)
    hosts[0].heal(**failure)
    assert missing(hosts) == {"no-failure": (1, 0)}


def test_rule_that_follows_itself_proves_nothing() -> None:
    assert learned(clinics(tier="L1")) == []


def test_fewer_than_five_choices_are_no_candidate() -> None:
    assert learned(clinics(4, 1)) == []
    assert len(learned([*clinics(5, 1)])) == 1


def test_another_digest_or_parameter_is_another_choice() -> None:
    hosts = [*clinics(2, 4), *clinics(2, 4, digest="e" * 64), *clinics(2, 4, params={"unit": "x"})]
    assert [found.successes for found in learned(hosts)] == [8, 8, 8]


@pytest.mark.parametrize(
    ("values", "condition"),
    [
        ((5, 5), {"equals": 5}),
        ((5, 9), {"all": [{"at_least": 5}, {"at_most": 9}]}),
        (("dead", "failed"), {"one_of": ["dead", "failed"]}),
        ((None, None), {"absent": True}),
        ((["b"], ["b"]), {"same_set": ["b"]}),
        ((True, True), {"equals": True}),
        ((True, 1), None),
        (("dead", None), None),
        ((["a"], ["b"]), None),
    ],
)
def test_condition_is_what_every_trial_had_in_common(
    values: tuple[Any, Any], condition: Any
) -> None:
    host = Host()
    for number in range(6):
        host.heal(observed={"seen": values[number % 2]})
    (found,) = learned([host])
    assert found.where == ({} if condition is None else {"seen": condition})
    assert ("condition" in {m.what for m in found.missing}) is (condition is None)


def test_field_that_did_not_fail_every_time_is_no_condition() -> None:
    host = Host()
    for number in range(6):
        host.heal(observed={"a": False} | ({"b": False} if number else {}))
    (found,) = learned([host])
    assert set(found.where) == {"a"}


def test_replay_in_any_order_gives_the_same_bytes() -> None:
    hosts = clinics()
    trials = [trial for host in hosts for trial in trials_of(host.records)]
    texts = set()
    for seed in range(5):
        random.Random(seed).shuffle(trials)
        texts.add("".join(document(found, 50) for found in candidates(trials)))
    assert len(texts) == 1


def test_hostile_values_stay_values() -> None:
    hosts = clinics(observed={"said": 'x"\nenabled: true\nrunbook: RB-EVIL-001\n# : é'})
    (found,) = learned(hosts)
    rule = read(document(found, 50))
    assert rule.runbook == RUNBOOK
    assert rule.match.where["observed.said"].operand == hosts[0].records[0].entry.body["found"][0][
        "observed"
    ]["said"]  # fmt: skip


def test_disabled_rule_is_the_same_rule_switched_off() -> None:
    (found,) = learned(clinics())
    text = document(found, 50)
    off = disabled(text, "2 failures")
    assert read(off) == read(text).model_copy(update={"enabled": False})
    assert "# 2 failures" in off
    assert disabled(off, "again").count("enabled:") == 1
    flow = yaml.safe_dump({"id": "x"}, default_flow_style=True)
    assert disabled(flow, "no such line") == flow


def test_path_is_where_healing_rules_are() -> None:
    assert path_of("learned-x") == "policies/healing/learned-x.yaml"
