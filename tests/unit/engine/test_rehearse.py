"""Settings that cannot work are found by the guards themselves, under a fake clock."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.engine.inquiry.rehearse import guard_problems, opens
from reconciler.guard import attempt, cooldown
from reconciler.model.fleet_wide import FleetBreakers, OpenBreaker
from reconciler.model.review import Remark
from tests.support import gated
from tests.support.desired_states import make_client
from tests.support.gated import AT, edited, reading
from tests.support.policy import STEPS

GUARDS_FILE = "policies/guards.yaml"


def problems(changes: gated.Texts | None = None) -> list[Remark]:
    found = reading(changes)
    assert found.fleet is not None
    assert found.whole
    return list(guard_problems(found.fleet, found.states, STEPS, AT))


def test_a_fleet_that_can_work_has_nothing_said() -> None:
    assert problems() == []


def test_a_window_runbook_without_a_window_would_never_run() -> None:
    windows = 'windows:\n  - days: [sat, sun]\n    start: "22:00"\n    end: "04:00"\n'
    changes = {
        **edited(gated.CLIENT, windows, ""),
        **edited(gated.RUNBOOK, "mode: auto", "mode: window"),
    }
    [remark] = problems(changes)
    assert remark.subject == "guard"
    assert remark.where.file == gated.UNIT_RUNS
    assert "RB-UNIT-001 would never run on clinic/desk: approval" in remark.message


def test_a_window_runbook_with_a_window_runs() -> None:
    assert problems(edited(gated.RUNBOOK, "mode: auto", "mode: window")) == []


def test_a_window_between_two_runs_never_opens() -> None:
    [remark] = problems(edited(gated.CLIENT, 'end: "04:00"', 'end: "22:04"'))
    assert remark.where.file == gated.CLIENT
    assert remark.where.line == 8
    assert "runs can miss this window every time" in remark.message
    assert problems(edited(gated.CLIENT, 'end: "04:00"', 'end: "22:05"')) == []


def test_a_denied_runbook_would_never_run() -> None:
    denied = edited(gated.CLIENT, "mode: enforce", "mode: enforce\ndenied_runbooks: [RB-UNIT-001]")
    [remark] = problems(denied)
    assert "allow_list: the client denies RB-UNIT-001" in remark.message


def test_a_runbook_that_is_not_pinned_would_never_run() -> None:
    [remark] = problems({"runbooks/approved.yaml": "runbooks: {}\n"})
    assert "allow_list" in remark.message


def test_the_healing_rule_that_chose_the_runbook_is_named() -> None:
    healing = """\
id: unit-of-ours
title: Ours
match:
  check: TST-UNIT-001
priority: 10
runbook: RB-UNIT-001
params: {unit: cron.service}
"""
    changes = {"policies/healing/unit-of-ours.yaml": healing}
    assert problems(changes) == []
    [remark] = problems({**changes, "runbooks/approved.yaml": "runbooks: {}\n"})
    assert (remark.where.file, remark.where.line) == ("policies/healing/unit-of-ours.yaml", 6)


@pytest.mark.parametrize("mode", ["approve", "never"])
def test_a_runbook_that_asks_a_person_is_no_fault(mode: str) -> None:
    assert problems(edited(gated.RUNBOOK, "mode: auto", f"mode: {mode}")) == []


@pytest.mark.parametrize(
    "changes",
    [
        edited(
            gated.DESK, "mode: enforce", "mode: enforce\nkill_switch: {engaged: true, reason: x}"
        ),
        {"policies/kill-switch.yaml": "engaged: true\nreason: x\n"},
        edited(gated.DESK, "mode: enforce", "mode: observe"),
    ],
)
def test_what_is_deliberate_is_no_fault(changes: dict[str, str]) -> None:
    assert problems(changes) == []


def test_two_rules_of_one_list_are_told_once() -> None:
    assert len(problems({"runbooks/approved.yaml": "runbooks: {}\n"})) == 1


def test_the_hosts_of_one_fault_are_told_together() -> None:
    hosts = {
        f"hosts/clinic/{name}.yaml": gated.text(gated.DESK).replace("id: desk", f"id: {name}")
        for name in ("a", "b", "c", "d")
    }
    [remark] = problems({**hosts, "runbooks/approved.yaml": "runbooks: {}\n"})
    assert "on clinic/a, clinic/b, clinic/c and 2 more" in remark.message


def test_a_window_opens_by_the_clients_clock() -> None:
    def client(**window: Any) -> Any:
        zone = window.pop("time_zone", "Asia/Kathmandu")
        one = {"days": ["mon"], "start": "09:00", "end": "10:00"} | window
        return make_client(windows=[one], time_zone=zone)

    assert opens(client(), AT)
    assert not opens(make_client(), AT)
    assert opens(client(time_zone="UTC", start="23:00", end="01:00"), AT)


def numbered(text: str) -> list[Remark]:
    return problems({GUARDS_FILE: text})


@pytest.mark.parametrize(
    ("text", "field", "why"),
    [
        (
            "flap: {penalty: 100, suppress_at: 50000, cap: 100000}",
            "flap.suppress_at",
            "suppress_at 50000 cannot be reached: a fix that never holds is done",
        ),
        (
            "cooldown: {base_s: 3600, cap_s: 86400}\nflap: {most_recurrences: 20, within_days: 1}"
            "\ntokens: {host: 1, host_refill_s: 86400}",
            "flap.most_recurrences",
            "most_recurrences 20 within 1 days cannot be reached",
        ),
        (
            "flap: {half_life_s: 172800, suppress_at: 1000, reuse_at: 50, cap: 6000}",
            "flap.reuse_at",
            "what flaps is stopped for 8 days",
        ),
        (
            "cooldown: {base_s: 3600, cap_s: 86400}"
            "\nbreaker: {consecutive: 20, runs: 2, within_s: 300}",
            "breaker.consecutive",
            "it never opens: a runbook that always fails is tried",
        ),
        (
            "breaker: {runs: 10, within_s: 3600}",
            "breaker.runs",
            "10 runs of a runbook within 3600 s cannot be reached",
        ),
        ("breaker: {open_s: 3600, cap_s: 1800}", "breaker.cap_s", "the cap of the breaker"),
        ("cooldown: {base_s: 3600, cap_s: 300}", "cooldown.cap_s", "the cap of the cooldown"),
    ],
)
def test_numbers_that_cannot_work_are_found_where_they_stand(
    text: str, field: str, why: str
) -> None:
    found = {remark.where.field: remark for remark in numbered(text)}
    assert field in found, found
    assert found[field].where.file == GUARDS_FILE
    assert why in found[field].message


@pytest.mark.parametrize(
    "text",
    [
        "soak_s: 600",
        "cooldown: {base_s: 60, cap_s: 86400}",
        "flap: {suppress_at: 5000}",
        "breaker: {consecutive: 1, runs: 2}",
        "tokens: {host: 100, host_refill_s: 10, client: 1000, client_refill_s: 10}",
    ],
)
def test_numbers_that_can_work_have_nothing_said(text: str) -> None:
    assert numbered(text) == []


def test_a_cooldown_longer_than_the_time_that_forgets_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    longer = int((attempt.QUIET + timedelta(hours=1)).total_seconds())
    monkeypatch.setattr(cooldown, "bound_s", lambda _failures, _settings: longer)
    assert any("failures are forgotten" in remark.message for remark in problems())


def test_a_state_is_not_changed_by_a_rehearsal() -> None:
    [state] = reading().states.values()
    before = replace(state)
    problems()
    assert state == before


def test_freeze_days_are_deliberate() -> None:
    frozen = edited(
        gated.CLIENT,
        "mode: enforce",
        f"mode: enforce\nfreeze: [{{first: {AT.date()}, last: {AT.date()}, reason: Audit.}}]",
    )
    assert problems(frozen) == []


def test_stages_breakers_and_exceptions_are_deliberate() -> None:
    found = reading({"policies/guards.yaml": "staged_rollout: true\n"})
    assert found.fleet is not None
    assert list(guard_problems(found.fleet, found.states, STEPS, AT)) == []
    [(target, state)] = found.states.items()
    pinned = state.runbooks["RB-UNIT-001"]
    off = OpenBreaker(
        runbook="RB-UNIT-001",
        digest=f"sha256:{pinned.digest}",
        opened_on=AT.date(),
        hosts=(target,),
        evidence=("e",),
        reason="x",
    )
    decided = replace(state, breakers=FleetBreakers(breakers=(off,)))
    assert list(guard_problems(found.fleet, {target: decided}, STEPS, AT)) == []
