"""Entries of kind ``system``: whenever another system runs than was recorded, with all it is."""

import hashlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import execute
from reconciler.errors import ExitCode
from reconciler.trust.statements import System
from tests.support.bills import make_machine
from tests.support.drill import HOST_FILE, HOST_TEXT, Drill
from tests.support.nix_database import Row, store_path, system_rows
from tests.support.release_drill import ReleaseDrill, new_release_drill

pytestmark = pytest.mark.integration

OLD, NEW = "nixos-system-desk-26.05.1", "nixos-system-desk-26.05.2"


class Machine:
    """An appliance, and the root that its Nix is under."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "machine"
        self.site: ReleaseDrill = new_release_drill(directory / "site")
        parts = system_rows(30)[1:]
        kept = [str(row.path) for row in parts]
        new_part = store_path("openssl-3.0.15")
        rows = [
            Row(path=store_path(OLD), refs=[*kept, store_path("openssl-3.0.14")]),
            Row(path=store_path("openssl-3.0.14")),
            Row(path=store_path(NEW), refs=[*kept, new_part]),
            Row(path=new_part),
            *parts,
        ]
        make_machine(self.root, rows)
        (self.root / "run/booted-system").symlink_to(store_path(OLD))
        self.profile = self.root / "nix/var/nix/profiles"
        self.profile.mkdir(parents=True)
        self.generation(1, OLD)
        self.site.commit({HOST_FILE: self.host("nixos")})

    def host(self, kind: str) -> str:
        return HOST_TEXT.replace("kind: linux", f"kind: {kind}\nroot: {self.root}")

    def generation(self, number: int, name: str) -> None:
        (self.profile / f"system-{number}-link").symlink_to(store_path(name))
        link = self.profile / "system"
        link.unlink(missing_ok=True)
        link.symlink_to(f"system-{number}-link")

    def activate(self, name: str) -> None:
        link = self.root / "run/current-system"
        link.unlink()
        link.symlink_to(store_path(name))

    def bodies(self) -> list[Any]:
        return self.site.drill.bodies("system")

    @property
    def database(self) -> Path:
        return self.root / "nix/var/nix/db/db.sqlite"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_first_run_records_what_runs_and_the_next_do_not_repeat_it(machine: Machine) -> None:
    machine.site.run()
    (body,) = machine.bodies()
    assert (body["from"], body["to"]) == (None, store_path(OLD))
    assert (body["booted"], body["profile"], body["generation"]) == (
        store_path(OLD),
        store_path(OLD),
        1,
    )
    assert (body["release"], body["source"], body["diff"], body["reason"]) == (
        None,
        "unknown",
        None,
        "",
    )
    assert body["closure"]["paths"] == 31
    kinds = machine.site.drill.kinds()
    assert kinds.index("system") > kinds.index("run")
    report = machine.site.run()
    assert len(machine.bodies()) == 1
    assert [problem for problem in report.problems if problem.part == "system"] == []


def test_another_system_is_recorded_with_what_changed(machine: Machine) -> None:
    machine.site.run()
    release = machine.site.fleet.head
    drv = store_path(f"{NEW}.drv")
    machine.site.release(System(drv, store_path(NEW), "ab" * 32))
    machine.activate(NEW)
    machine.generation(2, NEW)
    machine.site.run()
    body = machine.bodies()[-1]
    assert (body["from"], body["to"]) == (store_path(OLD), store_path(NEW))
    assert (body["booted"], body["generation"]) == (store_path(OLD), 2)
    assert (body["release"], body["source"]) == (release, "release")
    assert body["diff"]["from"] == store_path(OLD)
    assert {"name": "openssl", "before": ["3.0.14"], "after": ["3.0.15"]} in body["diff"]["changes"]
    assert body["diff"]["left_out"] == 0
    assert machine.site.drill.verify().ok


def test_the_bill_that_the_command_writes_is_the_one_that_evidence_names(
    machine: Machine, tmp_path: Path
) -> None:
    machine.site.run()
    body = machine.bodies()[-1]
    file = tmp_path / "desk.json"
    assert execute(["sbom", "--root", str(machine.root), "--output", str(file)]) == 0
    assert body["sbom"]["format"] == json.loads(file.read_text())["spdxVersion"] == "SPDX-2.3"
    assert body["sbom"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_damaged_database_leaves_out_what_it_does_not_say(machine: Machine) -> None:
    machine.site.run()
    machine.activate(NEW)
    with sqlite3.connect(machine.database) as connection:
        connection.execute("UPDATE ValidPaths SET hash = 'x' WHERE path = ?", (store_path(NEW),))
    connection.close()
    report = machine.site.run()
    body = machine.bodies()[-1]
    assert body["to"] == store_path(NEW)
    assert (body["closure"], body["sbom"], body["diff"]) == (None, None, None)
    assert "for the hash of" in body["reason"]
    (problem,) = [one for one in report.problems if one.part == "system"]
    assert problem.message == body["reason"]
    machine.site.run()
    assert len(machine.bodies()) == 2


def test_a_list_of_licences_that_is_none_costs_the_bill_alone(machine: Machine) -> None:
    Path(f"{machine.root}{store_path(OLD)}/reconciler/licences.json").write_text("{")
    machine.site.run()
    body = machine.bodies()[-1]
    assert body["sbom"] is None
    assert body["closure"]["paths"] == 31
    assert "is not a list of licences" in body["reason"]


def test_what_was_collected_meanwhile_is_no_difference(machine: Machine) -> None:
    machine.site.run()
    machine.activate(NEW)
    with sqlite3.connect(machine.database) as connection:
        connection.execute("DELETE FROM ValidPaths WHERE path = ?", (store_path(OLD),))
    connection.close()
    machine.site.run()
    body = machine.bodies()[-1]
    assert (body["from"], body["diff"], body["reason"]) == (store_path(OLD), None, "")
    assert body["closure"]["paths"] == 31


def test_a_link_that_leads_elsewhere_is_a_problem_and_no_entry(machine: Machine) -> None:
    link = machine.root / "run/current-system"
    link.unlink()
    link.symlink_to("/tmp/evil")
    report = machine.site.run()
    assert machine.bodies() == []
    (problem,) = [one for one in report.problems if one.part == "system"]
    assert "which is not a store path" in problem.message


def test_what_only_hangs_beside_is_left_out(machine: Machine) -> None:
    booted = machine.root / "run/booted-system"
    booted.unlink()
    booted.symlink_to("/tmp/evil")
    (machine.profile / "system").unlink()
    machine.site.run()
    body = machine.bodies()[-1]
    assert (body["booted"], body["profile"], body["generation"]) == (None, None, None)
    assert "which is not a store path" in body["reason"]
    assert body["closure"]["paths"] == 31


def test_nothing_is_recorded_of_a_dry_run_or_of_another_kind_of_host(machine: Machine) -> None:
    machine.site.run(dry_run=True)
    machine.site.commit({HOST_FILE: machine.host("linux")})
    machine.site.run()
    assert machine.bodies() == []


def test_a_run_of_another_host_brings_in_nothing_of_nix(drill: Drill) -> None:
    code = (
        "import sys; from reconciler.cli import execute; "
        "code = execute(['run', '--once', '--config', sys.argv[1]]); "
        "print(code, *(name for name in sys.modules if name.startswith('reconciler.nix')))"
    )
    argv = [sys.executable, "-c", code, str(drill.site.settings)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == str(int(ExitCode.DRIFT)), done.stdout + done.stderr
    assert len(drill.bodies("run")) == 1
