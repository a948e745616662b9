"""Settings that cannot work are found by the guards themselves, under a fake clock."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.engine.rehearse import guard_problems, opens, rehearse
from reconciler.guard import attempt, cooldown
from reconciler.model.fleet_wide import FleetBreakers, OpenBreaker
from reconciler.model.review import Remark
from tests.support import gated
from tests.support.desired_states import make_client
from tests.support.gated import AT, edited, reading
from tests.support.policy import STEPS


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


def test_failures_add_up_and_recurrences_are_reached() -> None:
    [state] = reading().states.values()
    seen = rehearse(state, STEPS, AT)
    assert seen.failures > 20
    assert seen.recurrences == attempt.RECURRENCES


def test_a_recurrence_count_that_the_cooldown_makes_unreachable_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cooldown, "bound_s", lambda _failures, _settings: 30 * 86_400)
    found = problems()
    assert any("8 recurrences cannot be reached" in remark.message for remark in found)


def test_a_cooldown_longer_than_the_time_that_forgets_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    longer = int((attempt.QUIET + timedelta(hours=1)).total_seconds())
    monkeypatch.setattr(cooldown, "bound_s", lambda _failures, _settings: longer)
    found = problems()
    assert any("failures are forgotten" in remark.message for remark in found)


def test_a_state_is_not_changed_by_a_rehearsal() -> None:
    [state] = reading().states.values()
    before = replace(state)
    rehearse(state, STEPS, AT)
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
