"""What an interruption leaves behind, and what the next run makes of it."""

import pytest

from reconciler import reconcile
from reconciler.errors import ExitCode, MachineError
from reconciler.evidence.statement import Kind
from reconciler.ledger.writer import Writer
from reconciler.model.operation import WriteSysctl
from tests.support.drill import (
    BASELINE_FILE,
    HOST,
    HOST_FILE,
    SECRET,
    SYSCTL,
    Drill,
    break_secret,
    break_sysctl,
    statuses,
)

pytestmark = pytest.mark.integration


class Killed(BaseException):
    """Ends a run as a signal would: nothing catches it."""


def interrupt(drill: Drill, at: str) -> None:
    """A run that ends at a hook."""

    def die(where: str) -> None:
        if where == at:
            raise Killed

    with pytest.raises(Killed):
        drill.run(hook=die)


def test_an_open_intent_is_closed_as_interrupted_after_a_fresh_look(drill: Drill) -> None:
    break_sysctl(drill.machine)
    interrupt(drill, "after-operation:now:1")
    assert drill.kinds() == ["genesis", "intent"]
    assert drill.verify().ok, "an open intent is no damage"
    asked = len(drill.asked)

    report = drill.run()

    (closed,) = report.interrupted
    assert (closed.result, closed.intent, closed.rules) == ("interrupted", 1, (SYSCTL,))
    assert closed.after[SYSCTL].status == "pass", "the step had been carried out by then"
    assert len(drill.asked) > asked
    assert drill.kinds() == ["genesis", "intent", "outcome", "run"]
    outcome = drill.records()[2].entry
    assert outcome.closes is not None
    assert outcome.closes.seq == 1
    assert outcome.body["after"] == {SYSCTL: "pass"}
    assert outcome.body["steps"] == []
    assert drill.verify().branches[0].open_intents == ()


def test_an_interrupted_attempt_counts_and_heals_once_it_has_cooled_down(drill: Drill) -> None:
    break_sysctl(drill.machine)
    interrupt(drill, "after-intent")

    report = drill.run()
    (left,) = report.not_done
    assert (left.verdict.guard, left.verdict.retry_after_s) == ("cooldown", 600)
    assert statuses(report)[SYSCTL] == "fail"

    assert [o.result for o in drill.run(after_s=600).outcomes] == ["healed"]


def test_an_interruption_before_the_intent_costs_nothing(drill: Drill) -> None:
    break_sysctl(drill.machine)
    interrupt(drill, "before-intent")
    assert drill.kinds() == ["genesis"]
    assert drill.carried == []

    report = drill.run()

    assert report.interrupted == ()
    assert [o.result for o in report.outcomes] == ["healed"]


def test_what_was_recorded_before_the_interruption_is_not_done_again(drill: Drill) -> None:
    break_sysctl(drill.machine)
    interrupt(drill, "after-outcome")
    carried = len(drill.carried)

    report = drill.run()

    assert (report.interrupted, report.outcomes, report.not_done) == ((), (), ())
    assert len(drill.carried) == carried
    assert drill.kinds() == ["genesis", "intent", "outcome", "run"]


def drop_rule(text: str) -> str:
    return text.replace("  - sysctl-syncookies\n", "")


def test_a_rule_that_is_gone_does_not_keep_its_intent_open(drill: Drill) -> None:
    break_sysctl(drill.machine)
    interrupt(drill, "after-intent")
    drill.edit(BASELINE_FILE, drop_rule)

    report = drill.run()

    (closed,) = report.interrupted
    assert (closed.rules, dict(closed.after)) == ((SYSCTL,), {})
    assert report.intent.refused is None
    assert drill.verify().branches[0].open_intents == ()


def test_a_runbook_that_is_gone_does_not_keep_its_intent_open(drill: Drill) -> None:
    break_sysctl(drill.machine)
    interrupt(drill, "after-intent")
    fleet = drill.site.made.fleet
    for rule in (fleet / "policies/rules").glob("*.yaml"):
        if "RB-SYSCTL-001" in rule.read_text():
            without = rule.read_text().partition("remedy:")
            after = without[2].partition("references:")
            rule.write_text(without[0] + after[1] + after[2])
    (fleet / "runbooks/RB-SYSCTL-001.yaml").unlink()
    approved = fleet / "runbooks/approved.yaml"
    lines = approved.read_text().splitlines(keepends=True)
    approved.write_text("".join(line for line in lines if "RB-SYSCTL-001" not in line))
    drill.site.commit("Retire a runbook", at=drill.clock.at)

    report = drill.run()

    assert report.intent.refused is None, report.intent.message
    assert [o.runbook for o in report.interrupted] == ["RB-SYSCTL-001"]
    assert [(u.rule, u.reason) for u in report.plan.unplanned] == [(SYSCTL, "no-remedy")]
    assert drill.verify().branches[0].open_intents == ()


def test_a_host_that_was_renamed_keeps_its_last_state_and_its_promises(drill: Drill) -> None:
    break_sysctl(drill.machine)
    interrupt(drill, "after-intent")
    fleet = drill.site.made.fleet
    text = (fleet / HOST_FILE).read_text()
    (fleet / HOST_FILE).unlink()
    renamed = fleet / HOST_FILE.replace(HOST, "desk")
    renamed.write_text(text.replace(f"id: {HOST}", "id: desk"))
    drill.site.commit("Rename", at=drill.clock.at)

    report = drill.run()

    assert report.intent.refused == "policy-invalid"
    assert "workstation" in report.intent.message
    assert report.exit_code is ExitCode.INPUT
    assert [o.result for o in report.interrupted] == ["interrupted"]
    assert report.target == "example-clinic/workstation"


def full_disk(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The next entry of a kind cannot be written."""
    write = Writer.write

    def refuse(writer: Writer, entry: object, payload: bytes, parent: str | None) -> str:
        if entry.kind.value == kind:  # type: ignore[attr-defined]
            monkeypatch.setattr(Writer, "write", write)
            raise MachineError("no space left on the device", hint="Make room.")
        return write(writer, entry, payload, parent)  # type: ignore[arg-type]

    monkeypatch.setattr(Writer, "write", refuse)


def test_an_outcome_that_cannot_be_written_is_closed_by_the_next_run_of_the_same_process(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_sysctl(drill.machine)
    with drill.open() as appliance:
        full_disk(monkeypatch, "outcome")
        with pytest.raises(MachineError):
            reconcile(appliance)
        assert drill.kinds() == ["genesis", "intent"]
        drill.clock.pass_time(300)

        report = reconcile(appliance)

    assert [o.result for o in report.interrupted] == ["interrupted"]
    assert report.interrupted[0].after[SYSCTL].status == "pass"
    assert drill.kinds() == ["genesis", "intent", "outcome", "run"]
    assert drill.verify().branches[0].open_intents == ()


def test_an_intent_that_cannot_be_written_means_that_nothing_is_done(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_sysctl(drill.machine)
    full_disk(monkeypatch, "intent")

    with pytest.raises(MachineError):
        drill.run()

    assert drill.carried == []
    assert drill.kinds() == ["genesis"]


def test_a_run_entry_that_cannot_be_written_leaves_no_trace_in_what_follows(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    with drill.open() as appliance:
        full_disk(monkeypatch, "run")
        with pytest.raises(MachineError):
            reconcile(appliance)
        drill.clock.pass_time(300)
        report = reconcile(appliance)

    (body,) = drill.bodies("run")
    assert report.seq == 1
    assert {since["at"] for since in body["since"].values()} == {body["finished_at"]}
    assert body["intent"]["accepted"]["counter"] == 1


@pytest.mark.parametrize("at", ["after-intent", "after-operation:now:1", "before-outcome"])
def test_an_accepted_commit_that_was_acted_on_is_never_forgotten(drill: Drill, at: str) -> None:
    drill.run()
    commit = drill.edit("policies/note.md", lambda _old: "two\n")
    break_sysctl(drill.machine)
    interrupt(drill, at)

    with drill.open() as appliance:
        accepted = appliance.past.memory.accepted

    assert accepted is not None
    assert (accepted.commit, accepted.counter) == (commit, 2)


def test_two_interrupted_actions_are_each_closed_once(drill: Drill) -> None:
    break_sysctl(drill.machine)
    interrupt(drill, "after-intent")
    drill.clock.pass_time(3600)
    break_secret(drill.machine)
    interrupt(drill, "after-intent")
    assert drill.kinds() == ["genesis", "intent", "outcome", "intent"], "the first was closed"

    report = drill.run()

    assert [o.rules for o in report.interrupted] == [(SECRET,)]
    assert drill.verify().branches[0].open_intents == ()
    assert not any(isinstance(op, WriteSysctl) for op in drill.carried)


def test_a_run_entry_that_leaves_an_intent_open_is_looked_behind(drill: Drill) -> None:
    """No run does so; a ledger that says so still must not lose the promise."""
    drill.run()
    break_sysctl(drill.machine)
    interrupt(drill, "after-intent")
    body = dict(drill.bodies("run")[0])
    with drill.open() as appliance:
        body["memory"] = appliance.past.memory.to_body()
        appliance.ledger.append(Kind.RUN, body, at=drill.clock.at, subject=None)

    report = drill.run()

    assert [o.rules for o in report.interrupted] == [(SYSCTL,)]
    assert report.interrupted[0].action == drill.bodies("intent")[0]["action"]["id"]
