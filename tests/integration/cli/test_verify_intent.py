"""`reconciler verify-intent`: in an engineer's clone before a push, and on an appliance."""

import json

import pytest

from reconciler.cli import execute as run
from tests.support.appliances import new_site
from tests.support.commands import host
from tests.support.trust_fleet import POLICY, POLICY_TEXT, TrustFleet, line
from tests.support.trust_signing import fingerprint

RUNBOOK = {"runbooks/RB-A-001.yaml": "id: RB-A-001\ntitle: new\n"}


@pytest.fixture
def fleet(tmp_path):
    made = TrustFleet(tmp_path / "fleet.git")
    made.root = made.begin()
    made.pinned = tmp_path / "pinned"
    made.pinned.write_text(line("alice"))
    return made


def ask(fleet, commit, *options):
    base = ("--repository", str(fleet.path), "--signers", str(fleet.pinned))
    return run(["verify-intent", commit, *base, *options])


def test_change_that_lacks_an_approval_and_then_has_it(fleet, capsys):
    fleet.commit("alice", RUNBOOK)
    assert ask(fleet, "main", "--accepted", fleet.root) == 4
    said = capsys.readouterr().out
    assert "FAIL R3 thresholds" in said
    assert "hint: " in said
    assert said.rstrip().endswith("refused: approvals-missing")
    fleet.approve("bob")
    assert ask(fleet, "main", "--accepted", fleet.root) == 0
    assert capsys.readouterr().out.rstrip().endswith("accepted: every rule holds")


def test_what_was_accepted_brings_its_own_signers(fleet, capsys):
    fleet.commit("alice", RUNBOOK)
    clone = ("--repository", str(fleet.path), "--accepted", fleet.root)
    assert run(["verify-intent", "main", *clone]) == 4
    assert capsys.readouterr().out.rstrip().endswith("refused: approvals-missing")
    fleet.approve("bob")
    assert run(["verify-intent", "main", *clone]) == 0


def test_json_has_every_ruling(fleet, capsys):
    tip = fleet.commit("erin", {**RUNBOOK, POLICY: "format: 2\n"})
    assert ask(fleet, tip[:12], "--accepted", fleet.root, "--json") == 4
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["commit"], document["accepted"]) == (False, tip, fleet.root)
    failed = [one for one in document["rulings"] if not one["held"]]
    assert {one["reason"] for one in failed} == {
        "wrong-role",
        "approvals-missing",
        "trust-policy-broken",
    }
    broken = next(one for one in failed if one["reason"] == "trust-policy-broken")
    assert "policies/trust/policy.yaml:1" in broken["detail"]
    assert all(one["effect"] == "refuses" for one in failed)
    assert any(one["held"] and one["rule"] == "R1 signed" for one in document["rulings"])


def test_enrolment_and_pin(fleet, capsys):
    assert ask(fleet, "main") == 0
    assert "at enrolment" in capsys.readouterr().out
    fleet.commit("erin", {"hosts/elm-street/x.yaml": "id: x\n"})
    assert ask(fleet, "main", "--pin", fleet.root) == 0


def test_another_branch_and_attestations_by_name(fleet, capsys):
    fleet.commit("alice", RUNBOOK)
    fleet.approve("bob", branch="next")
    accepted = ("--accepted", fleet.root)
    assert ask(fleet, "main", *accepted) == 4
    assert ask(fleet, "main", *accepted, "--branch", "next") == 0
    assert ask(fleet, "main", *accepted, "--branch", "next", "--attestations", fleet.root) == 4


def test_file_on_the_attestations_branch_that_does_not_read_is_said(fleet, capsys):
    fleet.commit("alice", RUNBOOK)
    fleet.put(f"approvals/{fleet.tree_id(fleet.head)}/{'a' * 64}.dsse.json", b"{}")
    assert ask(fleet, "main", "--accepted", fleet.root) == 4
    assert "left out: approvals/" in capsys.readouterr().out


def test_content_by_a_revoked_key_is_held(fleet, capsys):
    fleet.commit("erin", {"hosts/elm-street/x.yaml": "id: x\n"}, minutes=10)
    one = f'{{key: "{fingerprint("erin")}", effective: "2026-03-02T08:05:00Z", reason: lost}}'
    fleet.commit("alice", {POLICY: f"{POLICY_TEXT}revoked: [{one}]\n"}, minutes=20)
    fleet.approve("bob")
    assert ask(fleet, "main", "--accepted", fleet.root) == 4
    assert capsys.readouterr().out.rstrip().endswith("held: revoked-content")


def test_recovery_that_is_short_fails_nothing(fleet, capsys):
    accepted = fleet.commit("alice", {"README.md": "1\n"})
    fleet.recover(("alice",), [fleet.root], fleet.root)
    fleet.commit("alice", {"README.md": "2\n"})
    assert ask(fleet, "main", "--accepted", fleet.root) == 0
    assert "recovery-short" in capsys.readouterr().out
    assert ask(fleet, "main", "--accepted", accepted) == 0


def test_history_that_was_rewritten_or_is_gone(fleet, capsys):
    accepted = fleet.commit("alice", {"README.md": "1\n"})
    fleet.commit("alice", {"README.md": "2\n"}, parents=(fleet.root,))
    assert ask(fleet, "main", "--accepted", accepted) == 4
    assert "not-fast-forward" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options", [("--accepted", "no-such"), ("--pin", "no-such"), ("--attestations", "no-such")]
)
def test_commit_that_is_not_there(fleet, options, capsys):
    assert ask(fleet, "main", *options) == 5
    assert "there is no commit 'no-such'" in capsys.readouterr().err


def test_shallow_clone_is_told_what_to_fetch(fleet, tmp_path, capsys):
    fleet.commit("alice", {"README.md": "1\n"})
    shallow = tmp_path / "shallow"
    host("git", "clone", "-q", "--depth", "1", f"file://{fleet.path}", str(shallow))
    fleet.path = shallow
    assert ask(fleet, "HEAD") == 5
    assert "--unshallow" in capsys.readouterr().err


def test_directory_that_is_no_repository(tmp_path, fleet, capsys):
    fleet.path = tmp_path / "nothing"
    fleet.path.mkdir()
    assert ask(fleet, "main") == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ["--signers", "F"],
        ["--accepted", "main"],
        ["--repository", "D"],
        ["--repository", "D", "--signers", "F", "--config", "F"],
    ],
)
def test_options_that_do_not_go_together(arguments, fleet, capsys):
    known = {"D": str(fleet.path), "F": str(fleet.pinned)}
    assert run(["verify-intent", "main", *(known.get(one, one) for one in arguments)]) == 2


def test_appliance_explains_what_it_would_say(tmp_path, capsys):
    site = new_site(tmp_path / "site")
    settings = ("--config", site.settings)
    assert run(["run", "--once", *settings]) in (0, 1, 3)
    site.edit("README.md", lambda text: text + "more\n")
    assert run(["run", "--once", "--dry-run", *settings]) in (0, 1, 3)
    capsys.readouterr()
    assert run(["verify-intent", "main", *settings]) == 0
    said = capsys.readouterr().out
    assert "held against" in said
    assert "R1 signed" in said
