"""``reconciler guard fleet`` over the ledgers of several hosts of one fleet."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import execute
from reconciler.desired.approve import pin_runbooks
from reconciler.errors import ExitCode
from reconciler.guard.rollout import is_tenth
from reconciler.testing.fake_target import Fault
from tests.support.drill import CLIENT, HOST, Drill, break_sysctl
from tests.support.practice import RUNBOOK, Practice, new_practice

pytestmark = pytest.mark.integration

BREAKERS, ROLLOUT = "policies/breakers.yaml", "policies/rollout.yaml"
NAME = "RB-SYSCTL-001"


@pytest.fixture
def practice(tmp_path: Path) -> Practice:
    return new_practice(tmp_path)


def guard(
    practice: Practice, capsys: pytest.CaptureFixture[str], *more: str, hosts: tuple[str, ...] = ()
) -> tuple[int, str]:
    capsys.readouterr()
    at = f"{practice.first.clock.at:%Y-%m-%dT%H:%M:%SZ}"
    fleet = ["--fleet", str(practice.fleet), "--at", at]
    code = execute(["guard", "fleet", *practice.evidence(*hosts), *fleet, *more])
    return code, capsys.readouterr().out


def digest(practice: Practice) -> str:
    return f"sha256:{hashlib.sha256((practice.fleet / RUNBOOK).read_bytes()).hexdigest()}"


def results(drill: Drill) -> list[str]:
    break_sysctl(drill.machine)
    return [outcome.result for outcome in drill.run().outcomes]


def text(practice: Practice, path: str) -> str:
    return (practice.fleet / path).read_text()


def test_a_version_that_fails_on_three_hosts_runs_on_no_fourth_until_it_is_corrected(
    practice: Practice, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = practice.drills.values()
    for drill in others[:2]:
        drill.faults.append(Fault("lies"))
        assert results(drill) == ["rolled_back"]
    assert guard(practice, capsys) == (
        0,
        "4 hosts, 2 runs of runbooks\n  no evidence was given of example-clinic/appliance\n\n"
        "Nothing to change.\n",
    )

    first.faults.append(Fault("lies"))
    assert results(first) == ["rolled_back"]
    code, said = guard(practice, capsys)
    assert code == ExitCode.DRIFT
    assert f"switch off {NAME} ({digest(practice)}) in the whole fleet" in said
    assert f"failed on 3 hosts within 3600 s: {CLIENT}/desk-1, {CLIENT}/desk-2" in said
    assert "Nothing was written." in said
    assert not (practice.fleet / BREAKERS).exists()

    code, said = guard(practice, capsys, "--write")
    assert code == 0
    assert f'git commit -S -m "Switch off {NAME}" -- {BREAKERS}' in said
    evidence = [r for d in (first, *others) for r in d.records() if r.entry.kind.value == "outcome"]
    for record in evidence:
        entry = record.entry
        assert f"{CLIENT}/{entry.host}@{entry.seq}:sha256:{record.digest}" in text(
            practice, BREAKERS
        )
    assert guard(practice, capsys, "--write")[1].endswith("Nothing to change.\n")
    practice.commit("Switch it off")

    healthy = practice.drills["desk-3"]
    break_sysctl(healthy.machine)
    (left,) = healthy.run().not_done
    assert (left.result, left.verdict.guard) == ("denied", "fleet_breaker")
    assert "failed on 3 hosts within 3600 s" in left.verdict.reason

    file = practice.fleet / RUNBOOK
    file.write_text(f"{file.read_text()}# Corrected.\n")
    pin_runbooks(practice.fleet)
    practice.commit("Correct it")
    break_sysctl(healthy.machine)
    report = healthy.run()
    assert [left.verdict for left in report.not_done] == []
    assert [outcome.result for outcome in report.outcomes] == ["healed"]


def test_failures_far_apart_are_no_burst(
    practice: Practice, capsys: pytest.CaptureFixture[str]
) -> None:
    for drill in list(practice.drills.values())[:3]:
        drill.faults.append(Fault("lies"))
        assert results(drill) == ["rolled_back"]
        practice.pass_time(3600)
    assert guard(practice, capsys)[0] == 0


def stage(practice: Practice, stage: str) -> str:
    return (
        f"# Which versions run where.\nrunbooks:\n  {NAME}:  # since spring\n"
        f"    digest: {digest(practice)}\n    stage: {stage}\n    hosts: [{CLIENT}/{HOST}]\n"
    )


def staged(practice: Practice) -> None:
    practice.first.site.fleet.joinpath(ROLLOUT).write_text(stage(practice, "canary"))
    practice.write("policies/guards.yaml", "staged_rollout: true\n")


def test_a_new_version_moves_on_when_it_has_healed_and_held(
    practice: Practice, capsys: pytest.CaptureFixture[str]
) -> None:
    staged(practice)
    first, second = practice.first, practice.drills["desk-1"]
    break_sysctl(second.machine)
    (left,) = second.run().not_done
    assert (left.result, left.verdict.guard) == ("deferred", "rollout")
    assert results(first) == ["healed"]

    code, said = guard(practice, capsys)
    assert (code, "stays at canary: has not healed on example-clinic/workstation yet" in said) == (
        0,
        True,
    ), "the soak is not over"
    first.run(after_s=3700)
    code, said = guard(practice, capsys, "--write")
    assert code == 0
    assert f"{NAME} from canary to tenth: healed on {CLIENT}/{HOST}" in said
    assert text(practice, ROLLOUT) == stage(practice, "tenth"), "comments and order are kept"
    practice.commit("Move it on")

    chosen = is_tenth(digest(practice), f"{CLIENT}/desk-1")
    assert results(second) == (["healed"] if chosen else [])


def test_a_fix_that_comes_undone_holds_the_stage_and_opens_no_breaker(
    practice: Practice, capsys: pytest.CaptureFixture[str]
) -> None:
    staged(practice)
    first = practice.first
    assert results(first) == ["healed"]
    first.run()
    assert results(first) == ["healed"], "somebody put it back within the soak"
    first.run(after_s=7300)
    code, said = guard(practice, capsys)
    assert code == 0
    assert f"{NAME} stays at canary: failed or came undone on {CLIENT}/{HOST}" in said


def test_evidence_that_does_not_verify_counts_for_nothing_and_holds_the_stage(
    practice: Practice, capsys: pytest.CaptureFixture[str]
) -> None:
    staged(practice)
    assert results(practice.first) == ["healed"]
    practice.first.run(after_s=3700)
    stranger = Path(practice.drills["desk-1"].site.signers).read_text()
    mine = Path(practice.first.site.signers)
    mine.write_text(stranger)

    code, said = guard(practice, capsys, "--json")

    document: dict[str, Any] = json.loads(said)
    assert code == ExitCode.EVIDENCE
    assert list(document["unread"]) == [f"{CLIENT}/{HOST}"]
    (move,) = document["stages"]
    assert move["after"] == "canary"
    assert move["why"] == f"evidence cannot be read: {CLIENT}/{HOST}"


def test_who_may_sign_is_asked_for(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    site = practice.first.site
    alone = ["guard", "fleet", "--evidence", site.evidence, "--fleet", str(practice.fleet)]
    assert execute(alone) == ExitCode.USAGE
    assert "needs --signers" in capsys.readouterr().err
    signers = practice.fleet / "policies" / "trust" / "evidence_signers"
    signers.write_text(Path(site.signers).read_text())
    practice.first.run()
    assert execute(alone) == 0
    assert (
        "no evidence was given of example-clinic/appliance, example-clinic/desk-1"
        in capsys.readouterr().out
    )
    assert execute([*alone, "--evidence", site.evidence]) == ExitCode.INPUT
