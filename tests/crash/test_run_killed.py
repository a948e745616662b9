"""``kill -9`` at every point of a run that acts: no act without an intent, no intent unclosed."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler import RunReport
from reconciler.evidence.statement import Kind
from tests.support.drill import SECRET, SYSCTL, break_secret, break_sysctl, statuses
from tests.support.file_drill import FileDrill, load, make_template
from tests.support.incidents import AT_REST

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
ENGINE_POINTS = {
    "pulled",
    "observed",
    "before-intent",
    "after-intent",
    "look",
    "before-outcome",
    "after-outcome",
    "before-run-entry",
    "after-run-entry",
}


@dataclass(frozen=True)
class Wreck:
    """A directory as a kill left it."""

    number: int
    point: str
    directory: Path

    def __str__(self) -> str:
        return f"killed at {self.number}: {self.point}"


@pytest.fixture(scope="module")
def wrecks(tmp_path_factory: pytest.TempPathFactory) -> list[Wreck]:
    """One for every point that an undisturbed run passes, in order."""
    base = tmp_path_factory.mktemp("killed")
    template, out = base / "template", base / "out"
    make_template(template, break_sysctl, break_secret)
    command = [sys.executable, "-m", "tests.support.file_drill", "kill", str(template), str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    points = json.loads((out / "undisturbed/points").read_text())
    return [Wreck(n, name, out / str(n)) for n, name in enumerate(points)]


def acts_announced(drill: FileDrill) -> None:
    """Every operation was begun while the newest entry on the disk was an intent."""
    kinds = {record.commit: record.entry.kind for record in drill.records()}
    for entry in drill.journal():
        assert kinds[entry["tip"]] is Kind.INTENT, entry


def fsck(drill: FileDrill) -> str:
    command = ["git", "-C", drill.site.evidence, "fsck", "--strict", "--no-dangling"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def states(drill: FileDrill, rule: str) -> list[str]:
    """Every state of a rule's incidents, in the order of the entries."""
    return [
        step["to"]
        for record in drill.records()
        for step in record.entry.body.get("incidents", [])
        if step["rule"] == rule
    ]


def incidents_go_on(
    drill: FileDrill, left: dict[str, list[str]], sent: list[str], first: RunReport
) -> None:
    """What the kill cut off went on with a look; nothing was sent again in that run."""
    for rule, before in left.items():
        if before[-1:] == ["executing"]:
            fresh = next(f.status for f in first.before if f.rule == rule)
            after = "soak" if fresh == "pass" else "cooldown"
            assert states(drill, rule)[len(before) :][:2] == ["verifying", after], rule
    again = [entry["operation"] for entry in drill.journal()[len(sent) :]]
    assert [operation for operation in again if operation in sent] == []
    assert {one.state for one in first.incidents} <= AT_REST


def test_every_kind_of_point_is_among_those_that_were_killed(wrecks: list[Wreck]) -> None:
    points = [wreck.point for wreck in wrecks]

    assert set(points) >= ENGINE_POINTS
    assert any(point.startswith("before-step:") for point in points)
    assert any(point.startswith("after-operation:") for point in points)
    assert points.count("operation-begins") == points.count("operation-ends") == 3
    assert points.count("after-intent") == 2, "two actions"


def test_what_a_kill_leaves_verifies_and_every_act_was_announced(wrecks: list[Wreck]) -> None:
    for wreck in wrecks:
        drill = load(wreck.directory)
        verification = drill.verify()
        assert verification.ok, f"{wreck}: {verification.sentence}"
        acts_announced(drill)
        assert len(verification.branches[0].open_intents) <= 1, str(wreck)
        assert fsck(drill) == "", str(wreck)


def test_the_next_runs_close_what_was_open_and_heal_what_is_left(wrecks: list[Wreck]) -> None:
    for wreck in wrecks:
        before = load(wreck.directory)
        was_open = before.verify().branches[0].open_intents
        left = {rule: states(before, rule) for rule in (SYSCTL, SECRET)}
        cut_off = [rule for rule, seen in left.items() if seen[-1:] == ["executing"]]
        assert len(cut_off) == len(was_open), f"{wreck}: {cut_off}"
        sent = [entry["operation"] for entry in before.journal()]
        first = before.run()
        incidents_go_on(before, left, sent, first)
        assert [o.intent for o in first.interrupted] == [r.seq for r in was_open], str(wreck)
        assert {o.result for o in first.interrupted} <= {"interrupted"}
        after = before.verify()
        assert after.ok, f"{wreck}: {after.sentence}"
        assert after.branches[0].open_intents == (), str(wreck)
        for outcome in first.interrupted:
            looked = {f.rule: f.status for f in first.before}
            assert {r: f.status for r, f in outcome.after.items()} == {
                rule: looked[rule] for rule in outcome.rules
            }, str(wreck)

        last = before.run(after_s=3600)
        assert statuses(last)[SYSCTL] == statuses(last)[SECRET] == "pass", str(wreck)
        assert before.machine.files["/etc/bridge/key"].mode == 0o600
        assert before.machine.sysctls["net.ipv4.tcp_syncookies"] == "1"
        acts_announced(before)
        assert before.run(after_s=3600).plan.actions == (), str(wreck)
        assert states(before, SYSCTL)[-1] == states(before, SECRET)[-1] == "closed", str(wreck)
        assert fsck(before) == "", str(wreck)


def test_a_daemon_that_is_told_to_end_in_an_action_finishes_it_and_records_the_run(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "drill"
    make_template(directory, break_sysctl, break_secret)
    command = [sys.executable, "-m", "tests.support.file_drill", "serve", str(directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as daemon:
        deadline = time.monotonic() + 60
        while not (directory / "in-operation").exists():
            assert daemon.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(daemon.pid, signal.SIGTERM)
        (directory / "go-on").touch()
        said, _ = daemon.communicate(timeout=60)

    assert (daemon.returncode, said) == (0, "")
    drill = load(directory)
    assert drill.kinds() == ["genesis", "intent", "outcome", "run"]
    (run,) = drill.bodies("run")
    assert [outcome["result"] for outcome in run["outcomes"]] == ["healed"]
    assert [(left["result"], left["guard"]) for left in run["not_done"]] == [("deferred", "stop")]
    assert drill.verify().branches[0].open_intents == ()
