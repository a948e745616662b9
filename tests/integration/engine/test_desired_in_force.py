"""Which desired state a run works with, and what is recorded about one that it refuses."""

import os
import subprocess
from pathlib import Path

import pytest

from reconciler import load_settings, open_appliance, reconcile
from reconciler.desired.source import FleetSource
from reconciler.errors import ExitCode, InputError, LedgerDamaged, LedgerMissing
from tests.support.drill import (
    CLIENT_FILE,
    HOST_FILE,
    SYSCTL,
    Drill,
    break_sysctl,
    new_drill,
)

pytestmark = pytest.mark.integration

RULE = "policies/rules/sysctl-syncookies.yaml"


def git(drill: Drill, *argv: str) -> None:
    date = f"{int(drill.clock.at.timestamp())} +0000"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
    }
    command = ["git", "-C", str(drill.site.made.fleet), *argv]
    subprocess.run(command, check=True, capture_output=True, env=environment)


def commit_unsigned(drill: Drill, text: str) -> None:
    (drill.site.made.fleet / "policies/note.md").write_text(text)
    git(drill, "add", "-A")
    git(drill, "commit", "--no-gpg-sign", "-m", text)


def break_policy(text: str) -> str:
    return text.replace("LNX-SYSCTL-001", "LNX-SYSCTL-999")


def mend_policy(text: str) -> str:
    return text.replace("LNX-SYSCTL-999", "LNX-SYSCTL-001")


def refusals(drill: Drill) -> list[tuple[str, str | None]]:
    return [(body["reason"], body["commit"]) for body in drill.bodies("refusal")]


def test_a_refused_state_is_recorded_once_and_the_accepted_one_goes_on_healing(
    drill: Drill,
) -> None:
    accepted = drill.run().intent.commit
    commit_unsigned(drill, "one")
    break_sysctl(drill.machine)

    report = drill.run()
    drill.run()

    assert (report.intent.refused, report.intent.commit) == ("unsigned", accepted)
    assert [o.result for o in report.outcomes] == ["healed"]
    assert report.exit_code is ExitCode.REFUSED
    ((reason, commit),) = refusals(drill)
    assert (reason, commit) == ("unsigned", report.intent.refused_commit)
    assert drill.bodies("refusal")[0]["accepted"] == accepted
    assert drill.bodies("intent")[0]["desired"]["commit"] == accepted


def test_another_commit_that_is_refused_is_recorded_again(drill: Drill) -> None:
    drill.run()
    commit_unsigned(drill, "one")
    drill.run()
    commit_unsigned(drill, "two")
    drill.run()

    commits = [commit for _reason, commit in refusals(drill)]
    assert len(commits) == 1, "the first unsigned commit is what both are refused for"

    git(drill, "reset", "--hard", "HEAD~2")
    commit_unsigned(drill, "three")
    drill.run()
    assert len({commit for _reason, commit in refusals(drill)}) == 2


def test_a_second_broken_policy_is_a_refusal_of_its_own(drill: Drill) -> None:
    drill.run()
    first = drill.edit(RULE, break_policy)
    drill.run()
    drill.run()
    second = drill.edit("policies/note.md", lambda _old: "still broken\n")
    drill.run()

    assert refusals(drill) == [("policy-invalid", first), ("policy-invalid", second)]


def test_the_same_refusal_is_news_again_after_a_good_state(drill: Drill) -> None:
    drill.run()
    commit_unsigned(drill, "one")
    drill.run()
    git(drill, "branch", "aside")
    git(drill, "reset", "--hard", "HEAD~1")
    assert drill.run().intent.refused is None
    git(drill, "reset", "--hard", "aside")
    drill.run()

    (first, second) = refusals(drill)
    assert first == second
    assert drill.kinds() == ["genesis", "run", "refusal", "run", "run", "refusal", "run"]


def test_a_mended_policy_is_accepted_and_counted(drill: Drill) -> None:
    drill.run()
    drill.edit(RULE, break_policy)
    assert drill.run().intent.counter == 1
    commit = drill.edit(RULE, mend_policy)

    report = drill.run()

    assert (report.intent.refused, report.intent.commit, report.intent.counter) == (None, commit, 2)
    assert drill.bodies("run")[-1]["memory"]["refusal"] is None


def test_without_the_pinned_signers_nothing_runs(drill: Drill) -> None:
    drill.run()
    pinned = drill.site.directory / "trust/allowed_signers"
    hidden = pinned.rename(pinned.with_name("hidden"))
    break_sysctl(drill.machine)
    before = drill.kinds()

    with pytest.raises(InputError, match="allowed_signers"):
        drill.run()

    assert drill.kinds() == before
    assert drill.carried == []
    hidden.rename(pinned)
    assert [o.result for o in drill.run().outcomes] == ["healed"]


def test_a_setting_of_the_fetch_that_is_wrong_is_not_a_clean_run(drill: Drill) -> None:
    drill.run()
    settings = Path(drill.site.settings)
    text = settings.read_text().replace("url: fleet", "url: ssh://git@fleet.invalid/repo.git")
    more = "branch: main\n  ssh_key: keys/engineer\n  known_hosts: trust/nowhere"
    settings.write_text(text.replace("branch: main", more))

    report = drill.run()

    assert report.intent.refused == "policy-invalid"
    assert "trust/nowhere" in report.intent.message
    assert report.exit_code is ExitCode.INPUT


def counting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    read: list[str] = []
    read_files = FleetSource.read_files

    def count(source: FleetSource, commit: str) -> dict[str, bytes]:
        read.append(commit)
        return read_files(source, commit)

    monkeypatch.setattr(FleetSource, "read_files", count)
    return read


def test_a_commit_that_is_in_force_is_read_and_checked_once(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = counting(monkeypatch)
    with drill.open() as appliance:
        first = reconcile(appliance).intent.commit
        for _ in range(3):
            drill.clock.pass_time(300)
            reconcile(appliance)
        assert read == [first]

        second = drill.edit(CLIENT_FILE, lambda text: text + "denied_runbooks: [RB-SYSCTL-001]\n")
        break_sysctl(drill.machine)
        drill.clock.pass_time(300)
        report = reconcile(appliance)

    assert read == [first, second]
    assert [left.verdict.guard for left in report.not_done] == ["allow_list"], "the new one counts"


def test_a_broken_policy_does_not_push_the_accepted_one_out(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = counting(monkeypatch)
    with drill.open() as appliance:
        accepted = reconcile(appliance).intent.commit
        drill.edit(RULE, break_policy)
        for _ in range(2):
            drill.clock.pass_time(300)
            report = reconcile(appliance)

    assert report.intent.commit == accepted
    assert read.count(str(accepted)) == 1
    assert SYSCTL in {finding.rule for finding in report.findings}


@pytest.mark.parametrize(
    ("setting", "value", "error", "said"),
    [
        ("host: workstation", "host: reception", LedgerMissing, "example-clinic/reception"),
        ("client: example-clinic", "client: other-clinic", LedgerMissing, "other-clinic"),
    ],
)
def test_settings_of_another_host_find_nothing_to_fall_back_to(
    drill: Drill, setting: str, value: str, error: type[Exception], said: str
) -> None:
    drill.run()
    file = Path(drill.site.settings)
    file.write_text(file.read_text().replace(setting, value))

    with pytest.raises(error, match=said):
        drill.run()


def test_a_host_that_the_fleet_does_not_have_is_named_with_the_nearest(tmp_path: Path) -> None:
    drill = new_drill(tmp_path / "var")
    fleet = drill.site.made.fleet
    text = (fleet / HOST_FILE).read_text()
    (fleet / HOST_FILE).unlink()
    (fleet / HOST_FILE.replace("workstation", "workstation-2")).write_text(
        text.replace("id: workstation", "id: workstation-2")
    )
    drill.site.commit("Another host", at=drill.clock.at)

    with pytest.raises(InputError, match=r"example-clinic/workstation\b") as wrong:
        drill.run()

    assert "workstation-2" in wrong.value.hint
    assert drill.carried == []
    assert drill.kinds() == ["genesis", "refusal"]


def test_the_key_of_another_appliance_does_not_open_this_ledger(tmp_path: Path) -> None:
    one, other = new_drill(tmp_path / "one"), new_drill(tmp_path / "other")
    one.run()
    key = one.site.directory / "keys/appliance"
    key.write_bytes((other.site.directory / "keys/appliance").read_bytes())

    with pytest.raises(LedgerDamaged):
        one.run()


def test_two_appliances_do_not_share_evidence_or_memory(tmp_path: Path) -> None:
    one, other = new_drill(tmp_path / "one"), new_drill(tmp_path / "other")
    break_sysctl(one.machine)
    one.run()
    other.run()

    assert one.kinds() == ["genesis", "intent", "outcome", "run"]
    assert other.kinds() == ["genesis", "run"]
    with open_appliance(load_settings(Path(other.site.settings))) as appliance:
        assert appliance.past.memory.attempts == {}
        assert appliance.name == "example-clinic/workstation"
