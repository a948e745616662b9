"""``reconciler sbom`` on machines whose Nix database is good, damaged, or not there."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.cli import execute
from reconciler.engine.sbom import bill_of, digest_of
from reconciler.errors import ExitCode
from reconciler.nix.database import open_database
from tests.support.bills import cyclonedx_complaint, make_machine, spdx_complaints
from tests.support.nix_database import store_path, system_rows
from tests.support.rigs import rig

pytestmark = pytest.mark.integration


def sbom(root: Path, *arguments: str) -> int:
    return execute(["sbom", "--root", str(root), *arguments])


def test_what_runs_is_listed_and_both_forms_are_valid(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    root = tmp_path / "machine"
    rows = system_rows(40)
    system = make_machine(root, rows, {str(rows[1].path): ["MIT", "unfree"]})
    file = tmp_path / "desk.spdx.json"

    assert sbom(root, "--output", str(file)) == 0
    assert spdx_complaints(file) == []
    said = capfdbinary.readouterr().err.decode()
    assert "40 paths, closure " in said
    assert sbom(root, "--format", "cyclonedx") == 0
    cyclonedx = capfdbinary.readouterr().out.decode()
    assert cyclonedx_complaint(cyclonedx) is None

    read = json.loads(file.read_text())
    assert len(read["packages"]) == 40
    assert read["name"] == system.partition("-")[2]
    assert read["creationInfo"]["created"] == datetime.fromtimestamp(1_760_000_000, UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    licences = {one["packageFileName"]: one["licenseDeclared"] for one in read["packages"]}
    assert licences[str(rows[1].path)] == "MIT AND LicenseRef-unfree"
    assert set(licences.values()) == {"NOASSERTION", "MIT AND LicenseRef-unfree"}
    assert json.loads(cyclonedx)["metadata"]["component"]["bom-ref"] == system


def test_the_same_bytes_again_and_the_digest_that_evidence_names(tmp_path: Path) -> None:
    root = tmp_path / "machine"
    system = make_machine(root)
    one, other, later = (tmp_path / name for name in ("one", "other", "later"))
    assert sbom(root, "--output", str(one)) == 0
    assert sbom(root, "--system", system, "--output", str(other)) == 0
    assert sbom(root, "--created", "2026-03-01T13:00:00+01:00", "--output", str(later)) == 0
    assert one.read_bytes() == other.read_bytes()
    assert b'"created":"2026-03-01T12:00:00Z"' in later.read_bytes()
    assert one.stat().st_mode & 0o777 == 0o644
    with open_database(str(root)) as database:
        found = digest_of(bill_of(database, system, root=str(root)))
    assert found == hashlib.sha256(one.read_bytes()).hexdigest()


def test_memory_does_not_grow_with_the_closure(tmp_path: Path) -> None:
    peaks = []
    for count in (100, 3000):
        root = tmp_path / str(count)
        make_machine(root, system_rows(count))
        arguments = ["sbom", "--root", str(root), "--output", str(tmp_path / "desk.json")]
        code = (
            "import resource; from reconciler.cli import execute;"
            f"assert execute({arguments!r}) == 0;"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        peaks.append(int(done.stdout))
    # The list of numbers, and what the system itself needs: 100 bytes a path each.
    assert peaks[1] - peaks[0] < 6 * 1024


@pytest.mark.parametrize(
    ("licences", "reason"),
    [
        ("{}", "not a list of licences"),
        ('{"format":"reconciler-licences/2","licences":{}}', "not a list of licences"),
        ('{"format":"reconciler-licences/1","licences":{},"x":1}', "not a list of licences"),
        ('{"format":"reconciler-licences/1","licences":{"/etc":["MIT"]}}', "not a list"),
        ('{"format":"reconciler-licences/1","licences":{"PATH":"MIT"}}', "not a list"),
        ('{"format":"reconciler-licences/1","licences":{"PATH":["a\\nb"]}}', "not a list"),
        ('{"format":"reconciler-licences/1","licences":{"PATH":[""]}}', "not a list"),
        ("[" * 100_000, "not a list of licences"),
        ("\xff", "not a list of licences"),
    ],
)
def test_a_list_of_licences_is_read_whole_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], licences: str, reason: str
) -> None:
    system = make_machine(tmp_path)
    file = Path(f"{tmp_path}{system}/reconciler/licences.json")
    file.write_text(licences.replace("PATH", system), encoding="latin-1")
    assert sbom(tmp_path) == ExitCode.MACHINE
    assert reason in capsys.readouterr().err


def test_a_list_that_leads_to_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    system = make_machine(tmp_path)
    Path(f"{tmp_path}{system}/reconciler/licences.json").symlink_to("gone")
    assert sbom(tmp_path) == ExitCode.MACHINE
    assert "leads to nothing" in capsys.readouterr().err


def test_a_machine_without_nix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sbom(tmp_path) == ExitCode.MACHINE
    assert "no NixOS system runs here" in capsys.readouterr().err
    assert sbom(tmp_path, "--system", store_path("x-1")) == ExitCode.MACHINE
    assert "there is no Nix database" in capsys.readouterr().err
    assert sbom(tmp_path, "--system", "/etc") == ExitCode.INPUT
    assert "'/etc' is not a system in the store" in capsys.readouterr().err


def test_a_system_may_be_named_by_a_link_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    system = make_machine(tmp_path)
    profiles = tmp_path / "nix/var/nix/profiles"
    profiles.mkdir(parents=True)
    (profiles / "system-7-link").symlink_to(system)
    (profiles / "system").symlink_to("system-7-link")
    (tmp_path / "result").symlink_to(system)
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path)

    for name in ("/run/current-system", "/nix/var/nix/profiles/system", "./result", f"{system}/"):
        assert sbom(tmp_path, "--system", name) == 0
        assert json.loads(capfdbinary.readouterr().out)["name"] == system.partition("-")[2]
    for name in ("loop", "/run", "", "a\0b", "x" * 5000, "run/current-system/bin"):
        assert sbom(tmp_path, "--system", name) == ExitCode.INPUT
        assert b"is not a system in the store, and no link to one" in capfdbinary.readouterr().err


def test_a_link_that_leads_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_machine(tmp_path)
    (tmp_path / "run/current-system").unlink()
    (tmp_path / "run/current-system").symlink_to("/tmp")
    assert sbom(tmp_path) == ExitCode.MACHINE
    assert "leads to '/tmp', which is not a store path" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-03-01",
        "2026-03-01T12:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_time_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    make_machine(tmp_path)
    assert sbom(tmp_path, "--created", text) == ExitCode.INPUT
    assert "Write it as 2026-03-01T12:00:00Z" in capsys.readouterr().err


def test_a_time_of_long_ago_has_four_digits_of_a_year(tmp_path: Path) -> None:
    make_machine(tmp_path)
    file = tmp_path / "desk.json"
    assert sbom(tmp_path, "--created", "0987-03-01T12:00:00Z", "--output", str(file)) == 0
    assert spdx_complaints(file) == []


def test_a_closure_with_a_hole_gives_no_bill(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "machine"
    rows = system_rows(40)
    make_machine(root, rows)
    with sqlite3.connect(root / "nix/var/nix/db/db.sqlite") as connection:
        connection.execute("DELETE FROM ValidPaths WHERE path = ?", (str(rows[7].path),))
    connection.close()
    before = tmp_path / "desk.json"
    before.write_text("older")
    assert sbom(root, "--output", str(before)) == ExitCode.MACHINE
    assert "that it does not hold" in capsys.readouterr().err
    assert before.read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["desk.json", "machine"]


def test_a_bad_value_in_the_middle_leaves_the_older_bill(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "machine"
    rows = system_rows(40)
    make_machine(root, rows)
    with sqlite3.connect(root / "nix/var/nix/db/db.sqlite") as connection:
        connection.execute("UPDATE ValidPaths SET hash = 'x' WHERE path = ?", (str(rows[7].path),))
    connection.close()
    assert sbom(root, "--output", str(tmp_path / "new.json")) == ExitCode.MACHINE
    assert "for the hash of" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["machine"]


FULL = """
import sys
from pathlib import Path
from reconciler.cli import execute

root, mount = Path(sys.argv[1]), Path(sys.argv[2])
(mount / "desk.json").write_text("older")
code = execute(["sbom", "--root", str(root), "--output", str(mount / "desk.json")])
print(code, (mount / "desk.json").read_text(), [path.name for path in mount.iterdir()])
"""


def test_a_full_disk_leaves_the_older_bill(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        rig("mount", "not root")
    root, mount = tmp_path / "machine", tmp_path / "mount"
    make_machine(root, system_rows(400))
    mount.mkdir()
    script = (
        f'mount -t tmpfs -o size=64k none {mount} && exec {sys.executable} -c "$0" {root} {mount}'
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, FULL], capture_output=True, check=False
    )
    assert done.stdout.decode() == "7 older ['desk.json']\n", done.stderr.decode()
    assert f"cannot write {mount}/" in done.stderr.decode()
    assert "No space left on device" in done.stderr.decode()


def test_what_is_no_file_is_written_into_and_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, pipe, link = tmp_path / "machine", tmp_path / "pipe", tmp_path / "link"
    make_machine(root)
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        assert sbom(root, "--output", str(pipe)) == 0
        assert reader.stdout is not None
        assert len(json.load(reader.stdout)["packages"]) == 40
    assert pipe.is_fifo()
    capsys.readouterr()

    (tmp_path / "other").write_text("older")
    link.symlink_to("other")
    assert sbom(root, "--output", str(link)) == ExitCode.MACHINE
    assert "is not a regular file and was left alone" in capsys.readouterr().err
    assert link.is_symlink()
    assert (tmp_path / "other").read_text() == "older"


def test_a_directory_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_machine(tmp_path)
    assert sbom(tmp_path, "--output", str(tmp_path / "none/desk.json")) == ExitCode.MACHINE
    assert "Make the directory first" in capsys.readouterr().err


def test_a_dash_is_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_machine(tmp_path)
    assert sbom(tmp_path, "--output", "-") == 0
    assert len(json.loads(capsys.readouterr().out)["packages"]) == 40


def test_a_closed_output_is_named(tmp_path: Path) -> None:
    make_machine(tmp_path)
    start = "import sys; from reconciler.cli import main; main(sys.argv[1:])"
    argv = [sys.executable, "-c", start, "sbom", "--root", str(tmp_path)]
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *argv], capture_output=True, check=False)
    assert done.returncode == ExitCode.MACHINE
    assert done.stderr.startswith(b"error: standard output is closed")
