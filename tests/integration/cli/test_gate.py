"""``reconciler plan`` and ``reconciler check`` as somebody in a pull request calls them."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import execute as run
from reconciler.desired.approve import pin_runbooks
from reconciler.errors import ExitCode
from tests.support.appliances import Site, new_site
from tests.support.commands import host
from tests.support.drill import (
    BASELINE_FILE,
    CLIENT_FILE,
    HOST_FILE,
    Drill,
    break_sysctl,
    new_drill,
)
from tests.support.fleet_git import git_env

pytestmark = pytest.mark.integration

RULE = "policies/rules/sysctl-syncookies.yaml"
RUNBOOK = "runbooks/RB-SYSCTL-001.yaml"
TARGET = "example-clinic/workstation"
SECRET = "hunter2" + "hunter2"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return new_site(tmp_path / "var")


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    return new_drill(tmp_path / "var")


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run(list(arguments))
    return code, capsys.readouterr().out


def plan(
    site: Site, capsys: pytest.CaptureFixture[str], *more: str, base: str = "HEAD~1"
) -> tuple[int, str]:
    return said(capsys, "plan", base, "HEAD", "--repository", str(site.fleet), *more)


def document(site: Site, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    _code, out = plan(site, capsys, "--json", *more)
    found: dict[str, Any] = json.loads(out)
    return found


def test_a_change_is_told_rule_by_rule_with_what_may_run(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    drill.edit(RULE, replaced("at_least: 1", "at_least: 2"))
    code, out = plan(drill.site, capsys)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("OK: ")
    assert "~ sysctl-syncookies" in lines
    assert "    expect.number: at least 1 -> at least 2" in lines
    assert any(line.startswith("plan of the head: sha256:") for line in lines)
    assert f"~ {TARGET} plan sha256:" in out


def test_a_host_that_comes_under_enforce_makes_runbooks_reachable(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    drill.edit(HOST_FILE, replaced("mode: enforce", "mode: observe"))
    drill.edit(HOST_FILE, replaced("mode: observe", "mode: enforce"))
    code, out = plan(drill.site, capsys)
    assert code == 0
    assert "3 runbooks newly reachable" in out.splitlines()[0]
    assert "+ RB-SYSCTL-001 becomes reachable" in out
    assert "mode auto, pinned, sha256:" in out
    assert "~ host.mode: observe -> enforce" in out
    found = document(drill.site, capsys)
    assert {r["runbook"] for c in found["changes"] for r in c["runbooks"]} == {
        "RB-EVID-001",
        "RB-FILE-001",
        "RB-SERVICE-001",
        "RB-SYSCTL-001",
    }


def test_the_digest_is_the_one_that_an_appliance_has(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    drill.edit(RULE, replaced("at_least: 1", "at_least: 2"))
    found = document(drill.site, capsys)
    drill.run()
    with drill.open() as appliance:
        from reconciler.engine.trusted.intent import load

        accepted = appliance.past.memory.accepted
        assert accepted is not None
        state = load(appliance, accepted.commit)
    assert found["head"]["commit"] == accepted.commit
    assert found["hosts"][TARGET] == state.plan_digest


def test_an_error_of_the_graph_fails_with_file_and_line(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    drill.edit(RULE, replaced("check: LNX-SYSCTL-001", "check: LNX-SYSCTL-009"))
    code, out = plan(drill.site, capsys)
    assert code == ExitCode.INPUT
    assert out.splitlines()[0].startswith("FAILED: ")
    assert f"! {RULE}:3: check: there is no check LNX-SYSCTL-009" in out
    code, markdown = plan(drill.site, capsys, "--format", "markdown")
    assert code == ExitCode.INPUT
    assert markdown.startswith("**FAILED: ")
    assert document(drill.site, capsys)["ok"] is False


def test_a_secret_in_the_change_fails_and_is_not_shown(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    drill.edit("policies/notes.txt", lambda _old: f"password: {SECRET}\n")
    for form in ("text", "json", "markdown"):
        code, out = plan(drill.site, capsys, "--format", form)
        assert code == ExitCode.INPUT
        assert "looks like a secret (Secret Keyword)" in out
        assert SECRET not in out
    assert plan(drill.site, capsys, "--no-secrets")[0] == 0
    drill.edit(RULE, replaced("at_least: 1", "at_least: 2"))
    assert plan(drill.site, capsys)[0] == 0, "the base has it already"


def test_without_the_extra_it_says_so_and_does_not_pass(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.split(".")[0] == "detect_secrets"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "detect_secrets", None)
    for arguments in (
        ["check", str(site.fleet)],
        ["plan", "HEAD", "HEAD", "--repository", str(site.fleet)],
    ):
        assert run(arguments) == ExitCode.MACHINE
        assert "pip install 'reconciler[gate]'" in capsys.readouterr().err
        assert run([*arguments, "--no-secrets"]) == 0


def test_trust_changes_are_loud_and_needs_are_said(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.edit("policies/trust/policy.yaml", replaced("roles: [engineer, security]", "roles: [x]"))
    code, out = plan(site, capsys)
    assert code == ExitCode.INPUT, "nobody is left who may change the policy"
    assert "locks itself out" in out
    assert "~ person engineer changed: roles: [engineer, security] -> [x]" in out
    assert "1 path (policies/trust/policy.yaml): signed by security (rule trust)" in out


def test_only_one_host_can_be_asked_for(drill: Drill, capsys: pytest.CaptureFixture[str]) -> None:
    drill.edit(CLIENT_FILE, replaced('start: "21:00"', 'start: "22:00"'))
    found = document(drill.site, capsys, "--host", TARGET)
    assert [change["target"] for change in found["changes"]] == [TARGET]
    assert len(found["hosts"]) == 2
    assert plan(drill.site, capsys, "--host", "example-clinic/cellar")[0] == ExitCode.INPUT


def test_strict_fails_for_a_new_warning(drill: Drill, capsys: pytest.CaptureFixture[str]) -> None:
    text = (drill.site.fleet / RULE).read_text().replace("id: sysctl-syncookies", "id: twin")
    drill.edit("policies/rules/twin.yaml", lambda _old: text)
    assert plan(drill.site, capsys)[0] == 0
    assert plan(drill.site, capsys, "--strict")[0] == ExitCode.INPUT


def test_a_forecast_from_evidence_in_every_form(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    drill.edit(HOST_FILE, replaced("mode: enforce", "mode: observe"))
    break_sysctl(drill.machine)
    drill.run()
    drill.edit(HOST_FILE, replaced("mode: observe", "mode: enforce"))
    at = f"{drill.clock.at:%Y-%m-%dT%H:%M:%SZ}"
    evidence = ("--evidence", drill.site.evidence, "--signers", drill.site.signers, "--at", at)
    code, out = plan(drill.site, capsys, *evidence)
    assert code == 0
    assert f"! {TARGET}: RB-SYSCTL-001 for sysctl-syncookies: would run" in out
    assert f"{TARGET}: entry 1, just now" in out
    assert "example-clinic/appliance: no evidence of this host was given" in out
    found = document(drill.site, capsys, *evidence)
    host = next(h for h in found["forecast"] if h["target"] == TARGET)
    assert [a["ruling"] for a in host["actions"]] == ["allow"]
    assert document(drill.site, capsys)["forecast"] is None


def test_evidence_that_does_not_verify_stops_the_plan(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    drill.run()
    drill.edit(RULE, replaced("at_least: 1", "at_least: 2"))
    wrong = str(drill.site.directory / "trust" / "allowed_signers")
    code, _out = plan(drill.site, capsys, "--evidence", drill.site.evidence, "--signers", wrong)
    assert code == ExitCode.EVIDENCE
    code, _out = plan(drill.site, capsys, "--evidence", drill.site.evidence)
    assert code == ExitCode.USAGE
    twice = ("--evidence", drill.site.evidence, "--signers", drill.site.signers) * 2
    assert plan(drill.site, capsys, *twice)[0] == ExitCode.INPUT


def needs_a_person(drill: Drill) -> None:
    fleet = drill.site.fleet
    text = (fleet / RUNBOOK).read_text()
    (fleet / RUNBOOK).write_text(text.replace("mode: auto", "mode: approve"))
    pin_runbooks(fleet)
    drill.site.commit("Ask a person first", at=drill.clock.at)


def test_an_approval_that_is_printed_lets_the_runbook_run(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_a_person(drill)
    break_sysctl(drill.machine)
    at = f"{drill.clock.at:%Y-%m-%dT%H:%M:%SZ}"
    asked = ("--approval", "--approver", "engineer@msp.example", "--reason", "seen", "--at", at)
    code, out = plan(drill.site, capsys, *asked)
    assert code == 0
    first, _, text = out.partition("\n")
    path = first.removeprefix("# ")
    assert path.startswith("approvals/example-clinic/plan-")
    assert drill.run().outcomes == ()

    drill.edit(path, lambda _old: text)
    assert run(["check", str(drill.site.fleet)]) == 0
    assert [outcome.result for outcome in drill.run().outcomes] == ["healed"]
    _code, out = plan(drill.site, capsys)
    assert "lets RB-SYSCTL-001 run on workstation" in out
    drill.edit(RULE, replaced("at_least: 1", "at_least: 2"))
    _code, out = plan(drill.site, capsys)
    assert "no longer lets RB-SYSCTL-001 run on workstation: the plan of the host changed" in out


def test_an_approval_needs_who_and_why(drill: Drill, capsys: pytest.CaptureFixture[str]) -> None:
    needs_a_person(drill)
    assert plan(drill.site, capsys, "--approval")[0] == ExitCode.USAGE
    drill.edit(RULE, replaced("check: LNX-SYSCTL-001", "check: LNX-SYSCTL-009"))
    asked = ("--approval", "--approver", "a", "--reason", "b")
    assert plan(drill.site, capsys, *asked)[0] == ExitCode.INPUT


@pytest.mark.parametrize("name", ["nothing", "HEAD@{0}", "HEAD:hosts", "a..b", "$(x)"])
def test_names_that_are_no_revision_are_refused(
    site: Site, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert plan(site, capsys, base=name)[0] == ExitCode.INPUT


def test_a_time_that_is_none_is_wrong_usage(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(site.fleet), "--at", "tonight"]) == ExitCode.USAGE
    assert plan(site, capsys, "--at", "2026-01-01", base="HEAD")[0] == ExitCode.USAGE


def test_check_says_what_ends_and_what_is_weak_in_every_form(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = said(capsys, "check", str(site.fleet))
    assert code == 0
    assert "warning: policies/trust/policy.yaml: engineer alone may change" in out
    assert re.search(r"0 errors, [1-9][0-9]* warnings$", out.splitlines()[-1])
    assert "note: example-clinic: nobody would notice a repository that stands still" in out
    code, out = said(capsys, "check", str(site.fleet), "--json")
    found = json.loads(out)
    assert found["ok"] is True
    assert {p["subject"] for p in found["problems"]} == {"graph", "trust"}
    code, out = said(capsys, "check", str(site.fleet), "--format", "markdown")
    assert out.startswith("**OK: ")
    assert said(capsys, "check", str(site.fleet), "--strict")[0] == ExitCode.INPUT


def test_check_finds_secrets_of_the_work_tree_or_only_new_ones(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.edit("notes.txt", lambda _old: f"password: {SECRET}\n")
    code, out = said(capsys, "check", str(site.fleet))
    assert code == ExitCode.INPUT
    assert "error: notes.txt:1: looks like a secret (Secret Keyword)" in out
    assert SECRET not in out
    assert said(capsys, "check", str(site.fleet), "--base", "HEAD")[0] == 0
    assert said(capsys, "check", str(site.fleet), "--base", "HEAD~1")[0] == ExitCode.INPUT


def test_check_finds_a_guard_setting_that_cannot_work(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    drill.edit(
        CLIENT_FILE, replaced("mode: enforce", "mode: enforce\ndenied_runbooks: [RB-SYSCTL-001]")
    )
    code, out = said(capsys, "check", str(drill.site.fleet))
    assert code == 0
    assert f"RB-SYSCTL-001 would never run on {TARGET}: allow_list" in out
    _code, out = plan(drill.site, capsys)
    assert f"RB-SYSCTL-001 would never run on {TARGET}: allow_list" in out
    drill.edit(BASELINE_FILE, replaced("version: 1.0.0", "version: 1.0.1"))
    _code, out = plan(drill.site, capsys)
    assert "would never run" not in out, "the base has it already"


def test_a_shallow_clone_is_told_what_it_lacks(
    drill: Drill, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drill.edit(RULE, replaced("at_least: 1", "at_least: 2"))
    clone = tmp_path / "clone"
    host(
        "git", "clone", "-q", "--depth", "1", f"file://{drill.site.fleet}", str(clone),
        env=git_env(tmp_path),
    )  # fmt: skip
    capsys.readouterr()
    base = host("git", "-C", str(drill.site.fleet), "rev-parse", "HEAD~1", env=git_env(tmp_path))
    assert run(["plan", base.strip(), "HEAD", "--repository", str(clone)]) == ExitCode.INPUT
    assert "fetch-depth: 0" in capsys.readouterr().err


def test_this_repository_passes_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(Path(__file__).parents[3])]) == 0, capsys.readouterr().out
