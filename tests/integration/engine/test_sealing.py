"""Sealing: unchanged runs wait on the disk and share one signature; none is lost, none is twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler import RunReport, reconcile
from reconciler.engine.appliance import Appliance
from reconciler.engine.daemon import Daemon
from reconciler.engine.notify import Notifier
from reconciler.engine.past import recall
from reconciler.engine.pending import MOST
from reconciler.engine.session import Options
from reconciler.engine.settings import load_settings
from reconciler.errors import ClockWrong, MachineError, ReconcilerError
from reconciler.evidence.entry import Entry, Kind
from reconciler.ledger.annotate import annotate
from reconciler.report.run import as_document, one_line, render
from tests.integration.engine.test_quiet_runs import Impatient
from tests.support.drill import Drill, break_sysctl

pytestmark = pytest.mark.integration

MINUTE = 60.0
SEALING = Options(promise_s=90, seal_s=3600)


def entries(drill: Drill) -> list[Entry]:
    return [record.entry for record in drill.records()]


def seals(drill: Drill) -> list[Entry]:
    return [e for e in entries(drill) if e.kind is Kind.RUN and "ticks" in e.body]


def kinds(drill: Drill) -> list[str]:
    return [f"{e.kind.value}{' slim' * e.slim}" for e in entries(drill)]


def waiting_file(drill: Drill) -> Path:
    return drill.site.directory / "state/pending-runs"


def tick(
    drill: Drill, appliance: Appliance, count: int = 1, seconds: float = MINUTE
) -> list[RunReport]:
    reports = []
    for _ in range(count):
        drill.clock.pass_time(seconds)
        reports.append(reconcile(appliance, SEALING))
    return reports


def sound(drill: Drill, runs: int) -> None:
    found = drill.verify()
    assert found.ok, found.sentence
    assert found.branches[0].runs == runs
    assert all(gap.declared for gap in found.branches[0].gaps)


@contextmanager
def after_a_crash(drill: Drill, count: int = 5) -> Iterator[Appliance]:
    """An appliance that is opened where an earlier process left runs unsealed."""
    with drill.open() as appliance:
        tick(drill, appliance, count)
    with drill.open() as appliance:
        yield appliance


def test_an_hour_of_unchanged_runs_is_one_entry_and_one_checkpoint(drill: Drill) -> None:
    with drill.open() as appliance:
        first, *rest = tick(drill, appliance, 1 + 130)
    waiting = [report for report in rest if report.seq is None]

    assert kinds(drill)[:3] == ["genesis", "run", "run slim"]
    assert first.seq == 1
    assert len(waiting) >= 120
    assert all(report.recorded for report in rest)
    sealed = seals(drill)
    assert len(sealed) == 2
    assert kinds(drill).count("checkpoint slim") == 2
    for entry in sealed:
        assert sum(entry.body["ticks"]) <= 3600 * 1000
        assert set(entry.body["ticks"]) == {0, 60_000}
        assert "ago_ms" not in entry.body, "sealed in the moment of its last run"
    kept = sum(len(entry.body["ticks"]) for entry in sealed)
    assert kept + len(waiting_file(drill).read_text().splitlines()) - 1 == 130
    sound(drill, 1 + kept)


def test_the_report_says_where_the_run_is_and_until_when(drill: Drill) -> None:
    with drill.open() as appliance:
        tick(drill, appliance, 2)
        (report,) = tick(drill, appliance)

    assert (report.seq, report.commit, report.waits_s) == (None, None, 3540)
    assert "evidence: on the disk, sealed within 59 min" in render(report)
    assert "would run" not in render(report)
    assert "on the disk, sealed within 59 min: " in one_line(report)
    assert as_document(report)["evidence"] == {
        "seq": None,
        "commit": None,
        "sealed_within_s": 3540,
    }


def test_news_seals_what_waits_first(drill: Drill) -> None:
    with drill.open() as appliance:
        tick(drill, appliance, 5)
        break_sysctl(drill.machine)
        tick(drill, appliance)

    assert kinds(drill) == ["genesis", "run", "run slim", "intent", "outcome", "run"]
    (sealed,) = seals(drill)
    assert sealed.body["ticks"] == [0, 60_000, 60_000, 60_000]
    assert sealed.body["ago_ms"] == 60_000
    full = entries(drill)[-1]
    assert full.body["since"]["sysctl-syncookies"]["seq"] == 1
    assert not waiting_file(drill).exists()
    sound(drill, 6)


def test_a_run_names_its_own_number_when_it_seals_others(drill: Drill) -> None:
    with drill.open() as appliance:
        tick(drill, appliance, 3)
        drill.hanging |= set(drill.asked)
        tick(drill, appliance)

    newest = entries(drill)[-1]
    since = {status["seq"] for status in newest.body["since"].values()}
    assert kinds(drill) == ["genesis", "run", "run slim", "run"]
    assert since <= {1, newest.seq}
    assert newest.seq in since


def test_a_single_run_is_signed_by_itself_unless_a_daemon_asks(drill: Drill) -> None:
    drill.run()
    drill.run()

    assert kinds(drill) == ["genesis", "run", "run slim"]
    assert seals(drill) == []
    assert not waiting_file(drill).exists()


def test_a_daemon_seals_when_it_ends(drill: Drill) -> None:
    settings = Path(drill.site.settings)
    settings.write_text(
        settings.read_text().replace("evidence:\n", "evidence:\n  seal_s: 3600\n", 1)
    )
    said: list[object] = []

    def hear(what: object) -> None:
        said.append(what)
        drill.clock.pass_time(MINUTE)

    Daemon(
        load_settings(settings),
        Notifier(None),
        hear,
        hear,
        opening=lambda _home: drill.open(),
        stop=Impatient(),
    ).serve(6)

    assert [type(what).__name__ for what in said] == ["RunReport"] * 6
    assert kinds(drill) == ["genesis", "run", "run slim"]
    assert len(seals(drill)[0].body["ticks"]) == 5
    assert not waiting_file(drill).exists()
    sound(drill, 6)


def test_what_a_crash_left_is_sealed_at_the_next_start_with_its_own_times(drill: Drill) -> None:
    with after_a_crash(drill) as appliance:
        assert appliance.queue.left_over
        before = [at for at, _ in appliance.queue.waiting.runs] if appliance.queue.waiting else []
        tick(drill, appliance, seconds=120.0)

    (sealed,) = seals(drill)
    assert sealed.time - timedelta(milliseconds=sealed.body["ago_ms"]) == before[-1]
    assert len(sealed.body["ticks"]) == len(before) == 4
    sound(drill, 5)


def test_after_a_reboot_what_is_sealed_is_of_the_boot_before(drill: Drill) -> None:
    with drill.open() as appliance:
        tick(drill, appliance, 5)
    drill.boot = drill.boot.replace("1", "2")
    drill.clock.up = 30.0
    with drill.open() as appliance:
        tick(drill, appliance, seconds=600.0)

    assert kinds(drill) == ["genesis", "run", "run slim", "gap"]
    sealed, gap = entries(drill)[2:]
    assert sealed.clock.uptime_s is None, "the uptime of another boot"
    assert (gap.clock.uptime_s, gap.boot_id) == (630, drill.boot)
    assert gap.body["rebooted"] is True
    assert gap.body["from"] == (
        sealed.time - timedelta(milliseconds=sealed.body["ago_ms"])
    ).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sound(drill, 5)


def test_a_gap_between_runs_that_wait_is_declared(drill: Drill) -> None:
    with drill.open() as appliance:
        tick(drill, appliance, 3)
        tick(drill, appliance, seconds=3000.0)
        tick(drill, appliance, 2)

    assert kinds(drill)[:4] == ["genesis", "run", "run slim", "gap"]
    found = drill.verify()
    assert found.ok, found.sentence
    assert [gap.declared for gap in found.branches[0].gaps] == [True]


def test_what_was_sealed_is_not_sealed_again(drill: Drill) -> None:
    with drill.open() as appliance:
        tick(drill, appliance, 5)
        left = waiting_file(drill).read_bytes()
        break_sysctl(drill.machine)
        tick(drill, appliance)
    waiting_file(drill).write_bytes(left)
    with drill.open() as appliance:
        tick(drill, appliance)

    assert len(seals(drill)) == 1
    assert not waiting_file(drill).exists()
    sound(drill, 7)


def test_runs_that_another_entry_overtook_are_kept_aside_and_said(drill: Drill) -> None:
    """No command does it: they seal first, or refuse."""
    with drill.open() as appliance:
        tick(drill, appliance, 5)
        at, reading = drill.clock.at, entries(drill)[-1].clock
        annotate(appliance.ledger, 1, "x", "y", at=at, clock=reading, boot_id=drill.boot)
    with drill.open() as appliance:
        (report,) = tick(drill, appliance)

    assert "4 runs that come after entry 1, where this ledger" in str(report.problems[0])
    assert waiting_file(drill).with_name("pending-runs.torn").exists()
    assert seals(drill) == []
    sound(drill, 1)


def test_a_key_is_not_rotated_while_runs_wait(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    from reconciler.cli import execute
    from reconciler.errors import ExitCode

    with drill.open() as appliance:
        tick(drill, appliance, 3)
    assert execute(["keys", "rotate", "--config", drill.site.settings]) == ExitCode.EVIDENCE
    said = capsys.readouterr().err

    assert "2 runs wait to be sealed with the present key" in said
    assert "reconciler run --once" in said
    assert kinds(drill) == ["genesis", "run"]


@pytest.mark.parametrize("tail", [b'{"at":"2026', b'{"at":"nonsense","took_ms":1}\n', b"\0" * 80])
def test_a_torn_line_is_dropped_kept_and_said(drill: Drill, tail: bytes) -> None:
    with drill.open() as appliance:
        tick(drill, appliance, 5)
    with waiting_file(drill).open("ab") as file:
        file.write(tail)
    with drill.open() as appliance:
        first, second = tick(drill, appliance, 2)

    (problem,) = first.problems
    assert problem.part == "sealing"
    assert f"{len(tail)} bytes after run 4 are torn" in problem.message
    assert second.problems == ()
    assert len(seals(drill)[0].body["ticks"]) == 4
    assert waiting_file(drill).with_name("pending-runs.torn").read_bytes().endswith(tail)
    sound(drill, 5)


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\xff\n", b"[]\n{}\n"])
def test_a_file_that_is_none_stops_nothing(drill: Drill, content: bytes) -> None:
    drill.run()
    waiting_file(drill).write_bytes(content)
    with drill.open() as appliance:
        (report,) = tick(drill, appliance)

    assert len(report.problems) == bool(content)
    sound(drill, 2)


def test_runs_that_continue_from_another_ledger_are_kept_aside_and_said(drill: Drill) -> None:
    with drill.open() as appliance:
        tick(drill, appliance, 3)
    text = waiting_file(drill).read_text()
    head, *rest = text.splitlines(keepends=True)
    broken = head.replace('"seq":1', '"seq":7')
    assert broken != head
    waiting_file(drill).write_text("".join([broken, *rest]))
    with drill.open() as appliance:
        (report,) = tick(drill, appliance)

    assert "2 runs that come after entry 7, where this ledger" in str(report.problems[0])
    assert waiting_file(drill).with_name("pending-runs.torn").exists()
    assert seals(drill) == []


def test_a_clock_that_went_back_behind_a_run_that_waits_signs_nothing(drill: Drill) -> None:
    with drill.open() as appliance:
        tick(drill, appliance, 5)
        drill.clock.at -= timedelta(seconds=150)
        with pytest.raises(ClockWrong, match="nothing can be signed before it"):
            reconcile(appliance, SEALING)
        drill.clock.at += timedelta(seconds=150)
        tick(drill, appliance)

    assert kinds(drill) == ["genesis", "run"]
    assert len(waiting_file(drill).read_text().splitlines()) == 1 + 5


def test_a_jump_is_seen_against_the_newest_run_that_waits(drill: Drill) -> None:
    drill.synchronised = False
    with drill.open() as appliance:
        tick(drill, appliance, 20)
        drill.clock.at += timedelta(seconds=700)
        with pytest.raises(ClockWrong, match="jumped by 700 s"):
            reconcile(appliance, SEALING)


def test_a_full_disk_loses_the_run_that_was_not_acknowledged_and_no_other(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    with drill.open() as appliance:
        tick(drill, appliance, 4)
        file = waiting_file(drill)
        good = file.read_bytes()

        def half(_what: object) -> None:
            file.write_bytes(good + b'{"at":"2026-')
            raise OSError(28, "No space left on device", str(file))

        monkeypatch.setattr("reconciler.engine.pending.flush", half)
        with pytest.raises(MachineError, match="No space left"):
            tick(drill, appliance)
        monkeypatch.undo()
        tick(drill, appliance)
        assert file.read_bytes().startswith(good)
        assert file.read_bytes().count(b"\n") == good.count(b"\n") + 1
    with drill.open() as appliance:
        (report,) = tick(drill, appliance)

    assert report.problems == ()
    sound(drill, 5)


def test_what_a_daemon_remembers_is_what_a_restart_would(drill: Drill) -> None:
    with drill.open() as appliance:
        for _ in range(62):
            drill.clock.pass_time(60.0001234)
            reconcile(appliance, SEALING)
            if appliance.queue.waiting is None:
                assert appliance.past == recall(appliance.ledger)


def test_a_dry_run_leaves_what_waits(drill: Drill) -> None:
    with drill.open() as appliance:
        tick(drill, appliance, 4)
    before = waiting_file(drill).read_bytes()
    drill.run(dry_run=True)

    assert waiting_file(drill).read_bytes() == before
    assert kinds(drill) == ["genesis", "run"]


def test_a_heartbeat_comes_after_what_waits(drill: Drill) -> None:
    from reconciler.engine.heartbeat import beat

    with drill.open() as appliance:
        tick(drill, appliance, 4)
        drill.clock.pass_time(MINUTE)
        beat(appliance, ReconcilerError("x", hint="y"))

    assert kinds(drill) == ["genesis", "run", "run slim", "heartbeat slim"]
    assert [e.body.get("ago_ms") for e in seals(drill)] == [60_000]
    sound(drill, 4)


def test_a_seal_over_as_many_runs_as_a_file_may_hold_fits_into_its_line(drill: Drill) -> None:
    """A limit that is not reached with an interval of 5 s and an hour: 720 runs."""
    with drill.open() as appliance:
        tick(drill, appliance, 2)
        waiting = appliance.queue.waiting
        assert waiting is not None
        last = waiting.last
        many = [(last + timedelta(seconds=3600 * n), 10**9) for n in range(MOST)]
        body = type(waiting)(waiting.after, 10**7, True, tuple(many)).body(
            many[-1][0] + timedelta(days=9999)
        )
        reading = entries(drill)[-1].clock
        drill.clock.at = many[-1][0]
        receipt = appliance.ledger.append_slim(
            Kind.RUN, {**body, "like": 1}, at=drill.clock.at, clock=reading
        )

    assert receipt.seq == 2
