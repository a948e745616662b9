"""Tickets on the command line: see them, try a channel, take an incident over."""

import json
from pathlib import Path

import pytest

from reconciler.cli import execute as run
from reconciler.desired import strict_yaml
from reconciler.desired.validation import validate
from reconciler.model.acknowledgement import Acknowledgement
from tests.support.calling import add_channels, forbid, shelf
from tests.support.drill import CLIENT, Drill, break_sysctl, new_drill
from tests.support.receivers import FakeGitHub, serving

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """An appliance that has told a directory of one incident."""
    drill = new_drill(tmp_path_factory.mktemp("told") / "var")
    shelf(drill)
    forbid(drill)
    break_sysctl(drill.machine)
    drill.run()
    return drill


def listed(drill: Drill, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    assert run(["tickets", "list", "--config", drill.site.settings, "--json"]) == 0
    (ticket,) = json.loads(capsys.readouterr().out)["tickets"]
    return dict(ticket)


def test_a_ticket_is_listed_and_shown_with_its_entries(
    told: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    ticket = listed(told, capsys)
    for name in (ticket["incident"], ticket["fingerprint"][:10]):
        assert run(["tickets", "show", name, "--config", told.site.settings]) == 0
        said = capsys.readouterr().out
        assert "opened by shelf: allow_list" in said
        assert "sent by shelf" in said
    assert run(["tickets", "list", "--config", told.site.settings]) == 0
    assert "1 open ticket\n" in capsys.readouterr().out
    assert run(["tickets", "show", "ffffffffffff", "--config", told.site.settings]) == 5


def test_a_test_arrives_and_is_no_evidence(told: Drill, capsys: pytest.CaptureFixture[str]) -> None:
    before = told.kinds()
    assert run(["tickets", "test", "shelf", "--config", told.site.settings]) == 0
    assert "shelf: arrived" in capsys.readouterr().out
    assert run(["tickets", "test", "shelf", "--json", "--config", told.site.settings]) == 0
    answer = {"channel": "shelf", "arrived": True, "code": None, "reference": None}
    assert json.loads(capsys.readouterr().out) == answer
    assert run(["tickets", "test", "nowhere", "--config", told.site.settings]) == 5
    assert told.kinds() == before
    files = [file.name for file in (told.site.directory / "shelf").iterdir()]
    assert any("--test." in name for name in files)


@pytest.mark.enable_socket
def test_a_test_of_github_leaves_no_open_issue_and_a_failing_one_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drill = new_drill(tmp_path / "var")
    token = tmp_path / "token"
    token.write_text("ghp_token\n")
    token.chmod(0o600)
    hub = FakeGitHub("ghp_token")
    with serving(hub) as api:
        line = f"{{kind: github, repository: msp/tickets, token: {token}, api: '{api}'}}"
        add_channels(drill, f"  hub: {line}\n")
        assert run(["tickets", "test", "hub", "--config", drill.site.settings]) == 0
        assert "hub: arrived, number 1" in capsys.readouterr().out
        assert [issue["state"] for issue in hub.issues] == ["closed"]

        token.write_text("ghp_other\n")
        assert run(["tickets", "test", "hub", "--config", drill.site.settings]) == 7
        said = capsys.readouterr()
        assert run(["tickets", "test", "hub", "--json", "--config", drill.site.settings]) == 7
    assert json.loads(capsys.readouterr().out)["code"] == "auth-failed"
    assert "did not arrive: auth-failed" in said.out
    assert "ghp_" not in said.out + said.err


def test_taking_over_writes_a_file_that_reads_back(
    told: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    ticket = listed(told, capsys)
    fleet, by = str(told.site.fleet), "engineer@msp.example"
    path = told.site.fleet / f"acknowledgements/{CLIENT}/incident-{ticket['fingerprint'][:12]}.yaml"
    named = ["acknowledge", ticket["fingerprint"], "--as", by, "--fleet", fleet]

    assert run([*named, "--note", "on: it"]) == 0
    said = capsys.readouterr().out
    assert f"git add acknowledgements/{CLIENT}/{path.name}" in said
    file = validate(strict_yaml.load(path.read_bytes(), path.name), Acknowledgement)
    assert (file.incident, file.by, file.note) == (ticket["fingerprint"], by, "on: it")

    by_id = ["acknowledge", ticket["incident"], "--as", by, "--fleet", fleet, "--days", "3"]
    assert run([*by_id, "--config", told.site.settings]) == 0
    assert "renewed" in capsys.readouterr().out
    assert path.read_text().count("until:") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--as", "nobody@msp.example"],
        ["--as", "engineer@msp.example", "--client", "no-such-client"],
        ["--as", "not a principal"],
    ],
)
def test_nobody_takes_nothing_over(told: Drill, arguments: list[str]) -> None:
    before = sorted(told.site.fleet.rglob("*.yaml"))
    code = run(["acknowledge", "b" * 64, *arguments, "--fleet", str(told.site.fleet)])

    assert code == 5
    assert sorted(told.site.fleet.rglob("*.yaml")) == before


def test_evidence_of_another_place_is_not_read_without_its_signers(
    told: Drill, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = ["--fleet", str(told.site.fleet), "--evidence", str(tmp_path)]
    assert run(["acknowledge", "a6fdbdd13695-1", "--as", "engineer@msp.example", *fleet]) == 2
    said = capsys.readouterr().err
    assert "needs --signers" in said
    assert "--repository" not in said
