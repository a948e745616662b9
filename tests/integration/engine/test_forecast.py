"""What a change would do tonight, foreseen from real evidence; and what then really happens."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reconciler.checks import catalogue as checks
from reconciler.desired.approve import pin_runbooks
from reconciler.desired.gate.review import Catalogues, states_at
from reconciler.desired.gate.revision import Revisions
from reconciler.engine.inquiry.forecast import Known, forecast, gather
from reconciler.errors import InputError, LedgerDamaged
from reconciler.evidence.record import Branch
from reconciler.ledger.verify import load_signers
from reconciler.model.desired import DesiredState
from reconciler.model.review import HostForecast
from reconciler.steps import catalogue as steps
from reconciler.testing.fake_target import Fault
from tests.support.drill import (
    CLIENT,
    CLIENT_FILE,
    HOST,
    HOST_FILE,
    SECRET,
    SERVICE,
    SYSCTL,
    Drill,
    break_sysctl,
    statuses,
)

pytestmark = pytest.mark.integration

RULE = "policies/rules/sysctl-syncookies.yaml"
RUNBOOK = "runbooks/RB-SYSCTL-001.yaml"
TARGET = f"{CLIENT}/{HOST}"
CATALOGUES = Catalogues(checks.load(), steps.load())


def gathered(drill: Drill) -> dict[str, Known]:
    allowed = load_signers(Path(drill.site.signers))
    return gather(Path(drill.site.evidence), [Branch(CLIENT, HOST, allowed)])


def foresee(
    drill: Drill, *, at: datetime | None = None, forget: bool = False, with_evidence: bool = True
) -> HostForecast:
    """The forecast for the fleet as it is committed now."""
    revisions = Revisions(drill.site.fleet)
    states = states_at(revisions, "HEAD", CATALOGUES)
    assert TARGET in states

    def earlier(commit: str) -> Mapping[str, DesiredState]:
        return {} if forget else states_at(revisions, commit, CATALOGUES)

    evidence = gathered(drill) if with_evidence else {}
    only = {TARGET: states[TARGET]}
    [found] = forecast(only, evidence, earlier, CATALOGUES.steps, at or drill.clock.at)
    return found


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def turns(found: HostForecast) -> dict[str, tuple[str | None, str | None]]:
    return {turn.rule: (turn.now, turn.then) for turn in found.turns}


def test_nothing_turns_where_nothing_changes(drill: Drill) -> None:
    drill.run()
    found = foresee(drill)
    assert (found.turns, found.actions, found.stays) == ((), (), 5)
    assert found.why_not == ""
    assert found.seq == 1
    assert found.observed_at is not None
    assert found.confirmed_at == found.observed_at


def test_a_stricter_expectation_turns_a_rule_and_what_is_foreseen_happens(drill: Drill) -> None:
    drill.run()
    drill.edit(RULE, replaced("at_least: 1", "at_least: 2"))

    found = foresee(drill)
    assert turns(found) == {SYSCTL: ("pass", "fail")}
    assert "number was 1, expected at least 2" in found.turns[0].why
    [action] = found.actions
    assert (action.runbook, action.ruling, action.guard) == ("RB-SYSCTL-001", "allow", "")
    assert action.runs_at == drill.clock.at
    assert action.rules == (SYSCTL,)

    report = drill.run()
    assert {f.rule: f.status for f in report.before}[SYSCTL] == "fail"
    assert [outcome.runbook for outcome in report.outcomes] == ["RB-SYSCTL-001"]


def test_a_rule_that_fails_now_would_pass_under_what_is_seen(drill: Drill) -> None:
    drill.edit(HOST_FILE, replaced("mode: enforce", "mode: observe"))
    break_sysctl(drill.machine)
    drill.run()
    drill.edit(RULE, replaced("at_least: 1", "at_least: 0"))
    assert turns(foresee(drill)) == {SYSCTL: ("fail", "pass")}
    assert statuses(drill.run())[SYSCTL] == "pass"


def test_what_fails_and_comes_under_enforce_would_be_tried(drill: Drill) -> None:
    drill.edit(HOST_FILE, replaced("mode: enforce", "mode: observe"))
    break_sysctl(drill.machine)
    drill.run()
    drill.edit(HOST_FILE, replaced("mode: observe", "mode: enforce"))
    found = foresee(drill)
    assert found.turns == ()
    assert [(a.runbook, a.ruling) for a in found.actions] == [("RB-SYSCTL-001", "allow")]


def test_changed_parameters_are_not_guessed(drill: Drill) -> None:
    drill.run()
    drill.edit(HOST_FILE, replaced("path: /etc/bridge/key", "path: /etc/bridge/other"))
    [turn] = foresee(drill).turns
    assert (turn.rule, turn.now, turn.then) == (SECRET, "pass", None)
    assert "in another way" in turn.why


def test_a_field_that_was_not_recorded_is_not_guessed(drill: Drill) -> None:
    drill.run()
    drill.edit(
        "policies/rules/units-running.yaml",
        replaced("expect:\n", "expect:\n  unit_file_state: {one_of: [enabled]}\n"),
    )
    found = foresee(drill)
    [turn] = found.turns
    assert (turn.rule, turn.then) == (SERVICE, None)
    assert "not observed: unit_file_state" in turn.why


def test_a_new_rule_shares_what_another_saw_of_the_same_question(drill: Drill) -> None:
    drill.run()
    text = (drill.site.fleet / RULE).read_text()
    twin = text.replace("id: sysctl-syncookies", "id: twin").replace("least: 1", "least: 2")
    (drill.site.fleet / "policies/rules/twin.yaml").write_text(twin)
    drill.edit(
        "policies/baselines/drill-v1.yaml",
        replaced("  - sysctl-syncookies\n", "  - sysctl-syncookies\n  - twin\n"),
    )
    assert turns(foresee(drill)) == {"twin": (None, "fail")}


def test_a_new_question_was_never_observed(drill: Drill) -> None:
    drill.run()
    drill.edit(
        HOST_FILE,
        replaced(
            "    - {name: bridge, unit: bridge.service}\n",
            "    - {name: bridge, unit: bridge.service}\n    - {name: ssh, unit: ssh.service}\n",
        ),
    )
    [turn] = foresee(drill).turns
    assert (turn.rule, turn.now, turn.then) == ("units-running[ssh]", None, None)
    assert turn.why == "was never observed"


def test_a_revision_that_is_not_here_makes_everything_not_known(drill: Drill) -> None:
    drill.run()
    found = foresee(drill, forget=True)
    assert found.stays == 0
    assert {turn.then for turn in found.turns} == {None}
    assert all("not in this repository" in turn.why for turn in found.turns)
    assert found.actions == ()


def test_without_evidence_or_a_run_nothing_is_said(drill: Drill) -> None:
    assert "no evidence" in foresee(drill, with_evidence=False).why_not
    assert "no run" in foresee(drill).why_not


def test_a_window_is_waited_for_and_its_opening_told(drill: Drill) -> None:
    fleet = drill.site.fleet
    (fleet / RUNBOOK).write_text(
        (fleet / RUNBOOK).read_text().replace("mode: auto", "mode: window")
    )
    pin_runbooks(fleet)
    break_sysctl(drill.machine)
    drill.edit(HOST_FILE, lambda text: text + "# window\n")
    drill.edit(
        CLIENT_FILE,
        replaced(
            'windows:\n  - days: [mon, tue, wed, thu, fri]\n    start: "21:00"\n    end: "05:00"\n'
            '  - days: [sat, sun]\n    start: "12:00"\n    end: "05:00"\n',
            "windows:\n  - days: [mon, tue, wed, thu, fri, sat, sun]\n"
            '    start: "21:00"\n    end: "23:00"\n',
        ),
    )
    drill.run()
    at = drill.clock.at.replace(hour=18, minute=0, second=0, microsecond=0)
    [action] = foresee(drill, at=at).actions
    assert (action.ruling, action.guard) == ("defer", "approval")
    assert action.runs_at is not None
    assert timedelta(0) < action.runs_at - at <= timedelta(hours=12)
    [inside] = foresee(drill, at=action.runs_at).actions
    assert inside.ruling == "allow"


def test_a_cooldown_of_the_ledger_counts(drill: Drill) -> None:
    break_sysctl(drill.machine)
    drill.faults.append(Fault("lies"))
    drill.run()
    found = foresee(drill)
    [action] = found.actions
    assert (action.ruling, action.guard) == ("defer", "cooldown")
    assert "1 failed attempts" in action.reason
    assert action.runs_at is not None
    assert timedelta(minutes=5) < action.runs_at - drill.clock.at <= timedelta(minutes=15)


def test_a_kill_switch_denies(drill: Drill) -> None:
    break_sysctl(drill.machine)
    drill.edit(HOST_FILE, lambda text: text + "kill_switch: {engaged: true, reason: Stop.}\n")
    drill.run()
    [action] = foresee(drill).actions
    assert (action.ruling, action.guard, action.runs_at) == ("deny", "kill_switch", None)


def test_evidence_by_another_key_is_not_believed(drill: Drill) -> None:
    drill.run()
    fleet_signers = load_signers(drill.site.directory / "trust" / "allowed_signers")
    with pytest.raises(LedgerDamaged):
        gather(Path(drill.site.evidence), [Branch(CLIENT, HOST, fleet_signers)])


def test_a_run_that_found_the_same_confirms(drill: Drill) -> None:
    drill.run()
    drill.run()
    found = foresee(drill)
    assert found.observed_at is not None
    assert found.confirmed_at is not None
    assert found.confirmed_at > found.observed_at
    assert found.turns == ()


def test_a_commit_that_evidence_names_must_be_one(drill: Drill) -> None:
    revisions = Revisions(drill.site.fleet)
    with pytest.raises(InputError):
        states_at(revisions, "../../etc", Catalogues({}, {}))


HEALING = """\
id: more
title: A rule that looks closer
match:
  check: LNX-SYSCTL-001
  where:
    observed.number: {at_most: 1}
runbook: RB-SYSCTL-001
params:
  name: closer
  settings: ["net.ipv4.tcp_syncookies=1"]
"""


def test_the_answer_of_a_healing_rule_is_foreseen_and_happens(drill: Drill) -> None:
    drill.run()
    drill.edit(RULE, replaced("at_least: 1", "at_least: 2"))
    drill.edit("policies/healing/more.yaml", lambda _: HEALING)

    [action] = foresee(drill).actions
    assert (action.runbook, action.rules) == ("RB-SYSCTL-001", (SYSCTL,))
    [planned] = drill.run().plan.actions
    assert (planned.healing, planned.params["name"]) == (("more",), "closer")


def test_what_a_healing_rule_asks_for_and_nobody_recorded_is_not_guessed(drill: Drill) -> None:
    drill.run()
    drill.edit(RULE, replaced("number: {at_least: 1}", "number: {at_least: 2}\n  value: '1'"))
    asking = HEALING.replace("observed.number: {at_most: 1}", "observed.value: '1'")
    drill.edit("policies/healing/more.yaml", lambda _: asking)
    found = foresee(drill)
    assert turns(found) == {SYSCTL: ("pass", "fail")}
    assert "healing rules ask for value, which is not in evidence" in found.turns[0].why
    assert found.actions == ()
