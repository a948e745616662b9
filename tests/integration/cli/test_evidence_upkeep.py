"""Upkeep of evidence on the command line: doctor, checkpoint, and problems of a single run."""

import json
from pathlib import Path

import pytest

from reconciler.cli import execute as cli
from reconciler.errors import ExitCode
from reconciler.evidence.note import open_checkpoint
from tests.support.appliances import Site, new_site

pytestmark = pytest.mark.integration


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return new_site(tmp_path / "var")


def asking(site: Site, evidence: str) -> None:
    file = Path(site.settings)
    file.write_text(file.read_text().replace("evidence:\n", f"evidence:\n{evidence}", 1))


def found(site: Site, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    cli(["doctor", "--json", "--config", site.settings])
    return {one["subject"]: one for one in json.loads(capsys.readouterr().out)}


def test_a_checkpoint_is_signed_now_and_printed(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli(["evidence", "checkpoint", "--config", site.settings]) == 0
    note = capsys.readouterr().out
    assert cli(["evidence", "checkpoint", "--json", "--config", site.settings]) == 0
    second = json.loads(capsys.readouterr().out)

    from reconciler.ledger import keys

    public = keys.public(keys.load(site.directory / "keys/appliance"))
    origin = "reconciler/example-clinic/workstation"
    assert open_checkpoint(note, origin, public).size == 1
    assert open_checkpoint(second["note"], origin, public).size == second["seq"] == 2
    assert cli(["verify", site.evidence, "--signers", site.signers]) == 0


def test_doctor_shows_what_is_absent_and_how_the_key_is_kept(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = found(site, capsys)

    for subject in ("evidence remote", "witnesses", "anchors", "copies", "sealing"):
        assert seen[subject]["state"] == "absent", seen[subject]
    assert "in a plain file" in seen["signing key"]["detail"]
    assert seen["packs"]["detail"] == "0 packs"
    assert cli(["doctor", "--config", site.settings]) in (0, ExitCode.MACHINE)
    assert "absent   evidence remote" in capsys.readouterr().out


def test_doctor_names_a_setting_that_cannot_work(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    asking(site, "  remote: {url: http://evidence.example/x.git}\n")
    seen = found(site, capsys)

    assert seen["evidence upkeep"]["state"] == "broken"
    assert "evidence.remote.url" in seen["evidence upkeep"]["detail"]
    assert cli(["run", "--once", "--config", site.settings]) == ExitCode.INPUT
    assert "evidence.remote.url" in capsys.readouterr().err


def test_doctor_does_not_ask_for_a_credential_that_only_the_service_has(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(site.settings)
    file.write_text(file.read_text().replace("key: keys/appliance", "key: credential:appliance"))
    seen = found(site, capsys)["signing key"]

    assert seen["state"] == "limited"
    assert "passed by systemd" in seen["detail"]
    assert "LoadCredential" in seen["hint"]


def test_a_single_run_says_what_did_not_come_about(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asking(site, f"  remote: {{url: {tmp_path}/nowhere.git}}\n")
    code = cli(["run", "--once", "--config", site.settings])
    out = capsys.readouterr().out

    assert code in {ExitCode.CLEAN, ExitCode.DRIFT, ExitCode.UNKNOWN}
    assert "upkeep: push: " in out
    assert "evidence: entry 1, signed commit" in out
    seen = found(site, capsys)["evidence remote"]
    assert seen["state"] == "limited"
    assert "last push never" in seen["detail"]
