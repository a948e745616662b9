"""What the run entry carries: findings, since when, memory, clock; and what reading it costs."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler import RunReport, reconcile
from reconciler.engine.past import recall
from reconciler.errors import ClockWrong, ExitCode
from reconciler.guard.memory import Memory, fold
from reconciler.ledger.objects import ObjectStore
from reconciler.testing.fake_target import Fault
from tests.support.drill import (
    BASELINE_FILE,
    HOST_FILE,
    SYSCTL,
    Drill,
    break_secret,
    break_service,
    break_sysctl,
    new_drill,
    statuses,
)

pytestmark = pytest.mark.integration


def test_a_run_entry_says_everything_that_was_seen(drill: Drill) -> None:
    break_sysctl(drill.machine)
    drill.faults.append(Fault("lies"))

    report = drill.run()

    (body,) = drill.bodies("run")
    assert [f["rule"] for f in body["findings"]] == [f.rule for f in report.findings]
    sysctl = next(f for f in body["findings"] if f["rule"] == SYSCTL)
    assert (sysctl["status"], sysctl["observed"]["number"]) == ("fail", 0)
    assert set(sysctl["expected"]) == {"number"}
    assert len(sysctl["raw_digest"]) == 64
    assert body["mode"] == "enforce"
    assert body["census"]["rules"] == 5
    assert body["census"]["enforced"] == 4
    assert body["intent"]["accepted"] == {"commit": report.intent.commit, "counter": 1}
    assert [a["runbook"] for a in body["plan"]["actions"]] == ["RB-SYSCTL-001"]
    assert [o["result"] for o in body["outcomes"]] == [report.outcomes[0].result]
    (entry,) = (r.entry for r in drill.records() if r.entry.kind.value == "run")
    assert entry.boot_id == drill.boot
    assert entry.clock.synchronised is True
    assert entry.clock.source == "kernel"
    assert body["started_at"] <= body["finished_at"]
    assert datetime.fromisoformat(body["reached_at"]) <= drill.clock.at


def test_a_status_has_its_first_entry_until_it_changes(drill: Drill) -> None:
    for _ in range(2):
        drill.run()
    break_sysctl(drill.machine)
    drill.faults.append(Fault("lies"))
    drill.run()
    drill.run()

    runs = [r.entry for r in drill.records() if r.entry.kind.value == "run"]
    assert runs[1].body == {"like": 1, "reached": True, "took_ms": runs[1].body["took_ms"]}
    first, third, fourth = (run.body["since"] for run in runs if not run.slim)
    assert {since["seq"] for since in first.values()} == {runs[0].seq}
    assert third[SYSCTL] == {"status": "fail", "seq": runs[2].seq, "at": third[SYSCTL]["at"]}
    assert fourth[SYSCTL] == third[SYSCTL]
    assert {r: s for r, s in fourth.items() if r != SYSCTL} == {
        r: s for r, s in first.items() if r != SYSCTL
    }


def folded(drill: Drill) -> tuple[Memory, Memory]:
    """The newest run's memory: as carried, and folded from the genesis on."""
    records = drill.records()
    memory = Memory.from_body(records[0].entry.body["memory"])
    carried = memory
    for record in records[1:]:
        entry = record.entry
        if entry.slim:
            continue
        memory = fold(memory, entry.kind.value, entry.body, entry.time)
        if entry.kind.value == "run":
            carried = Memory.from_body(entry.body["memory"])
            assert carried == memory, f"entry {entry.seq}"
    return carried, memory


class Killed(BaseException):
    pass


def run_and_die(drill: Drill) -> None:
    def die(where: str) -> None:
        if where.startswith("after-operation"):
            raise Killed

    with suppress(Killed):
        drill.run(hook=die)


def lie(drill: Drill) -> None:
    drill.faults[:] = [] if drill.faults else [Fault("lies")]


def toggle(path: str, one: str, other: str) -> Callable[[Drill], None]:
    def edit(drill: Drill) -> None:
        file = drill.site.made.fleet / path
        swap = (one, other) if one in file.read_text() else (other, one)
        drill.edit(path, lambda text: text.replace(*swap))

    return edit


STEPS: dict[str, Callable[[Drill], object]] = {
    "break-sysctl": lambda drill: break_sysctl(drill.machine),
    "break-service": lambda drill: break_service(drill.machine),
    "break-secret": lambda drill: break_secret(drill.machine),
    "lie": lie,
    "observe": toggle(HOST_FILE, "mode: enforce", "mode: observe"),
    "break-policy": toggle(BASELINE_FILE, "sysctl-syncookies", "sysctl-nonsense"),
    "run": lambda drill: drill.run(),
    "run-later": lambda drill: drill.run(after_s=900),
    "run-tomorrow": lambda drill: drill.run(after_s=90_000),
    "die": run_and_die,
}


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=3, max_size=9))
def test_the_carried_memory_is_the_fold_of_the_whole_ledger(steps: list[str]) -> None:
    with TemporaryDirectory() as directory:
        drill = new_drill(Path(directory) / "var")
        for step in ["run", *steps, "run"]:
            STEPS[step](drill)
        carried, memory = folded(drill)
        with drill.open() as appliance:
            assert appliance.past.memory == memory == carried
            assert appliance.past.open_intents == []
        verification = drill.verify()

    assert verification.ok, verification.sentence
    assert verification.branches[0].open_intents == ()


def test_what_a_daemon_remembers_is_what_a_restart_would(drill: Drill) -> None:
    break_sysctl(drill.machine)
    drill.faults.append(Fault("lies"))
    with drill.open() as appliance:
        for _ in range(3):
            drill.clock.pass_time(400.0001234)
            reconcile(appliance)
        live = appliance.past
        recalled = recall(appliance.ledger)

    assert live == recalled


def test_recalling_costs_the_same_however_long_the_history_is(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    raw = ObjectStore.read

    def count(store: ObjectStore, oid: str) -> object:
        read.append(oid)
        return raw(store, oid)

    def cost() -> int:
        with drill.open() as appliance:
            read.clear()
            monkeypatch.setattr(ObjectStore, "read", count)
            recall(appliance.ledger)
            monkeypatch.setattr(ObjectStore, "read", raw)
            return len(read)

    # A day of runs that find the same is read back to the first of the day, and never further.
    for _ in range(8):
        drill.run(after_s=10_800)
    day = cost()
    for _ in range(40):
        drill.run(after_s=10_800)

    assert 0 < cost() <= day + 4, "a tree may hold a little more"


def code(report: RunReport) -> ExitCode:
    return report.exit_code


def test_drift_outranks_unknown_and_unknown_outranks_clean(drill: Drill) -> None:
    assert code(drill.run()) is ExitCode.CLEAN
    drill.hanging |= set(drill.asked)
    assert code(drill.run()) is ExitCode.UNKNOWN
    drill.hanging.clear()
    break_sysctl(drill.machine)
    drill.faults.append(Fault("lies"))
    assert code(drill.run()) is ExitCode.DRIFT


def test_a_clock_that_went_back_signs_nothing_and_does_nothing(drill: Drill) -> None:
    drill.run()
    break_sysctl(drill.machine)
    drill.clock.at -= timedelta(days=365)

    with pytest.raises(ClockWrong, match="nothing can be signed before it"):
        drill.run()

    assert drill.kinds() == ["genesis", "run"]
    assert drill.carried == []


def test_a_jump_is_refused_until_the_kernel_says_that_the_clock_is_right(drill: Drill) -> None:
    drill.synchronised = False
    drill.run()
    break_sysctl(drill.machine)
    drill.clock.at += timedelta(days=1)

    with pytest.raises(ClockWrong, match="jumped by 86400 s"):
        drill.run()
    drill.synchronised = None
    with pytest.raises(ClockWrong):
        drill.run()
    assert drill.carried == []

    drill.synchronised = True
    assert [o.result for o in drill.run().outcomes] == ["healed"]
    assert statuses(drill.run())["evidence-chain"] == "pass"


def test_a_run_that_takes_longer_than_a_jump_does_not_stop_the_next_one(drill: Drill) -> None:
    """Without a synchronised clock: elapsed time counts from when it was read."""
    drill.synchronised = False
    break_sysctl(drill.machine)

    def take_an_hour(where: str) -> None:
        if where == "before-outcome":
            drill.clock.pass_time(3600)

    assert [o.result for o in drill.run(hook=take_an_hour).outcomes] == ["healed"]
    assert code(drill.run()) is ExitCode.CLEAN


def test_a_clock_that_goes_back_in_the_middle_leaves_an_intent_that_is_closed_later(
    drill: Drill,
) -> None:
    break_sysctl(drill.machine)

    def set_back(where: str) -> None:
        if where == "before-outcome":
            drill.clock.at -= timedelta(hours=2)

    with pytest.raises(ClockWrong):
        drill.run(hook=set_back)
    assert drill.kinds() == ["genesis", "intent"]
    drill.clock.at += timedelta(hours=2)

    assert [o.result for o in drill.run().interrupted] == ["interrupted"]
    assert drill.verify().branches[0].open_intents == ()


def test_after_a_reboot_uptime_starts_anew(drill: Drill) -> None:
    drill.synchronised = False
    drill.run()
    drill.boot = drill.boot.replace("1", "2")
    drill.clock.up = 30.0

    assert code(drill.run()) is ExitCode.CLEAN
    newest = drill.records()[-1].entry
    assert (newest.boot_id, newest.clock.uptime_s) == (drill.boot, 30 + 300)
