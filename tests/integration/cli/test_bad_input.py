"""Bad input: each case has its message and its exit code, and nothing is half done."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pygit2
import pytest

from reconciler.cli import execute as run
from reconciler.errors import ExitCode
from tests.support.appliances import SettableClock, Site, new_site
from tests.support.rigs import rig

RULE = "policies/rules/firewall.yaml"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return new_site(tmp_path / "var")


@pytest.fixture
def used(site: Site) -> Site:
    """An appliance that has accepted a state and run once."""
    assert run(["run", "--once", "--config", site.settings]) in {ExitCode.DRIFT, ExitCode.UNKNOWN}
    return site


def report(site: Site, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object]]:
    capsys.readouterr()
    code = run(["run", "--once", "--json", "--config", site.settings])
    return code, json.loads(capsys.readouterr().out)


def kinds(site: Site, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    capsys.readouterr()
    assert run(["verify", site.evidence, "--signers", site.signers, "--json"]) == 0
    counts: dict[str, int] = json.loads(capsys.readouterr().out)["branches"][0]["counts"]
    return counts


BAD_YAML = {
    "alias bomb": ("a: &a [x]\nb: [*a, *a]\n", "alias|anchor"),
    "cycle": ("a: &a\n  b: *a\n", "alias|anchor"),
    "tab": ("id:\tfirewall\n\ttitle: x\n", "tab"),
    "duplicate key": ("id: firewall\nid: other\n", "twice|duplicate"),
    "tag": ("id: !!python/object/apply:os.system [true]\n", "tag"),
    "two documents": ("id: firewall\n---\nid: b\n", "document"),
    "not a mapping": ("- a\n- b\n", "mapping"),
    "float": ("id: firewall\nweight: 1.5\n", "1.5"),
    "binary": ("\x00\x01", "character|control|NUL"),
    "empty": ("", "mapping|empty|required|missing"),
}


@pytest.mark.parametrize("case", BAD_YAML, ids=lambda c: c.replace(" ", "-"))
def test_check_names_the_file_and_what_is_wrong_in_hostile_yaml(
    site: Site, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text, said = BAD_YAML[case]
    (site.fleet / RULE).write_text(text)

    assert run(["check", str(site.fleet)]) == ExitCode.INPUT
    out = capsys.readouterr().out
    assert RULE in out
    import re

    assert re.search(said, out, re.IGNORECASE), out


def test_fifty_megabytes_are_refused_at_once(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    with (site.fleet / RULE).open("wb") as stream:
        stream.truncate(50 * 1024 * 1024)

    assert run(["check", str(site.fleet)]) == ExitCode.INPUT
    assert RULE in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("check: LNX-NET-001", "check: LNX-NET-999", "LNX-NET-999"),
        ("severity: high", "severity: hihg", "hihg"),
        ("severity:", "severty:", "severity"),
        ("164.312(a)(1)", "164.312(z)(9)", "164.312(z)(9)"),
        ("RB-FW-001", "RB-FW-002", "RB-FW-001"),
    ],
    ids=["unknown-check", "unknown-value", "misspelt-field", "unknown-control", "unknown-runbook"],
)
def test_check_names_line_and_nearest_name(
    site: Site, old: str, new: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = site.fleet / RULE
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))

    assert run(["check", str(site.fleet)]) == ExitCode.INPUT
    out = capsys.readouterr().out
    assert f"{RULE}:" in out
    assert said in out


def test_a_broken_policy_keeps_the_last_accepted_one_in_force(
    used: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    used.edit(RULE, lambda text: text.replace("LNX-NET-001", "LNX-NET-999"))

    code, said = report(used, capsys)

    assert code == ExitCode.INPUT
    assert said["desired"]["refused"] == "policy-invalid"  # type: ignore[index]
    assert RULE in said["desired"]["message"]  # type: ignore[index]
    assert said["desired"]["counter"] == 1  # type: ignore[index]
    assert kinds(used, capsys)["refusal"] == 1


def test_the_first_policy_being_broken_leaves_nothing_to_run(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.edit(RULE, lambda text: text.replace("LNX-NET-001", "LNX-NET-999"))

    assert run(["run", "--once", "--config", site.settings]) == ExitCode.INPUT
    assert RULE in capsys.readouterr().err
    assert kinds(site, capsys) == {"genesis": 1, "refusal": 1}


def git(site: Site, *argv: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": f"{int(datetime.now(UTC).timestamp())} +0000",
        "GIT_COMMITTER_DATE": f"{int(datetime.now(UTC).timestamp())} +0000",
    }
    subprocess.run(
        ["git", "-C", str(site.fleet), *argv],
        check=True, capture_output=True, env=environment,
    )  # fmt: skip


def test_an_unsigned_commit_is_refused_recorded_once_and_recovers(
    used: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    (used.fleet / "policies/note.md").write_text("x\n")
    git(used, "add", "-A")
    git(used, "commit", "--no-gpg-sign", "-m", "unsigned")

    code, said = report(used, capsys)
    again, _ = report(used, capsys)

    assert code == again == ExitCode.REFUSED
    assert said["desired"]["refused"] == "unsigned"  # type: ignore[index]
    trusted = [f for f in said["findings"] if f["check"] == "APP-INTENT-001"]  # type: ignore
    assert [f["status"] for f in trusted] == ["fail"]
    assert kinds(used, capsys)["refusal"] == 1

    git(used, "reset", "--hard", "HEAD~1")
    used.edit("policies/note.md", lambda _text: "signed\n")
    code, said = report(used, capsys)
    assert code in {ExitCode.DRIFT, ExitCode.UNKNOWN}
    assert said["desired"]["counter"] == 2  # type: ignore[index]


def test_a_rewound_fleet_is_refused(used: Site, capsys: pytest.CaptureFixture[str]) -> None:
    used.edit("policies/note.md", lambda _text: "two\n")
    report(used, capsys)
    git(used, "reset", "--hard", "HEAD~1")

    code, said = report(used, capsys)

    assert code == ExitCode.REFUSED
    assert said["desired"]["refused"] == "rewound"  # type: ignore[index]
    assert said["desired"]["counter"] == 2  # type: ignore[index]


def test_a_lost_ledger_fails_closed(used: Site, capsys: pytest.CaptureFixture[str]) -> None:
    (used.directory / "evidence").rename(used.directory / "gone")

    assert run(["run", "--once", "--config", used.settings]) == ExitCode.EVIDENCE
    assert "ledger" in capsys.readouterr().err


def test_a_lost_branch_fails_closed(used: Site, capsys: pytest.CaptureFixture[str]) -> None:
    repository = pygit2.Repository(used.evidence)
    repository.references.delete("refs/heads/example-clinic/workstation")

    assert run(["run", "--once", "--config", used.settings]) == ExitCode.EVIDENCE
    assert "branch" in capsys.readouterr().err


def test_without_a_key_nothing_is_signed_and_nothing_runs(
    used: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    before = kinds(used, capsys)
    key = used.directory / "keys/appliance"
    hidden = key.rename(key.with_name("hidden"))

    assert run(["run", "--once", "--config", used.settings]) == ExitCode.EVIDENCE
    assert "keys generate" in capsys.readouterr().err
    hidden.rename(key)
    assert kinds(used, capsys) == before


def test_a_key_that_others_can_read_is_not_used(
    used: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    (used.directory / "keys/appliance").chmod(0o644)

    assert run(["run", "--once", "--config", used.settings]) == ExitCode.EVIDENCE
    assert "keys/appliance" in capsys.readouterr().err


def test_verify_without_trust_is_an_error_not_a_pass(
    used: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", used.evidence]) == ExitCode.USAGE
    missing = str(tmp_path / "nobody")
    assert run(["verify", used.evidence, "--signers", missing]) == ExitCode.INPUT
    (tmp_path / "nobody").write_text("")
    assert run(["verify", used.evidence, "--signers", missing]) != 0


@pytest.mark.parametrize("days", [-365, -1])
def test_a_clock_that_went_back_signs_nothing(
    used: Site, days: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = kinds(used, capsys)
    clock = SettableClock(datetime.now(UTC) + timedelta(days=days))
    monkeypatch.setattr("reconciler.engine.appliance.SystemClock", lambda: clock)

    assert run(["run", "--once", "--config", used.settings]) == ExitCode.EVIDENCE
    assert "nothing can be signed before it" in capsys.readouterr().err
    assert kinds(used, capsys) == before


def test_no_network_keeps_the_last_accepted_state(
    used: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Path(used.settings)
    text = settings.read_text().replace("url: fleet", "url: https://fleet.invalid/repo.git")
    settings.write_text(text.replace("branch: main", "branch: main\n  timeout_s: 5"))

    code, said = report(used, capsys)

    assert code in {ExitCode.DRIFT, ExitCode.UNKNOWN}
    assert said["desired"]["refused"] == "unreachable"  # type: ignore[index]
    assert said["desired"]["fetched"] is False  # type: ignore[index]
    assert said["desired"]["counter"] == 1  # type: ignore[index]


def test_no_network_on_the_first_day_is_said_plainly(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Path(site.settings)
    text = settings.read_text().replace("url: fleet", "url: https://fleet.invalid/repo.git")
    settings.write_text(text.replace("branch: main", "branch: main\n  timeout_s: 5"))

    assert run(["run", "--once", "--config", site.settings]) == ExitCode.MACHINE
    assert "fleet" in capsys.readouterr().err


@contextmanager
def mounted(directory: Path, *options: str) -> Iterator[Path]:
    reason = None if os.geteuid() == 0 else "mounting needs root"
    rig("small disks", reason)
    directory.mkdir(exist_ok=True)
    subprocess.run(["mount", *options, str(directory)], check=True, capture_output=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True, capture_output=True)


def test_a_full_disk_stops_the_run_and_loses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=32m", "tmpfs") as disk:
        site = new_site(disk / "var")
        run(["run", "--once", "--config", site.settings])
        before = kinds(site, capsys)
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(b"\0" * 4096)
            except OSError:
                pass

        assert run(["run", "--once", "--config", site.settings]) == ExitCode.MACHINE
        err = capsys.readouterr().err
        assert "space" in err.lower() or "disk" in err.lower()

        filler.unlink()
        assert kinds(site, capsys) == before
        run(["run", "--once", "--config", site.settings])
        assert kinds(site, capsys)["run"] == before["run"] + 1


def test_a_read_only_disk_is_said_plainly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=32m", "tmpfs") as disk:
        site = new_site(disk / "var")
        run(["run", "--once", "--config", site.settings])
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True, capture_output=True)

        assert run(["run", "--once", "--config", site.settings]) == ExitCode.MACHINE
        assert "read-only" in capsys.readouterr().err.lower()


def test_two_runs_at_once_are_one(used: Site, capsys: pytest.CaptureFixture[str]) -> None:
    from reconciler import load_settings, open_appliance

    with open_appliance(load_settings(Path(used.settings))):
        assert run(["run", "--once", "--config", used.settings]) == ExitCode.MACHINE

    assert str(os.getpid()) in capsys.readouterr().err


def test_settings_with_a_mistake_name_line_and_field(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Path(site.settings)
    settings.write_text(settings.read_text().replace("interval_s: 300", "intervall_s: 300"))

    assert run(["run", "--once", "--config", site.settings]) == ExitCode.INPUT
    err = capsys.readouterr().err
    assert "reconciler.yaml:" in err
    assert "interval_s" in err
