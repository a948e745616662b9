"""What the entries of one host show of one system, case by case."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.evidence.bodies import outcome_body
from reconciler.model.operation import OperationResult
from reconciler.model.outcome import Outcome, StepResult
from reconciler.steps import system_activate
from reconciler.trust.soak import Stand, stand_of
from tests.support.soaking import MINE, OLD, T0, Host

DAY = timedelta(hours=24)


def stand(host: Host, released: Any = T0) -> Stand:
    return stand_of(host.records, MINE, released)


def activated() -> Host:
    """Two hours after the release, from the system before; then one look."""
    return Host().runs(OLD).looks().after(2).tries("healed").runs(MINE).looks()


def test_it_soaks_from_the_first_sight_to_the_newest_look() -> None:
    host = activated()
    assert stand(host).soaked == timedelta()
    host.after(10).repeats().after(14).repeats()
    found = stand(host)
    assert (found.state, found.soaked) == ("soaking", DAY)
    assert found.reference == host.records[-1].reference
    assert found.seen == T0 + timedelta(hours=26)


def test_what_ran_before_there_was_a_release_counts_from_the_release_on() -> None:
    host = activated().after(30).repeats()
    assert stand(host, T0 + timedelta(hours=12)).soaked == timedelta(hours=20)
    assert stand(host, T0 + timedelta(days=9)).soaked == timedelta()


@pytest.mark.parametrize(
    ("host", "state"),
    [
        (Host().looks(), "elsewhere"),
        (activated().after(24).runs(OLD).looks(), "elsewhere"),
        (activated().after(24).looks(running=OLD), "elsewhere"),
        (activated().after(24).looks("unknown"), "blind"),
        (activated().after(24).looks("unknown").after(1).repeats(), "blind"),
        (activated().after(24).repeats(like=2), "blind"),
        (activated().after(24).tries("failed").looks(), "failed"),
        (activated().after(24).tries("rolled_back").runs(OLD).looks(), "failed"),
        (activated().tries("failed").after(24).runs(MINE).looks(running=MINE), "failed"),
    ],
)
def test_what_does_not_run_it_is_not_seen_or_failed_does_not_soak(host: Host, state: str) -> None:
    found = stand(host)
    assert (found.state, found.soaked) == (state, timedelta())


def test_a_failed_try_is_made_good_by_one_that_healed_and_soaks_anew() -> None:
    host = activated().after(24).tries("failed").looks().after(5).tries("healed").looks()
    assert stand(host).soaked == timedelta()
    assert stand(host.after(3).repeats()).soaked == timedelta(hours=3)


def test_one_that_was_interrupted_soaks_anew_from_the_next_sight() -> None:
    host = activated().after(24).tries("interrupted").after(1).looks().after(2).repeats()
    assert (stand(host).state, stand(host).soaked) == ("soaking", timedelta(hours=2))


def test_a_failed_try_of_another_system_changes_nothing() -> None:
    host = activated().after(24).tries("failed", OLD).looks()
    assert (stand(host).state, stand(host).soaked) == ("soaking", DAY)


def begun(results: int, kind: str = "system.activate", **more: Any) -> dict[str, Any]:
    """An outcome as it says how far its one step came."""
    return {"steps": [{"id": "a", "kind": kind, "results": [{}] * results}], **more}


RESTARTED = {"kind": "system.reboot", "results": [{"ok": False, "reason": "x"}]}


@pytest.mark.parametrize("result", ["failed", "rolled_back"])
def test_a_try_that_ended_before_anything_of_it_ran_is_none(result: str) -> None:
    host = Host().runs(OLD).looks().after(2).tries(result, **begun(3)).looks(running=OLD)
    assert stand(host).state == "elsewhere"
    host.after(1).tries("healed").runs(MINE).looks().after(4).repeats()
    assert (stand(host).state, stand(host).soaked) == ("soaking", timedelta(hours=4))


@pytest.mark.parametrize(
    "said",
    [
        {},
        begun(4),
        begun(1, "system.reboot"),
        begun(1, "system.reboot", rollback="none"),
        {"reason": "x", "rollback": "none", "steps": [RESTARTED]},
        begun(1, "system.reboot", rollback="unverified"),
        {"rollback": "verified", "steps": [*begun(1, "system.reboot")["steps"], {}]},
        {"rollback": "verified", "steps": []},
        begun(1, "system.reapply"),
        begun(1, rollback="unverified"),
        {"steps": []},
        {"steps": "none"},
        {"steps": [3]},
        {"steps": [{"kind": "system.activate"}]},
        {"steps": [*begun(1)["steps"], *begun(1, "unit.restart")["steps"]]},
    ],
)
def test_what_does_not_show_that_nothing_ran_failed(said: dict[str, Any]) -> None:
    host = Host().runs(OLD).looks().after(2).tries("failed", **said).looks(running=OLD)
    assert stand(host).state == "failed"


@pytest.mark.parametrize(
    ("carried_out", "state"), [(0, "elsewhere"), (2, "elsewhere"), (3, "failed")]
)
def test_it_reads_what_evidence_writes_of_an_operation_that_failed(
    carried_out: int, state: str
) -> None:
    results = [OperationResult(ok=True, reason="", ms=1)] * carried_out
    failed = OperationResult(ok=False, reason="no cache has it", ms=1)
    ended = Outcome(
        action="a" * 16,
        runbook="RB-UPDATE-001",
        rules=("system",),
        result="rolled_back",
        reason="step activate was not carried out: no cache has it",
        steps=(StepResult("activate", system_activate.STEP.id, (*results, failed)),),
        undone=(),
        rollback="verified",
        after={},
        intent=4,
    )
    host = Host().runs(OLD).looks().tries(**outcome_body("c" * 32, ended)).looks(running=OLD)
    assert stand(host).state == state


@pytest.mark.parametrize(
    "never",
    [
        begun(2, "system.reboot", rollback="verified"),
        {"reason": "step reboot was not carried out: x", "rollback": "none", "steps": [RESTARTED]},
    ],
)
def test_a_restart_that_never_began_does_not_halt_what_runs(never: dict[str, Any]) -> None:
    host = activated().after(20).tries("rolled_back", **never).looks()
    assert (stand(host).state, stand(host).soaked) == ("soaking", timedelta())
    assert stand(host.after(24).looks()).soaked == DAY


def test_where_it_runs_already_what_fails_fails() -> None:
    assert stand(activated().after(24).tries("failed", **begun(2)).looks()).state == "failed"
    failed = activated().tries("failed").runs(OLD).looks().tries("failed", **begun(1))
    assert stand(failed).state == "failed", "what came before it is not made good"


def test_time_in_which_nobody_looked_is_taken_off() -> None:
    host = activated().after(4).repeats().slept(14).repeats().after(6).repeats()
    assert stand(host).soaked == timedelta(hours=10)


def test_coming_back_to_it_begins_again() -> None:
    host = activated().after(24).runs(OLD).looks().after(1).runs(MINE).looks().after(2).repeats()
    assert stand(host).soaked == timedelta(hours=2)


@pytest.mark.parametrize("synchronised", [False, None])
def test_a_clock_that_nobody_disciplines_begins_nothing(synchronised: bool | None) -> None:
    host = activated()
    host.synchronised = synchronised
    host.after(1).tries("interrupted").looks().after(24).repeats()
    assert stand(host).soaked == timedelta()
    host.synchronised = True
    assert stand(host.repeats().after(5).repeats()).soaked == timedelta(hours=5)


def test_a_clock_that_a_witness_contradicts_begins_again() -> None:
    host = activated()
    host.ahead = DAY
    host.after(1).repeats()
    assert stand(host).soaked == timedelta(hours=25), "nobody else has seen it yet"
    assert stand(host.witnessed().repeats()).soaked == timedelta()


def test_what_follows_a_witness_is_not_older_than_its_word() -> None:
    host = Host(ahead=-timedelta(hours=20)).runs(OLD).looks().witnessed()
    host.tries("healed").runs(MINE).looks()
    host.ahead = timedelta()
    assert stand(host.after(1).repeats(), T0 - DAY).soaked == timedelta(hours=1)


@pytest.mark.parametrize(
    "body",
    [
        {"size": "9", "time": 1},
        {"size": True, "time": 1},
        {"size": 3, "time": 2**60},
        {"size": -5, "time": 5},
        {},
    ],
)
def test_a_cosignature_that_says_nothing_changes_nothing(body: dict[str, Any]) -> None:
    host = activated()._add("cosignature", body).after(24).repeats()
    assert stand(host).soaked == DAY


def test_a_gap_that_does_not_say_how_long_begins_again() -> None:
    host = activated().after(24)._add("gap", {"from": "yesterday"}).looks()
    assert stand(host).soaked == timedelta()


@pytest.mark.parametrize("body", [{}, {"findings": "none"}, {"findings": [1, None, {"check": 3}]}])
def test_a_run_that_does_not_say_what_runs_did_not_see_it(body: dict[str, Any]) -> None:
    assert stand(activated().after(24)._add("run", body)).state == "blind"


def test_two_findings_about_the_system_are_none() -> None:
    host = activated()
    twice = host.records[-1].entry.body["findings"] * 2
    assert stand(host._add("run", {"findings": twice})).state == "blind"
