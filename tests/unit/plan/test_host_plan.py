"""What people approve: everything that judges or acts is in it, and nothing else."""

from datetime import date
from typing import Any

import pytest

from reconciler.evidence import canonical
from reconciler.model.acknowledgement import Acknowledgement
from reconciler.model.client import KillSwitch
from reconciler.model.desired import BoundRemedy
from reconciler.model.exemption import PolicyException
from reconciler.model.expectation import Expectation
from reconciler.model.fleet_wide import FleetBreakers, Rollout
from reconciler.model.guard_settings import CooldownSettings, GuardSettings
from reconciler.model.healing_rule import HealingRule
from reconciler.plan.host_plan import fleet_digest, host_plan, plan_digest
from tests.support.desired_states import (
    CONTROL,
    make_client,
    make_desired,
    make_host,
    make_rule,
    make_runbook,
    pin,
)
from tests.support.healing import make_healing

WINDOW = {"days": ["sat"], "start": "22:00", "end": "04:00"}


def exception(**changes: Any) -> PolicyException:
    fields: dict[str, Any] = {
        "id": "no-time",
        "control": CONTROL,
        "rules": ("time",),
        "hosts": ("frontdesk",),
        "assessment": "Assessed.",
        "decided_on": date(2026, 1, 1),
        "reason": "An old device.",
        "alternative": ("Looked at daily.",),
        "owner": "Owner",
        "approver": "Approver",
        "review_by": date(2026, 6, 1),
    }
    return PolicyException.model_validate(fields | changes)


def test_the_plan_says_what_a_rule_expects_and_where_it_leads() -> None:
    plan = host_plan(make_desired())
    assert plan["target"] == "clinic/frontdesk"
    assert plan["rules"] == [
        {
            "id": "time",
            "check": "LNX-TIME-001",
            "params": {},
            "expect": {"active": {"op": "equals", "value": True, "inner": []}},
            "severity": "medium",
            "controls": [CONTROL],
            "enforce": True,
            "remedy": {"runbook": "RB-TIME-001", "params": {}},
        }
    ]
    [runbook] = plan["runbooks"]
    assert runbook["digest"] == "a" * 64
    assert runbook["mode"] == "auto"
    assert runbook["blast_radius"] == "One unit"
    assert [a["params"] for a in runbook["actions"]] == [{"unit": "chrony.service"}]
    assert [a["rules"] for a in runbook["actions"]] == [["time"]]


def test_a_plan_has_canonical_bytes() -> None:
    plan = host_plan(make_desired(exceptions=(exception(),)))
    assert canonical.decode(canonical.encode(plan)) == plan


CHANGES: dict[str, dict[str, Any]] = {
    "expectation": {"rules": [make_rule(expect={"active": Expectation("equals", False)})]},
    "parameter": {"rules": [make_rule(params={"limit": 3})]},
    "severity": {"rules": [make_rule(severity="high")]},
    "controls": {"rules": [make_rule(controls=("hipaa:164.310(a)(1)",))]},
    "rule mode": {"rules": [make_rule(enforce=False)]},
    "remedy": {"rules": [make_rule(remedy=None)]},
    "remedy's parameters": {
        "rules": [
            make_rule(remedy=BoundRemedy(runbook="RB-TIME-001", params={"unit": "a.service"}))
        ]
    },
    "check": {"rules": [make_rule(check="LNX-SSH-001")]},
    "added rule": {"rules": [make_rule(), make_rule("other")]},
    "runbook's file": {"runbooks": [pin(make_runbook(), digest="b" * 64)]},
    "runbook's pin": {"runbooks": [pin(make_runbook(), approved=False)]},
    "runbook's mode": {"runbooks": [pin(make_runbook(mode="window"))]},
    "blast radius": {"runbooks": [pin(make_runbook(blast_radius="Everything"))]},
    "client mode": {"client": make_client(mode="observe")},
    "tier": {"client": make_client(tier="essential")},
    "time zone": {"client": make_client(time_zone="UTC")},
    "window": {"client": make_client(windows=[WINDOW])},
    "denied runbook": {"client": make_client(denied_runbooks=["RB-TIME-001"])},
    "host mode": {"host": make_host(mode="observe")},
    "access path": {"host": make_host(access_path=["port:tcp/22"])},
    "root": {"host": make_host(root="/srv/image")},
    "kill switch": {"kill_switches": {"fleet": KillSwitch(engaged=True, reason="Stop.")}},
    "exception": {"exceptions": (exception(),)},
    "feature of the tier": {"features": frozenset({"observe"})},
    "another host": {"host": make_host(id="backdesk")},
    "number of a guard": {"guards": GuardSettings(cooldown=CooldownSettings(base_s=600))},
    "switch of a guard": {"guards": GuardSettings(staged_rollout=True)},
    "healing rule": {"healing": (make_healing(),)},
    "role": {"host": make_host(roles=["server"])},
    "tag": {"host": make_host(tags=["old"])},
    "site": {"host": make_host(site="north")},
    "freeze": {
        "client": make_client(
            freeze=[{"first": "2026-12-24", "last": "2026-12-26", "reason": "Holidays"}]
        )
    },
}


@pytest.mark.parametrize("changed", CHANGES)
def test_what_judges_or_acts_changes_the_digest(changed: str) -> None:
    assert plan_digest(make_desired(**CHANGES[changed])) != plan_digest(make_desired())


SAME: dict[str, dict[str, Any]] = {
    "commit": {"commit": "9" * 40, "tree": "8" * 40, "digest": "7" * 64},
    "title": {"rules": [make_rule(title="Another title")]},
    "client's name": {"client": make_client(name="Another name")},
    "contacts": {
        "client": make_client(contacts=[{"role": "owner", "name": "Desk", "reach": "phone"}])
    },
    "baseline of the same rules": {"host": make_host(policies=["other"])},
    "escalation": {"client": make_client(escalation=[{"after_min": 5, "notify": ["desk"]}])},
    "acknowledgement": {
        "acknowledgements": (
            Acknowledgement(id="a", incident="a" * 64, by="a@b.example", until=date(2026, 1, 1)),
        )
    },
    "breaker": {
        "breakers": FleetBreakers.model_validate(
            {
                "breakers": (
                    {
                        "runbook": "RB-TIME-001",
                        "digest": "sha256:" + "a" * 64,
                        "opened_on": "2026-01-01",
                        "hosts": ("clinic/frontdesk",),
                        "evidence": ("x",),
                        "reason": "x",
                    },
                )
            }
        )
    },
    "rollout": {
        "rollout": Rollout.model_validate(
            {"runbooks": {"RB-TIME-001": {"digest": "sha256:" + "a" * 64, "stage": "canary"}}}
        )
    },
    "healing rule of other hosts": {"healing": (make_healing(roles=["server"]),)},
    "healing rule that is switched off": {"healing": (make_healing(enabled=False),)},
    "healing rule of another severity": {"healing": (make_healing(severity=["low"]),)},
    "healing rule of another parameter": {"healing": (make_healing(where={"param.p": 1}),)},
    "runbook nobody needs": {"runbooks": [pin(make_runbook()), pin(make_runbook("RB-SSH-001"))]},
}


@pytest.mark.parametrize("changed", SAME)
def test_what_describes_does_not_change_the_digest(changed: str) -> None:
    assert plan_digest(make_desired(**SAME[changed])) == plan_digest(make_desired())


def test_the_order_of_rules_and_of_members_of_a_set_says_nothing() -> None:
    def state(order: int) -> str:
        ports = ("tcp/22", "tcp/443")[::order]
        first = make_rule("a", expect={"ports": Expectation("same_set", ports)})
        return plan_digest(make_desired([first, make_rule("b")][::order]))

    assert state(1) == state(-1)


def test_the_order_of_a_list_that_must_be_equal_counts() -> None:
    def state(*items: str) -> str:
        return plan_digest(make_desired([make_rule(expect={"a": Expectation("equals", items)})]))

    assert state("x", "y") != state("y", "x")


def test_a_renewed_exception_changes_the_digest() -> None:
    before = make_desired(exceptions=(exception(),))
    renewed = make_desired(exceptions=(exception(review_by=date(2026, 7, 1)),))
    reworded = make_desired(exceptions=(exception(reason="Said better."),))
    accepted = make_desired(exceptions=(exception(status="risk_accepted_noncompliant"),))
    assert plan_digest(renewed) != plan_digest(before)
    assert plan_digest(accepted) != plan_digest(before)
    assert plan_digest(reworded) == plan_digest(before)


def test_a_runbook_that_cannot_be_planned_is_not_reachable() -> None:
    not_here = pin(make_runbook(platforms=["windows"]))
    assert host_plan(make_desired(runbooks=[not_here]))["runbooks"] == []


def test_the_digest_of_a_fleet_takes_every_host() -> None:
    one, two = plan_digest(make_desired()), plan_digest(make_desired(host=make_host(id="b")))
    whole = fleet_digest({"clinic/frontdesk": one, "clinic/b": two})
    assert whole == fleet_digest({"clinic/b": two, "clinic/frontdesk": one})
    assert whole != fleet_digest({"clinic/frontdesk": one})
    assert whole != fleet_digest({"clinic/frontdesk": two, "clinic/b": one})


HEALING: dict[str, dict[str, Any]] = {
    "priority": {"priority": 7},
    "runbook": {"runbook": "RB-OTHER-001"},
    "parameter": {"params": {"unit": "a.service"}},
    "reference": {"params": {"unit": {"ref": "observed.unit"}}},
    "rules": {"rules": ["time"]},
    "roles": {"roles": ["desk"]},
    "tags": {"tags": ["old"]},
    "severity": {"severity": ["medium"]},
    "fact": {"where": {"observed.x": 1}},
    "another fact": {"where": {"observed.x": True}},
}


@pytest.mark.parametrize("changed", HEALING)
def test_every_condition_and_answer_of_a_healing_rule_is_approved(changed: str) -> None:
    def state(**changes: Any) -> str:
        host = make_host(roles=["desk"], tags=["old"])
        return plan_digest(make_desired(host=host, healing=(make_healing(**changes),)))

    assert state(**HEALING[changed]) != state()


def test_what_describes_a_healing_rule_and_its_place_say_nothing() -> None:
    one, two = make_healing("one"), make_healing("two", priority=2)
    described = make_healing(
        "one", title="x", note="y", source="promoted", evidence=["z"], tags=["t"]
    )
    plain = make_healing("one", tags=["t"])
    host = make_host(tags=["t"])
    assert plan_digest(make_desired(healing=(one, two))) == plan_digest(
        make_desired(healing=(two, one))
    )
    assert plan_digest(make_desired(host=host, healing=(plain,))) == plan_digest(
        make_desired(host=host, healing=(described,))
    )


def test_what_a_healing_rule_would_do_is_listed_where_it_is_known() -> None:
    fixed = make_healing("fixed", params={"unit": "a.service"})
    given = make_healing("given", priority=2, params={"unit": {"ref": "param.unit"}})
    later = make_healing("later", priority=3, params={"unit": {"ref": "observed.unit"}})
    rules = [
        make_rule("time", remedy=None, params={"unit": "b.service"}),
        make_rule("watched", remedy=None, enforce=False, params={"unit": "c.service"}),
    ]
    [runbook] = host_plan(make_desired(rules, healing=(fixed, given, later)))["runbooks"]
    assert sorted((a["params"]["unit"], a["rules"]) for a in runbook["actions"]) == [
        ("a.service", ["time"]),
        ("b.service", ["time"]),
    ]
    assert runbook["by_observation"] == [{"healing": "later", "rules": ["time"]}]


def test_a_healing_rule_that_asks_for_the_remedy_adds_no_action() -> None:
    [runbook] = host_plan(make_desired(healing=(make_healing(),)))["runbooks"]
    assert [a["rules"] for a in runbook["actions"]] == [["time"]]


@pytest.mark.parametrize(
    "healing",
    [
        make_healing(runbook="RB-OTHER-001"),
        make_healing(params={"unit": 7}),
        make_healing(params={"unit": {"ref": "param.gone"}}),
    ],
)
def test_what_a_healing_rule_cannot_do_is_not_listed(healing: HealingRule) -> None:
    plan = host_plan(make_desired([make_rule(remedy=None)], healing=(healing,)))
    assert plan["runbooks"] == []
    assert [each["id"] for each in plan["healing"]] == ["restart"]
