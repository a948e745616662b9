"""``reconciler advisories``, and the script of a fleet that calls it with what a scanner wrote."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from reconciler.cli import execute
from reconciler.errors import ExitCode
from tests.support.bills import make_machine
from tests.support.scanning import OTHER, SYSTEM, report, vulnerability

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]
PYTHON = Path(sys.executable).parent
AT = "2026-11-02T12:00:00Z"

# It finds one vulnerability in whatever stands first in the bill that it is given.
SCANNER = """\
#!/usr/bin/env python3
import json, sys
if sys.argv[1] == "db":
    if sys.argv[2] == "status":
        print(json.dumps({"built": "2026-10-31T04:08:43Z", "valid": True}, indent=1))
    sys.exit(0)
assert sys.argv[2:5] == ["--add-cpes-if-none", "--output", "cyclonedx-json"], sys.argv
with open(sys.argv[1].removeprefix("sbom:")) as file:
    bill = json.load(file)
bill["metadata"]["timestamp"] = "2026-11-01T10:00:00Z"
bill["metadata"]["tools"] = {
    "components": [{"type": "application", "name": "grype", "version": "0.87.0"}]
}
package = next(one for one in bill["components"] if one.get("version"))
affects = [{"ref": package["bom-ref"]}]
bill["vulnerabilities"] = [
    {"id": "CVE-2026-1", "ratings": [{"severity": "high"}], "affects": affects}
]
with open(sys.argv[6], "w") as file:
    json.dump(bill, file)
"""
NIX = """\
#!/bin/sh
case "$*" in
*nixpkgs#grype) echo "$SCANNER" ;;
*elm-street-desk*) echo "$SYSTEM" ;;
*) echo "no such attribute: $*" >&2; exit 1 ;;
esac
"""
RECONCILER = """\
#!/bin/sh
command=$1; shift
if [ "$command" = sbom ]; then set -- --root "$MACHINE" "$@"; fi
exec {program} "$command" "$@"
"""


def advisories(file: Path, *more: str, host: str = "elm-street/desk") -> int:
    arguments = ["--host", host, "--as-of", "2026-10-31", "--at", AT, *more]
    if "--system" not in more:
        arguments += ["--system", SYSTEM]
    return execute(["advisories", str(file), *arguments])


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    file = tmp_path / "scan.json"
    file.write_text(json.dumps(report(vulnerability("CVE-2026-10001"))))
    return file


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    directory = tmp_path / "fleet"
    (directory / "hosts/elm-street").mkdir(parents=True)
    (directory / "hosts/elm-street/desk.yaml").write_text("id: desk\n")
    return directory


def test_a_document_is_written_into_the_fleet_or_said(
    scan: Path, fleet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert advisories(scan, "--write", str(fleet)) == 0
    written = (fleet / "policies/vulnerabilities/elm-street/desk.yaml").read_text()
    said = capsys.readouterr()
    assert said.out == ""
    assert "elm-street/desk: 1 open in 3 packages" in said.err
    assert advisories(scan) == 0
    assert capsys.readouterr().out == written
    assert yaml.safe_load(written)["system"] == SYSTEM


@pytest.mark.parametrize(
    ("host", "more", "code"),
    [
        ("elm-street/disk", (), ExitCode.INPUT),
        ("../etc/desk", (), ExitCode.USAGE),
        ("elm-street/../desk", (), ExitCode.USAGE),
        ("elm-street/desk", ("--system", "/etc"), ExitCode.USAGE),
        ("elm-street/desk", ("--system", f"{SYSTEM}/.."), ExitCode.USAGE),
        ("elm-street/desk", ("--as-of", "2026-11-02"), ExitCode.INPUT),
        ("elm-street/desk", ("--as-of", "today"), ExitCode.USAGE),
        ("elm-street/desk", ("--at", "2026-10-31T00:00:00Z"), ExitCode.INPUT),
    ],
)
def test_what_is_wrong_writes_nothing(
    scan: Path, fleet: Path, host: str, more: tuple[str, ...], code: ExitCode
) -> None:
    assert advisories(scan, "--write", str(fleet), *more, host=host) == code
    assert not (fleet / "policies").exists()


def test_a_report_of_another_system_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scan.json"
    document = report()
    document["metadata"]["component"] = {"bom-ref": OTHER, "name": "nixos-system-front-desk"}
    file.write_text(json.dumps(document))
    assert advisories(file) == ExitCode.INPUT
    assert "is about" in capsys.readouterr().err


def script(tmp_path: Path, *hosts: str) -> "tuple[subprocess.CompletedProcess[str], Path]":
    """``ci/advisories.sh`` with Nix and the scanner as stand-ins, and a real bill of materials."""
    clone, tools, out = tmp_path / "clone", tmp_path / "bin", tmp_path / "out"
    for name in hosts:
        file = clone / "hosts" / f"{name}.nix"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    clone.mkdir(exist_ok=True)
    system = make_machine(tmp_path / "machine")
    programs = {
        tools / "nix": NIX,
        tools / "reconciler": RECONCILER.format(program=PYTHON / "reconciler"),
        tmp_path / "scanner/bin/grype": SCANNER,
    }
    for file, text in programs.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    env = {
        "PATH": f"{tools}:{PYTHON}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "SCANNER": str(tmp_path / "scanner"),
        "SYSTEM": system,
        "MACHINE": str(tmp_path / "machine"),
    }
    command = ["sh", str(ROOT / "ci/fleet/ci/advisories.sh"), str(out)]
    done = subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True, check=False)
    return done, out


def test_the_script_scans_every_host_of_the_flake(tmp_path: Path) -> None:
    done, out = script(tmp_path, "elm-street/desk")
    assert done.returncode == 0, done.stderr
    document = yaml.safe_load((out / "policies/vulnerabilities/elm-street/desk.yaml").read_text())
    assert [one["id"] for one in document["open"]] == ["CVE-2026-1"]
    assert document["advisories_as_of"] == "2026-10-31"
    assert document["packages"] == 39, "every path but the system itself"
    assert "elm-street/desk: 1 open in 39 packages" in (out / "change.md").read_text()


def test_the_script_fails_where_a_host_cannot_be_scanned(tmp_path: Path) -> None:
    done, _out = script(tmp_path, "elm-street/desk", "elm-street/lab")
    assert done.returncode != 0
    assert "no such attribute" in done.stderr


def test_the_script_takes_no_name_that_nix_would_read_otherwise(tmp_path: Path) -> None:
    done, out = script(tmp_path, 'elm-street/a".x')
    assert done.returncode == 1
    assert "no host may be called so" in done.stderr
    assert not (out / "policies").exists()
