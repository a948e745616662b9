"""A system that failed on this host is left alone until a person looked, or another comes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.errors import LedgerDamaged
from reconciler.evidence.bodies import outcome_body
from reconciler.guard import revision
from reconciler.guard.memory import Memory, fold
from reconciler.guard.systems import CRASHES, FORGET, REMEMBERED, Systems
from reconciler.model.acknowledgement import Acknowledgement
from reconciler.model.operation import OperationResult
from reconciler.model.outcome import StepResult
from reconciler.model.plan import Action
from reconciler.model.system_operation import SwitchSystem
from reconciler.steps import catalogue
from tests.support.desired_states import make_action, make_desired
from tests.support.guarding import NOW, Story, transition
from tests.support.incidents import make_outcome
from tests.support.releases import in_force
from tests.support.stepping import rendered
from tests.unit.steps.test_system_steps import nixos

SYSTEM = "/nix/store/00000000000000000000000000000001-nixos-system-desk-1"
OTHER = "/nix/store/00000000000000000000000000000002-nixos-system-desk-2"
CLOSED = transition("cooldown", **{"from": "rolled_back"})


def activation(path: str = SYSTEM, number: int = 1) -> Action:
    return make_action(id=f"{number:064x}", params={"system": path, "reapply": ()})


def outcome(
    result: str, action: Action, kind: str = "system.activate", results: int = 6, **more: Any
) -> dict[str, Any]:
    steps = [{"id": "activate", "kind": kind, "results": [{}] * results}]
    body = {"action": action.id, "result": result, "rules": list(action.rules), "steps": steps}
    return body | {"rollback": "verified", "incidents": [CLOSED]} | more


def story(result: str, action: Action | None = None, **shape: Any) -> Story:
    return act(Story(action=action or activation()), result, **shape)


def act(told: Story, result: str, **shape: Any) -> Story:
    told.begin()
    told.memory = fold(told.memory, "outcome", outcome(result, told.action, **shape), told.now)
    return told


def ruling(told: Story, action: Action | None = None) -> str:
    return told.ask(revision.GUARD, action).ruling


@pytest.mark.parametrize("result", ["rolled_back", "failed"])
def test_what_failed_once_it_ran_is_denied(result: str) -> None:
    told = story(result).wait(30 * 86_400)
    verdict = told.ask(revision.GUARD)
    assert (verdict.ruling, verdict.retry_after_s) == ("deny", None)
    assert CLOSED["fingerprint"] in verdict.reason


@pytest.mark.parametrize("results", [0, 1, 2, 3])
def test_what_failed_before_anything_of_it_ran_only_cools_down(results: int) -> None:
    assert ruling(story("rolled_back", results=results)) == "allow"


def test_the_fourth_operation_of_an_activation_is_the_first_that_runs_it() -> None:
    assert ruling(story("rolled_back", results=4)) == "deny"
    do, _undo = rendered("system.activate", {"system": OTHER}, nixos())
    assert [type(each) for each in do].index(SwitchSystem) == 3


def test_another_system_is_free_at_once() -> None:
    assert ruling(story("rolled_back"), activation(OTHER, 2)) == "allow"
    assert ruling(story("rolled_back"), make_action()) == "allow"


def test_the_same_system_is_denied_whatever_the_action() -> None:
    assert ruling(story("rolled_back"), activation(number=9)) == "deny"


def test_it_takes_crashes_in_a_row_to_make_one_failure() -> None:
    told = story("interrupted")
    for _again in range(CRASHES - 2):
        act(told, "interrupted")
    assert ruling(told) == "allow"
    assert ruling(act(told, "interrupted")) == "deny"


def test_a_success_forgets_crashes_and_failures() -> None:
    told = act(act(story("interrupted"), "interrupted"), "healed")
    assert ruling(act(told, "interrupted")) == "allow"
    assert ruling(act(story("rolled_back"), "healed")) == "allow"


def test_what_was_not_tried_changes_nothing() -> None:
    assert ruling(act(story("rolled_back"), "rolled_back", results=1)) == "deny"


def test_a_restart_that_a_later_run_found_to_have_failed_counts() -> None:
    shape = {"kind": "system.reboot", "results": 1}
    assert ruling(story("failed", rollback="none", **shape)) == "deny"
    assert ruling(story("rolled_back", **shape)) == "allow"


@pytest.mark.parametrize("reason", ["no way back", "the helper refused: x"])
def test_a_restart_that_was_not_begun_does_not_count(reason: str) -> None:
    """Written by what happened, not by hand: the executor, and the run after a restart."""
    refused = StepResult(
        "reboot", "system.reboot", (OperationResult(ok=False, reason=reason, ms=1),)
    )
    ended = make_outcome("failed", used="system.reboot")
    for said, expected in (
        (f"step reboot was not carried out: {reason}", "allow"),
        (reason, "deny"),
    ):
        told = Story(action=activation()).begin()
        outcome = replace(ended, action=told.action.id, reason=said, steps=(refused,), undone=())
        told.memory = fold(told.memory, "outcome", outcome_body("c" * 32, outcome), told.now)
        assert ruling(told) == expected


def test_an_activation_of_the_same_running_system_is_none() -> None:
    assert ruling(story("failed", kind="system.reapply")) == "allow"


@pytest.mark.parametrize(
    ("looked_s", "days", "expected"),
    [(0, 0, "allow"), (-1, 0, "deny"), (1, 0, "deny"), (None, 0, "deny"), (0, -1, "deny")],
    ids=["now", "before", "to-come", "no-look", "over"],
)
def test_a_person_who_looked_since_lets_it_run_again(
    looked_s: int | None, days: int, expected: str
) -> None:
    known = Acknowledgement(
        id="taken",
        incident=CLOSED["fingerprint"],
        by="alice@msp.example",
        until=NOW.date() + timedelta(days=days),
        looked_at=None if looked_s is None else NOW + timedelta(seconds=looked_s),
    )
    told = story("rolled_back")
    told.desired = make_desired(acknowledgements=(known,))
    assert ruling(told) == expected


def test_without_memory_nothing_is_activated() -> None:
    told = Story(action=activation())
    told.memory = None  # type: ignore[assignment]
    assert ruling(told) == "defer"


def test_memory_of_systems_survives_evidence_and_is_not_written_where_there_is_none() -> None:
    told = story("rolled_back")
    told.begin(activation(OTHER, 2))
    body = told.memory.to_body()
    assert Memory.from_body(body) == told.memory
    assert body["systems"]["opened"] == {activation(OTHER, 2).id: OTHER}
    assert "systems" not in Memory.empty().to_body()
    for broken in ({}, body["systems"] | {"failed": {SYSTEM: {}}}, {"failed": {}}):
        with pytest.raises(LedgerDamaged, match="garbled"):
            Memory.from_body(body | {"systems": broken})


def test_it_does_not_grow() -> None:
    told = Story()
    for number in range(REMEMBERED * 2):
        told.action = activation(f"{SYSTEM}{number}", number)
        act(told.wait(60), "rolled_back")
    failed = told.memory.systems.failed
    assert len(failed) == REMEMBERED
    assert f"{SYSTEM}{REMEMBERED * 2 - 1}" in failed
    told.wait(FORGET.total_seconds())
    told.action = activation(OTHER, 99)
    assert set(act(told, "rolled_back").memory.systems.failed) == {OTHER}


def test_what_other_entries_say_of_systems_is_kept() -> None:
    memory = fold(Memory.empty(), "system", {"to": OTHER}, NOW)
    assert memory.systems == Systems(recorded=OTHER)
    with pytest.raises(LedgerDamaged):
        fold(memory, "system", {}, NOW)
    trusted = in_force(SYSTEM)
    intent = {"accepted": None, "refused": None, "system": {"in_force": trusted.to_body()}}
    assert fold(memory, "run", {"intent": intent}, NOW).systems == Systems(trusted, OTHER)
    assert set(catalogue.load()) >= {"system.activate", "system.reboot"}
