"""From evidence to a branch: what is proposed, what is not, and why."""

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import execute
from reconciler.desired.gate.reading import read_work_tree
from reconciler.engine.inquiry.propose import Given, propose
from reconciler.engine.simulation.fleet import Catalogues
from reconciler.learn.proposal import Proposals
from tests.support.drill import CLIENT, Drill
from tests.support.learning import Host
from tests.support.learning_site import (
    RUNBOOK,
    again,
    histories,
    new_fleet,
    pinned,
    without_remedy,
    written,
)
from tests.support.storms import CHECKS, STEPS

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """Only read by the tests that share it."""
    return new_fleet(tmp_path_factory.mktemp("learning") / "var")


def proposals(drill: Drill, hosts: list[Host]) -> Proposals:
    reading = read_work_tree(drill.site.fleet, CHECKS, STEPS)
    assert reading.whole, reading.remarks
    records = {f"{CLIENT}/{host.name}": host.records for host in hosts}
    return propose(Given(reading, reading.files, records, Catalogues(CHECKS, STEPS)))


def test_ripe_choice_becomes_a_rule_with_its_replay_and_coverage(fleet: Drill) -> None:
    found = proposals(fleet, histories(fleet))

    (one,) = found.promoted
    assert (found.demoted, found.waiting, found.declined) == ((), (), ())
    assert one.rule.source == "promoted"
    assert len(one.rule.evidence) == 16
    assert one.rule.priority == 50
    assert (one.coverage.answered, one.coverage.seen) == (16, 16)
    assert len(one.replays) == 4
    replay = one.replays[0]
    assert replay.with_rule["acts"] == {f"L1 {RUNBOOK}": 4}
    assert replay.changes["acts"] == {f"L1 {RUNBOOK}": {"base": 0, "head": 4}}
    assert replay.changes["escalations"]["no-remedy"]["head"] == 0


def test_the_same_evidence_gives_the_same_bytes(fleet: Drill) -> None:
    one, other = (proposals(fleet, histories(fleet)) for _ in range(2))
    assert json.dumps(one.document()) == json.dumps(other.document())
    assert one.files == other.files
    assert one.name == other.name


@pytest.mark.parametrize(
    ("heals", "how", "missing"),
    [
        (3, {}, {"successes", "bound"}),
        (4, {"later": timedelta(hours=1)}, {"days"}),
        (4, {"soak": None}, {"successes", "bound", "hosts", "days"}),
    ],
)
def test_what_is_not_ripe_says_what_it_lacks(
    fleet: Drill, heals: int, how: dict[str, Any], missing: set[str]
) -> None:
    found = proposals(fleet, histories(fleet, heals, **how))
    assert found.files == {}
    assert {one.what for one in found.waiting[0].missing} == missing


def test_another_version_of_the_runbook_is_not_what_was_tried(fleet: Drill) -> None:
    found = proposals(fleet, histories(fleet, digest="e" * 64))
    assert found.promoted == ()
    assert "another version" in found.declined[0].reason


def test_what_a_rule_answers_already_is_not_proposed(tmp_path: Path) -> None:
    drill = new_fleet(tmp_path / "var")
    hosts = histories(drill)
    (one,) = proposals(drill, hosts).promoted
    drill.edit(one.path, lambda _old: one.text)
    assert [d.reason for d in proposals(drill, hosts).declined] == ["the rule is there already"]
    drill.edit(one.path, lambda old: old.replace("enabled: true", "enabled: false"))
    assert "switched this rule off" in proposals(drill, hosts).declined[0].reason
    other = one.text.replace(f"id: {one.rule.id}", "id: by-hand").replace("enabled: true\n", "")
    (drill.site.fleet / one.path).unlink()
    drill.edit("policies/healing/by-hand.yaml", lambda _old: other)
    assert "in the same way already" in proposals(drill, hosts).declined[0].reason


def test_promoted_rule_that_fails_twice_is_switched_off_by_proposal(tmp_path: Path) -> None:
    drill = new_fleet(tmp_path / "var")
    hosts = histories(drill)
    (one,) = proposals(drill, hosts).promoted
    drill.edit(one.path, lambda _old: one.text)
    for _ in range(2):
        again(hosts[1], drill, tier="L1", result="rolled_back", healing=[one.rule.id])

    found = proposals(drill, hosts)

    (gone,) = found.demoted
    assert gone.path == one.path
    before, after = set(one.text.splitlines()), set(gone.text.splitlines())
    assert before - after == {"enabled: true"}
    (said,) = after - before - {"enabled: false"}
    assert said.startswith("# Switched off: 2 failures from 2026-03-")
    assert len(gone.demotion.references) == 2
    assert found.promoted == ()


def git(drill: Drill, *argv: str) -> str:
    command = ["git", "-C", str(drill.site.fleet), *argv]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    capsys.readouterr()
    code = execute(["propose", "--json", *argv])
    out, err = capsys.readouterr()
    assert code == 0, err
    document: dict[str, Any] = json.loads(out)
    return document


def test_proposal_is_a_branch_of_the_clone_signed_by_the_person_who_makes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drill = new_fleet(tmp_path / "var")
    evidence = written(tmp_path / "evidence", histories(drill))
    key = drill.site.directory / "keys" / "engineer"
    argv = [*evidence, "--fleet", str(drill.site.fleet)]
    before = git(drill, "rev-parse", "HEAD"), git(drill, "status", "--porcelain")

    said = told(capsys, *argv, "--key", str(key))

    assert (git(drill, "rev-parse", "HEAD"), git(drill, "status", "--porcelain")) == before
    (path,) = [one["path"] for one in said["promoted"]]
    changed = git(drill, "diff", "--name-status", "HEAD", said["branch"]).split()
    assert changed == ["A", path]
    git(drill, "verify-commit", said["branch"])
    assert said["commands"][-1] == f"git -C {drill.site.fleet} push origin {said['branch']}"
    assert not any("amend" in line for line in said["commands"])
    assert execute(["check", str(drill.site.fleet)]) == 0
    # Again: the same branch, the same commit.
    assert told(capsys, *argv, "--key", str(key))["commit"] == said["commit"]

    unsigned = told(capsys, *argv, "--branch", "by-git")
    assert any("--amend --no-edit --gpg-sign" in line for line in unsigned["commands"])
    for line in unsigned["commands"][:-1]:
        subprocess.run(line, shell=True, check=True, capture_output=True)
    git(drill, "verify-commit", "HEAD")
    assert path in git(drill, "show", "--name-only", "HEAD")


def test_nothing_to_propose_says_what_is_missing_and_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drill = new_fleet(tmp_path / "var")
    evidence = written(tmp_path / "evidence", histories(drill, 3)[:2])
    capsys.readouterr()
    assert execute(["propose", *evidence, "--fleet", str(drill.site.fleet)]) == 0
    out = capsys.readouterr().out
    assert "nothing to propose" in out
    assert "6 of 16 successes" in out and "2 of 3 hosts" in out
    assert git(drill, "branch", "--list", "propose/*") == ""


def test_evidence_that_was_changed_teaches_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drill = new_fleet(tmp_path / "var")
    evidence = written(tmp_path / "evidence", histories(drill, 1)[:1])
    strangers = written(tmp_path / "strangers", histories(drill, 1)[:1])
    argv = [*evidence[:2], *strangers[2:], "--fleet", str(drill.site.fleet)]
    assert execute(["propose", *argv]) == 6
    assert "does not verify" in capsys.readouterr().err


def test_fixture_is_what_it_says(fleet: Drill) -> None:
    assert len(pinned(fleet)) == 64
    assert without_remedy("a\nremedy:\n  x") == "a\n"
