"""Drift in, outcome out: a real fleet, a real ledger and every guard around a fake machine."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from reconciler.checks.parsing import sysctl
from reconciler.desired.approve import pin_runbooks
from reconciler.errors import ExitCode
from reconciler.evidence.statement import Reference
from reconciler.guard.gate import GUARDS
from reconciler.model.finding import Finding
from reconciler.model.operation import SetAccess, WriteSysctl
from reconciler.model.probe import ReadFile
from reconciler.model.system_links import CURRENT
from reconciler.model.system_operation import CheckSwitch, Realise, ReturnNow
from reconciler.testing.fake_machine import FakeFile, FakeMachine
from reconciler.testing.fake_system import nixos_links
from reconciler.testing.fake_target import Fault
from tests.support.drill import (
    CLIENT_FILE,
    HOST_FILE,
    SECRET,
    SERVICE,
    SYSCTL,
    Drill,
    break_secret,
    break_service,
    break_sysctl,
    statuses,
)

pytestmark = pytest.mark.integration

OLDER = "/nix/store/00000000000000000000000000000001-nixos-system-desk-1"
NEWER = "/nix/store/00000000000000000000000000000002-nixos-system-desk-2"
COOKIES = {sysctl.probe("net.ipv4.tcp_syncookies"), ReadFile("/proc/sys/net/ipv4/tcp_syncookies")}


def fix_access(operation: object) -> bool:
    return isinstance(operation, SetAccess) and operation.mode == 0o600


def open_wide(machine: FakeMachine) -> None:
    machine.files["/etc/bridge/key"].mode = 0o777


def test_a_clean_machine_is_one_run_entry_and_nothing_is_carried_out(drill: Drill) -> None:
    report = drill.run()

    assert set(statuses(report).values()) == {"pass"}
    assert report.exit_code is ExitCode.CLEAN
    assert report.mode == "enforce"
    assert drill.kinds() == ["genesis", "run"]
    assert drill.carried == []


def test_drift_is_healed_and_the_next_run_has_nothing_to_do(drill: Drill) -> None:
    drill.run()
    for damage in (break_sysctl, break_service, break_secret):
        damage(drill.machine)

    report = drill.run()

    assert {f.rule: f.status for f in report.before if f.status == "fail"}.keys() == {
        SYSCTL, SERVICE, SECRET,
    }  # fmt: skip
    assert [outcome.result for outcome in report.outcomes] == ["healed"] * 3
    assert [outcome.runbook for outcome in report.outcomes] == [
        "RB-FILE-001", "RB-SERVICE-001", "RB-SYSCTL-001",
    ], "the severest rule comes first"  # fmt: skip
    assert set(statuses(report).values()) == {"pass"}
    assert report.exit_code is ExitCode.CLEAN
    assert drill.machine.sysctls["net.ipv4.tcp_syncookies"] == "1"
    assert drill.machine.units["bridge.service"].active == "active"
    assert drill.machine.files["/etc/bridge/key"] == FakeFile(b"secret", 0o600)

    again = drill.run()
    assert again.plan.actions == ()
    assert drill.kinds()[-1] == "run"


def test_intent_comes_before_outcome_before_run_entry_and_they_are_linked(drill: Drill) -> None:
    break_sysctl(drill.machine)

    report = drill.run()

    genesis, intent, outcome, run = drill.records()
    kinds = [r.entry.kind.value for r in (genesis, intent, outcome, run)]
    assert kinds == ["genesis", "intent", "outcome", "run"]
    assert outcome.entry.closes == Reference(intent.entry.seq, intent.digest)
    assert outcome.entry.open == run.entry.open == ()
    assert report.outcomes[0].intent == intent.entry.seq
    assert (report.seq, report.commit) == (run.entry.seq, run.commit)
    (action,) = report.plan.actions
    body = intent.entry.body
    assert body["action"]["id"] == action.id == outcome.entry.body["action"]
    assert body["action"]["params"] == {k: _plain(v) for k, v in action.params.items()}
    assert body["action"]["runbook_digest"] == action.runbook_digest
    assert body["plan_digest"] == report.plan.digest
    assert body["desired"] == {"commit": report.intent.commit, "counter": 1}
    assert [verdict["guard"] for verdict in body["verdicts"]] == [guard.name for guard in GUARDS]
    assert {verdict["ruling"] for verdict in body["verdicts"]} == {"allow"}
    assert body["run"] == outcome.entry.body["run"] == run.entry.body["run"] == report.run
    assert outcome.entry.body["after"] == {SYSCTL: "pass"}
    assert [step["id"] for step in outcome.entry.body["steps"]] == ["after-boot", "now"]
    for record in (intent, outcome, run):
        assert record.entry.subject is not None
        assert record.entry.subject.commit == report.intent.commit


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def test_nothing_is_carried_out_before_its_intent_is_on_the_disk(drill: Drill) -> None:
    for damage in (break_sysctl, break_service, break_secret):
        damage(drill.machine)
    seen: list[tuple[int, int]] = []

    def watch(_where: str) -> None:
        seen.append((len(drill.carried), drill.kinds().count("intent")))

    drill.run(hook=watch)

    begun = [carried for carried, intents in seen if intents == 0]
    assert set(begun) == {0}
    assert all(intents > 0 for carried, intents in seen if carried > 0)


def test_a_fix_that_lies_is_never_healed(drill: Drill) -> None:
    break_sysctl(drill.machine)
    drill.faults.append(Fault("lies"))

    report = drill.run()

    (outcome,) = report.outcomes
    assert outcome.result in {"rolled_back", "failed"}
    assert f"{SYSCTL} is fail" in outcome.reason
    assert all(step.ok for step in outcome.steps), "the machine said that all went well"
    assert statuses(report)[SYSCTL] == "fail"
    assert report.exit_code is ExitCode.DRIFT
    assert [body["result"] for body in drill.bodies("outcome")] == [outcome.result]


def test_a_fix_that_breaks_is_rolled_back_and_the_rollback_is_looked_at(drill: Drill) -> None:
    break_secret(drill.machine)
    drill.faults.append(Fault("breaks", fix_access, open_wide))

    report = drill.run()

    (outcome,) = report.outcomes
    assert (outcome.result, outcome.rollback) == ("rolled_back", "verified")
    assert drill.machine.files["/etc/bridge/key"].mode == 0o644, "as it was before"
    (body,) = drill.bodies("outcome")
    assert (body["result"], body["rollback"]) == ("rolled_back", "verified")
    assert [step["id"] for step in body["undone"]] == ["make-private"]


def test_a_rollback_that_lies_is_not_verified(drill: Drill) -> None:
    break_secret(drill.machine)
    drill.faults += [
        Fault("breaks", fix_access, open_wide),
        Fault("lies", lambda operation: isinstance(operation, SetAccess)),
    ]

    (outcome,) = drill.run().outcomes

    assert (outcome.result, outcome.rollback) == ("failed", "unverified")


def test_one_action_that_fails_does_not_keep_the_others_from_healing(drill: Drill) -> None:
    break_sysctl(drill.machine)
    break_secret(drill.machine)
    drill.faults.append(Fault("refuses", lambda op: isinstance(op, SetAccess)))

    report = drill.run()

    assert {o.runbook: o.result == "healed" for o in report.outcomes} == {
        "RB-FILE-001": False,
        "RB-SYSCTL-001": True,
    }
    assert report.exit_code is ExitCode.DRIFT


def test_a_second_attempt_waits_for_the_cooldown_and_says_how_long(drill: Drill) -> None:
    break_sysctl(drill.machine)
    drill.faults.append(Fault("lies"))
    drill.run()
    carried = len(drill.carried)

    report = drill.run(after_s=100)

    (left,) = report.not_done
    assert (left.result, left.verdict.guard) == ("deferred", "cooldown")
    assert left.verdict.retry_after_s == 500, "300 s x 2, of which 100 have passed"
    assert len(drill.carried) == carried
    assert drill.kinds().count("intent") == 1
    assert drill.bodies("run")[-1]["not_done"][0]["retry_after_s"] == 500

    drill.faults.clear()
    assert drill.run(after_s=499).outcomes == ()
    assert [o.result for o in drill.run(after_s=1).outcomes] == ["healed"]


def test_a_fix_that_does_not_hold_is_not_repeated_at_once(drill: Drill) -> None:
    break_sysctl(drill.machine)
    assert [o.result for o in drill.run().outcomes] == ["healed"]
    break_sysctl(drill.machine)

    (left,) = drill.run(after_s=60).not_done

    assert (left.result, left.verdict.guard) == ("deferred", "cooldown")
    assert "does not hold" in left.verdict.reason


def engage_kill_switch(text: str) -> str:
    return text + "kill_switch: {engaged: true, reason: incident 7}\n"


def deny_runbook(text: str) -> str:
    return text + "denied_runbooks: [RB-SYSCTL-001]\n"


def disapprove(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if "RB-SYSCTL-001" not in line)


@pytest.mark.parametrize(
    ("path", "change", "guard"),
    [
        (HOST_FILE, engage_kill_switch, "kill_switch"),
        (CLIENT_FILE, engage_kill_switch, "kill_switch"),
        (CLIENT_FILE, deny_runbook, "allow_list"),
        ("runbooks/approved.yaml", disapprove, "allow_list"),
    ],
    ids=["host-kill-switch", "client-kill-switch", "denied-runbook", "not-approved"],
)
def test_a_guard_that_denies_leaves_no_intent_and_is_named(
    drill: Drill, path: str, change: object, guard: str
) -> None:
    drill.edit(path, change)  # type: ignore[arg-type]
    break_sysctl(drill.machine)

    report = drill.run()

    (left,) = report.not_done
    assert (left.result, left.verdict.guard) == ("denied", guard)
    assert left.verdict.reason
    assert drill.kinds() == ["genesis", "run"]
    assert drill.carried == []
    (body,) = drill.bodies("run")
    assert body["not_done"][0]["guard"] == guard
    assert body["not_done"][0]["reason"] == left.verdict.reason
    assert report.exit_code is ExitCode.DRIFT


@pytest.mark.parametrize("path", [HOST_FILE, CLIENT_FILE])
def test_observing_plans_nothing_and_says_so(drill: Drill, path: str) -> None:
    drill.edit(path, lambda text: text.replace("mode: enforce", "mode: observe"))
    break_sysctl(drill.machine)

    report = drill.run()

    assert report.mode == "observe"
    assert report.plan.actions == ()
    assert [(left.rule, left.reason) for left in report.plan.unplanned] == [(SYSCTL, "observe")]
    assert drill.kinds() == ["genesis", "run"]
    assert drill.carried == []


def test_a_hung_probe_costs_its_own_finding_only(drill: Drill) -> None:
    break_sysctl(drill.machine)
    break_secret(drill.machine)
    drill.hanging |= COOKIES

    report = drill.run()

    unknown = next(f for f in report.findings if f.rule == SYSCTL)
    assert (unknown.status, "in time" in unknown.reason) == ("unknown", True)
    assert [o.runbook for o in report.outcomes if o.result == "healed"] == ["RB-FILE-001"]
    assert report.exit_code is ExitCode.UNKNOWN


def test_a_fix_that_cannot_be_seen_afterwards_is_not_healed(drill: Drill) -> None:
    """The steps went well; then the machine stops answering."""
    break_sysctl(drill.machine)

    def hang_after_steps(where: str) -> None:
        if where == "look":
            drill.hanging |= COOKIES

    report = drill.run(hook=hang_after_steps)

    (outcome,) = report.outcomes
    assert outcome.result == "failed", "nor can the rollback be seen"
    assert outcome.rollback == "unverified"
    assert f"{SYSCTL} is unknown" in outcome.reason
    assert report.exit_code is ExitCode.UNKNOWN


def test_a_look_that_breaks_after_the_steps_still_ends_in_a_rollback(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reconciler.engine.look import Eye

    confirm = Eye.look_again

    def broken(eye: Eye, ids: Sequence[str]) -> dict[str, Finding]:
        if not drill.carried:
            return confirm(eye, ids)
        raise ZeroDivisionError("a judge that divides")

    monkeypatch.setattr(Eye, "look_again", broken)
    break_sysctl(drill.machine)

    report = drill.run()

    (outcome,) = report.outcomes
    assert (outcome.result, outcome.rollback) == ("rolled_back", "verified")
    assert "could not look: ZeroDivisionError" in outcome.reason
    assert drill.machine.sysctls["net.ipv4.tcp_syncookies"] == "0"
    assert drill.verify().ok


def test_a_dry_run_writes_nothing_and_carries_nothing_out(drill: Drill) -> None:
    break_sysctl(drill.machine)

    report = drill.run(dry_run=True)

    assert [action.runbook for action in report.plan.actions] == ["RB-SYSCTL-001"]
    assert (report.seq, report.commit, report.outcomes) == (None, None, ())
    assert drill.kinds() == ["genesis"]
    assert not any(isinstance(op, WriteSysctl) for op in drill.carried)
    assert drill.carried == []
    assert report.exit_code is ExitCode.DRIFT


def test_once_told_to_stop_nothing_new_is_begun_and_the_run_is_recorded(drill: Drill) -> None:
    break_sysctl(drill.machine)
    break_secret(drill.machine)
    told: list[str] = []

    def stop_in_the_first_action(where: str) -> None:
        if where.startswith("after-operation"):
            told.append(where)

    report = drill.run(hook=stop_in_the_first_action, stopping=lambda: bool(told))

    assert [o.result for o in report.outcomes] == ["healed"]
    assert [(n.result, n.verdict.guard) for n in report.not_done] == [("deferred", "stop")]
    assert drill.kinds() == ["genesis", "intent", "outcome", "run"]


def test_what_took_until_the_window_was_over_does_not_switch_any_more(drill: Drill) -> None:
    runbook = drill.site.fleet / "runbooks/RB-SYSCTL-001.yaml"
    step = f"steps:\n  - id: activate\n    use: system.activate\n    with: {{system: {NEWER}}}\n"
    text = runbook.read_text().replace("mode: auto", "mode: window").replace("steps:\n", step)
    runbook.write_text(text)
    pin_runbooks(drill.site.fleet)
    drill.edit(CLIENT_FILE, open_from_nine_to_eleven)
    drill.machine.links.update(nixos_links(OLDER))
    break_sysctl(drill.machine)
    new_york = ZoneInfo("America/New_York")
    drill.clock.at = drill.clock.at.astimezone(new_york).replace(hour=22, minute=50)
    slow = Fault("breaks", is_realise, lambda _machine: drill.clock.pass_time(600))
    drill.faults.append(slow)

    (outcome,) = drill.run(after_s=1).outcomes

    assert (outcome.result, outcome.rollback) == ("rolled_back", "verified")
    assert "it took until its time was over: waits for a maintenance window" in outcome.reason
    kinds = [type(operation) for operation in drill.carried]
    assert kinds == [Realise, CheckSwitch, ReturnNow]

    drill.faults.clear()
    (outcome,) = drill.run(after_s=23 * 3600).outcomes
    assert outcome.result == "healed"
    assert drill.machine.links[CURRENT] == NEWER


def is_realise(operation: object) -> bool:
    return isinstance(operation, Realise)


def open_from_nine_to_eleven(text: str) -> str:
    windows = text[text.index("windows:") : text.index("contacts:")]
    days = "[mon, tue, wed, thu, fri, sat, sun]"
    daily = f'windows:\n  - {{days: {days}, start: "21:00", end: "23:00"}}\n'
    return text.replace(windows, daily)
