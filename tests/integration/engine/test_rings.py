"""``reconciler rings`` over the ledgers of several appliances and the releases of their fleet."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import execute
from reconciler.errors import ExitCode
from tests.support.appliance_fleet import CLIENT
from tests.support.ring_site import RingSite

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).resolve().parents[3] / "ci/fleet/ci/rings.sh"
PROMOTIONS = "policies/promotions.yaml"


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> RingSite:
    return RingSite(tmp_path, capsys)


def rings(site: RingSite, *more: str, hosts: tuple[str, ...] = ()) -> tuple[int, str]:
    site.capsys.readouterr()
    evidence = [o for name in hosts or tuple(site.hosts) for o in site.hosts[name].options]
    at = f"{site.now:%Y-%m-%dT%H:%M:%SZ}"
    code = execute(["rings", *evidence, "--fleet", str(site.fleet), "--at", at, *more])
    said = site.capsys.readouterr()
    return code, said.out or said.err


def document(site: RingSite, *more: str, **hosts: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rings(site, "--json", *more, **hosts)[1])
    return found


def test_a_release_goes_from_ring_to_ring_as_each_has_soaked(site: RingSite) -> None:
    site.releases(1)
    one, two = site.hosts["one"], site.hosts["two"]
    one.activates(1)
    one.looks()
    site.passes(23)
    first = one.looks()
    code, said = rings(site)
    assert code == 0
    assert "ring early stays shut" in said
    assert "0 of the 1 hosts that ring canary asks for soaked" in said
    assert "clinic/one: soaked for 23 h 0 min of 24 h" in said

    site.passes(1)
    shown = one.looks()
    code, said = rings(site)
    assert code == ExitCode.DRIFT
    assert "open ring early\n  clinic/one: entry" in said
    assert "Nothing was written." in said
    assert not (site.fleet / PROMOTIONS).exists()

    code, said = rings(site, "--write")
    assert code == 0
    assert f'git commit -S -m "Open ring early" -- {PROMOTIONS}' in said
    text = (site.fleet / PROMOTIONS).read_text()
    assert shown.digest in text
    assert first.digest not in text
    assert execute(["check", str(site.fleet)]) == 0
    site.commits({PROMOTIONS: text})

    two.activates(1)
    two.looks()
    site.passes(48)
    one.looks()
    two.looks()
    assert [(m["ring"], m["opens"]) for m in document(site)["revisions"]] == [("rest", True)]
    rings(site, "--write")
    site.commits({PROMOTIONS: (site.fleet / PROMOTIONS).read_text()})
    code, said = rings(site)
    assert (code, "open for every ring" in said) == (0, True)

    # The next release needs none of what opened this one, once it is open everywhere itself.
    site.releases(2)
    assert [m["ring"] for m in document(site)["revisions"]] == ["early", None]


def test_a_change_that_builds_the_same_systems_is_the_same_revision(site: RingSite) -> None:
    site.releases(1)
    site.hosts["one"].activates(1)
    site.hosts["one"].looks()
    site.commits({"policies/guards.yaml": "staged_rollout: false\n"})
    site.releases(1)
    site.passes(24)
    site.hosts["one"].looks()
    (found,) = document(site)["revisions"]
    assert (found["ring"], found["opens"]) == ("early", True)


def test_a_failed_host_halts_the_rollout_and_is_named(site: RingSite) -> None:
    site.releases(1)
    one = site.hosts["one"]
    one.activates(1)
    one.looks()
    site.passes(30)
    one.activates(1, "rolled_back")
    one.looks()
    code, said = rings(site)
    assert code == ExitCode.DRIFT
    assert "halted: its activation failed on clinic/one" in said
    assert rings(site, "--write")[0] == ExitCode.DRIFT
    assert not (site.fleet / PROMOTIONS).exists()
    one.activates(1)
    one.looks()
    site.passes(24)
    one.looks()
    assert document(site)["revisions"][0]["opens"]


def test_forged_evidence_and_that_of_another_client_open_nothing(site: RingSite) -> None:
    site.releases(1)
    one, two = site.hosts["one"], site.hosts["two"]
    one.activates(1)
    one.looks()
    site.passes(24)
    one.looks()
    assert document(site)["revisions"][0]["opens"]

    forged = one.signers.read_text()
    one.signers.write_text(two.signers.read_text())
    code, said = rings(site)
    assert code == ExitCode.EVIDENCE
    assert "! clinic/one: its evidence counts for nothing" in said
    assert "halted: evidence does not verify: clinic/one" in said
    one.signers.write_text(forged)

    # Two's ledger under the name of one: signed by a key that speaks for two alone.
    site.hosts["one"].repository = two.repository
    assert not document(site, hosts=("one",))["revisions"][0]["opens"]
    (site.fleet / f"hosts/{CLIENT}/one.yaml").unlink()
    code, said = rings(site)
    assert code == ExitCode.INPUT
    assert "the fleet has errors" in said


def test_a_release_that_nobody_vouches_for_is_not_asked_about(site: RingSite) -> None:
    site.releases(1, by="erin")
    assert document(site)["revisions"] == []
    site.releases(1)
    site.releases(1, two=2)
    found = document(site)
    assert found["revisions"] == []
    assert len(found["torn"]) == 1


def test_a_look_that_is_still_to_come_opens_nothing(site: RingSite) -> None:
    site.releases(1)
    one = site.hosts["one"]
    one.activates(1)
    one.looks()
    site.passes(48)
    one.looks()
    site.passes(-24)
    code, said = rings(site)
    assert (code, "its clock is ahead" in said) == (0, True)


def test_a_fleet_without_rings_is_told_so(site: RingSite) -> None:
    (site.fleet / "policies/rings.yaml").unlink()
    code, said = rings(site)
    assert code == ExitCode.INPUT
    assert "the fleet has no policies/rings.yaml" in said


@dataclass
class Job:
    """The script in CI, as of the time of the appliances."""

    site: RingSite
    place: Path

    def runs(self, out: str) -> subprocess.CompletedProcess[str]:
        programs = self.place / "bin"
        programs.mkdir(exist_ok=True)
        real, at = Path(sys.executable).parent / "reconciler", f"{self.site.now:%Y-%m-%dT%H:%M:%SZ}"
        (programs / "reconciler").write_text(f'#!/bin/sh\nexec {real} "$@" --at {at}\n')
        (programs / "reconciler").chmod(0o755)
        environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        argv = ["sh", str(SCRIPT), str(self.place / out), str(self.site.hosts["one"].repository)]
        return subprocess.run(
            argv, cwd=self.site.fleet, env=environment, capture_output=True, text=True, timeout=60
        )


def test_the_script_keeps_the_change_for_a_person_to_sign(site: RingSite, tmp_path: Path) -> None:
    listed = "".join(host.signers.read_text() for host in site.hosts.values())
    site.commits({"policies/trust/evidence_signers": listed})
    site.releases(1)
    one = site.hosts["one"]
    one.activates(1)
    one.looks()
    job = Job(site, tmp_path)
    first = job.runs("first")
    assert (first.returncode, "ring early stays shut" in first.stdout) == (0, True), first.stderr
    assert not (tmp_path / "first/change.patch").exists()

    site.passes(24)
    one.looks()
    second = job.runs("second")
    assert (second.returncode, "open ring early" in second.stdout) == (0, True), second.stderr
    wanted = (site.fleet / PROMOTIONS).read_text()
    site.site.git("alice", "rm", "-q", "--force", PROMOTIONS)
    site.site.git("alice", "apply", str(tmp_path / "second/change.patch"))
    assert (site.fleet / PROMOTIONS).read_text() == wanted, "a person has exactly what was meant"

    (site.fleet / PROMOTIONS).unlink()
    (site.fleet / ".git/index.lock").touch()
    assert job.runs("locked").returncode != 0, "what git cannot note is not nothing to open"
    (site.fleet / ".git/index.lock").unlink()

    one.activates(1, "failed")
    one.looks()
    third = job.runs("third")
    assert (third.returncode, "halted: its activation failed" in third.stdout) == (1, True)
