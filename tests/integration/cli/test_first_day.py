"""What a newcomer does: init, run, verify, explain, run again; by the command line alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli import execute as run
from reconciler.errors import ExitCode
from tests.support.appliances import Site, new_site

POSTURE = {ExitCode.DRIFT, ExitCode.UNKNOWN}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return new_site(tmp_path / "var")


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, object]]:
    capsys.readouterr()
    code = run([*argv, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_init_says_what_it_made_and_refuses_to_do_it_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", str(tmp_path / "var")]) == 0
    said = capsys.readouterr().out
    before = sorted(p for p in (tmp_path / "var").rglob("*") if p.is_file())

    assert run(["init", str(tmp_path / "var")]) == ExitCode.INPUT
    assert "already" in capsys.readouterr().err
    assert sorted(p for p in (tmp_path / "var").rglob("*") if p.is_file()) == before
    assert "Next: reconciler run --once" in said
    assert oct((tmp_path / "var/keys/appliance").stat().st_mode & 0o777) == "0o600"


def test_init_takes_the_names_of_a_clinic_and_a_machine(tmp_path: Path) -> None:
    assert run(["init", str(tmp_path), "--client", "elm-street", "--host", "pc-1"]) == 0

    assert (tmp_path / "fleet/hosts/elm-street/pc-1.yaml").exists()
    assert run(["check", str(tmp_path / "fleet")]) == 0
    assert run(["run", "--once", "--config", str(tmp_path / "reconciler.yaml")]) in POSTURE


@pytest.mark.parametrize("name", ["Elm", "../x", "a b", "-a", ""])
def test_init_refuses_a_name_that_is_no_id(tmp_path: Path, name: str) -> None:
    assert run(["init", str(tmp_path), "--client", name]) == ExitCode.INPUT


def test_a_second_appliance_joins_the_fleet_that_exists(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other"
    fleet, signers = str(site.fleet), str(site.directory / "trust/allowed_signers")

    made = run(["init", str(other), "--fleet", fleet, "--signers", signers])

    assert made == 0
    assert not (other / "fleet").exists()
    assert not (other / "keys/engineer").exists()
    assert run(["run", "--once", "--config", str(other / "reconciler.yaml")]) in POSTURE


def test_a_fleet_without_its_signers_is_not_joined(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", str(tmp_path / "o"), "--fleet", str(site.fleet)]) == ExitCode.INPUT
    assert "--signers" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_an_appliance_that_pins_somebody_else_refuses_the_fleet(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other"
    wrong = str(site.directory / "trust/evidence_signers")
    run(["init", str(other), "--fleet", str(site.fleet), "--signers", wrong])

    assert run(["run", "--once", "--config", str(other / "reconciler.yaml")]) == ExitCode.REFUSED


def test_a_run_shows_a_table_and_leaves_signed_evidence(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["run", "--once", "--config", site.settings])
    said = capsys.readouterr().out

    assert code in POSTURE
    assert all(column in said for column in ("RULE", "FINDING", "OBSERVED", "EXPECTED", "CONTROL"))
    assert "evidence: entry 1, signed commit" in said
    assert run(["verify", site.evidence, "--signers", site.signers]) == 0
    assert "VERIFIED: 2 entries" in capsys.readouterr().out


def test_stock_git_accepts_every_commit_with_the_shipped_signers(site: Site) -> None:
    run(["run", "--once", "--config", site.settings])
    run(["run", "--once", "--config", site.settings])
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}

    shown = subprocess.run(
        ["git", "-C", site.evidence, "log", "--show-signature", "--format=%G? %GS",
         "example-clinic/workstation"],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    fsck = subprocess.run(
        ["git", "-C", site.evidence, "fsck", "--strict"],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip

    assert shown.stdout.count("G example-clinic/workstation") == 3
    assert fsck.returncode == 0, fsck.stderr


def test_the_second_run_is_the_second_run(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    _, first = document(capsys, "run", "--once", "--config", site.settings)
    _, second = document(capsys, "run", "--once", "--config", site.settings)

    assert (first["evidence"]["seq"], second["evidence"]["seq"]) == (1, 2)  # type: ignore[index]
    assert first["desired"]["counter"] == second["desired"]["counter"] == 1  # type: ignore[index]
    code, audit = document(capsys, "verify", site.evidence, "--signers", site.signers)
    assert code == 0
    assert audit["branches"][0]["entries"] == 3  # type: ignore[index]


def test_every_pass_was_observed_and_unknown_has_a_reason(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    _, report = document(capsys, "run", "--once", "--config", site.settings)
    findings = report["findings"]
    assert isinstance(findings, list)
    assert len(findings) >= 20
    for finding in findings:
        if finding["status"] == "pass":
            assert set(finding["expected"]) <= set(finding["observed"]), finding["rule"]
        if finding["status"] in {"unknown", "not_applicable"}:
            assert finding["reason"], finding["rule"]


def test_observe_mode_changes_nothing_and_says_so(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    _, report = document(capsys, "run", "--once", "--config", site.settings)

    assert report["mode"] == "observe"
    assert report["outcomes"] == []
    assert report["plan"]["actions"] == []  # type: ignore[index]


def test_a_dry_run_writes_nothing(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    run(["run", "--once", "--config", site.settings])
    _, before = document(capsys, "verify", site.evidence, "--signers", site.signers)

    run(["run", "--dry-run", "--config", site.settings])

    assert "dry run: nothing was changed" in capsys.readouterr().out
    _, after = document(capsys, "verify", site.evidence, "--signers", site.signers)
    assert before["branches"][0]["tip"] == after["branches"][0]["tip"]  # type: ignore[index]


def test_explain_a_rule_a_control_and_a_typo(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["run", "--once", "--config", site.settings])
    run(["run", "--once", "--config", site.settings])
    capsys.readouterr()

    assert run(["explain", "disk-space[root]", "--config", site.settings]) == 0
    said = capsys.readouterr().out
    assert "(entry 1)" in said, "it has stood so since the first run"
    assert "evidence: entry 1" in said
    assert "found the same until entry 2" in said

    assert run(["explain", "164.312(b)", "--config", site.settings]) == 0
    said = capsys.readouterr().out
    assert "tested: a machine check decides" in said
    assert "hipaa:164.312(b)" in said

    assert run(["explain", "164.308(a)(2)", "--config", site.settings]) == 0
    assert "a person's word" in capsys.readouterr().out

    assert run(["explain", "intent-truste", "--config", site.settings]) == ExitCode.INPUT
    assert "intent-trusted" in capsys.readouterr().err


def test_explain_before_the_first_run_says_what_to_do(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", "firewall", "--config", site.settings]) == ExitCode.EVIDENCE
    assert "reconciler run --once" in capsys.readouterr().err


def test_doctor_finds_a_whole_appliance_whole(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "--config", site.settings]) == 0
    assert "broken" not in capsys.readouterr().out

    (site.directory / "keys/appliance").unlink()
    assert run(["doctor", "--config", site.settings]) == ExitCode.MACHINE
    assert "broken   signing key" in capsys.readouterr().out


def test_keys_are_made_shown_and_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "key"
    assert run(["keys", "generate", str(file), "--comment", "elm/pc-1"]) == 0
    made = capsys.readouterr().out
    assert made.startswith("ssh-ed25519 ")
    assert run(["keys", "show", str(file)]) == 0
    assert capsys.readouterr().out.split()[1] == made.split()[1]
    before = file.read_bytes()
    assert run(["keys", "generate", str(file), "--comment", "x"]) == ExitCode.INPUT
    assert file.read_bytes() == before


def test_the_library_does_what_the_readme_shows(site: Site) -> None:
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text()
    example = readme.split("```python\n")[1].split("```")[0]
    code = example.replace("var/reconciler.yaml", site.settings)

    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert "disk-space[root]" in shown


def test_bad_usage_is_told_apart_from_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["no-such-command"]) == ExitCode.USAGE
    assert run(["verify"]) == ExitCode.USAGE
    assert run(["run", "--once", "--config", "/nonexistent/reconciler.yaml"]) == ExitCode.INPUT
    assert "reconciler init" in capsys.readouterr().err
