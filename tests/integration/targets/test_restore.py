"""A restore test against a real restic repository on this machine."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.model.operation import OperationResult, RestoreSample
from reconciler.targets.linux.allow import AllowList
from reconciler.targets.linux.target import LinuxTarget
from tests.support.asking import NOW, knows_the_time
from tests.support.rigs import rig

pytestmark = pytest.mark.integration

FILES = {
    "plain.txt": b"procedure\n",
    "with space/[odd] *?\\name.txt": b"odd\n",
    "empty": b"",
    "big.bin": os.urandom(3_000_000),
}


class Clinic:
    """Papers, a repository with one snapshot of them, and places for the test."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.papers, self.scratch = home / "papers", home / "scratch"

    def set_up(self) -> None:
        for name, content in FILES.items():
            (self.papers / name).parent.mkdir(parents=True, exist_ok=True)
            (self.papers / name).write_bytes(content)
        (self.home / "pw").write_text("correct horse\n")
        self.restic("init")
        self.restic("backup", str(self.papers))

    def restic(self, *words: str) -> None:
        environment = {"RESTIC_PASSWORD_FILE": str(self.home / "pw"), "PATH": "/usr/bin"}
        argv = ("restic", "-q", "--no-cache", "-r", str(self.home / "repository"), *words)
        subprocess.run(argv, env=environment, check=True, capture_output=True)

    def prove(self, *, job: str = "nightly", scratch: Path | None = None) -> OperationResult:
        target = LinuxTarget(allow=AllowList(scratch=str(self.scratch)), internal=knows_the_time)
        return target.carry_out(
            RestoreSample(
                job=job,
                repository=str(self.home / "repository"),
                password_file=str(self.home / "pw"),
                scratch=str(scratch or self.scratch / job),
                record=str(self.home / "records/nightly.json"),
                sample_percent=100,
                timeout_s=60,
            )
        )

    @property
    def record(self) -> dict[str, object] | None:
        path = self.home / "records/nightly.json"
        return json.loads(path.read_text()) if path.exists() else None

    @property
    def scratch_is_empty(self) -> bool:
        return not self.scratch.exists() or list(self.scratch.iterdir()) == []


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clinic with its first backup; restic takes seconds to make one."""
    rig("restic", None if shutil.which("restic") else "restic is not installed")
    home = tmp_path_factory.mktemp("model") / "clinic"
    home.mkdir()
    Clinic(home).set_up()
    return home


@pytest.fixture
def clinic(model: Path, tmp_path: Path) -> Clinic:
    return Clinic(shutil.copytree(model, tmp_path / "clinic"))


def packs(clinic: Clinic) -> list[Path]:
    return [path for path in (clinic.home / "repository/data").rglob("*") if path.is_file()]


class TestGood:
    def test_every_byte_is_compared_and_recorded(self, clinic: Clinic) -> None:
        result = clinic.prove()
        assert (result.ok, result.reason) == (True, "")
        record = clinic.record
        assert record is not None
        assert {key: record[key] for key in ("job", "files", "bytes", "finished_at")} == {
            "job": "nightly",
            "files": len(FILES),
            "bytes": sum(map(len, FILES.values())),
            "finished_at": NOW,
        }
        assert len(str(record["snapshot"])) == 64
        assert clinic.scratch_is_empty

    def test_the_newest_snapshot_counts(self, clinic: Clinic) -> None:
        (clinic.papers / "new.txt").write_text("new")
        clinic.restic("backup", str(clinic.papers))
        assert clinic.prove().ok
        assert clinic.record is not None
        assert clinic.record["files"] == len(FILES) + 1

    def test_what_an_interrupted_test_left_is_removed(self, clinic: Clinic) -> None:
        left = clinic.scratch / "nightly/left"
        left.mkdir(parents=True)
        (left / "behind").write_text("a patient's file")
        assert clinic.prove().ok
        assert clinic.scratch_is_empty


class TestBad:
    def spoil(self, clinic: Clinic) -> None:
        largest = max(packs(clinic), key=lambda path: path.stat().st_size)
        largest.chmod(0o600)
        with largest.open("r+b") as pack:
            pack.seek(1000)
            pack.write(b"spoiled")

    def forget(self, clinic: Clinic) -> None:
        for path in (clinic.home / "repository/snapshots").iterdir():
            path.unlink()

    def other_host(self, clinic: Clinic) -> None:
        self.forget(clinic)
        clinic.restic("backup", "--host", "elsewhere", str(clinic.papers))

    def wrong_password(self, clinic: Clinic) -> None:
        (clinic.home / "pw").write_text("wrong\n")

    def nothing_in_it(self, clinic: Clinic) -> None:
        shutil.rmtree(clinic.papers)
        clinic.papers.mkdir()
        clinic.restic("backup", str(clinic.papers))

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            (spoil, "restic restore exited with 1"),
            (forget, "there is no snapshot of"),
            (other_host, "there is no snapshot of"),
            (wrong_password, "restic snapshots exited with 1"),
            (nothing_in_it, "the newest snapshot holds no file"),
        ],
    )
    def test_no_record_and_no_scratch(
        self, clinic: Clinic, damage: Callable[["TestBad", Clinic], None], reason: str
    ) -> None:
        damage(self, clinic)
        result = clinic.prove()
        assert not result.ok
        assert result.reason.startswith(reason)
        assert clinic.record is None
        assert clinic.scratch_is_empty

    def test_an_old_record_stays_as_it_was(self, clinic: Clinic) -> None:
        assert clinic.prove().ok
        before = clinic.record
        self.spoil(clinic)
        assert not clinic.prove().ok
        assert clinic.record == before

    @pytest.mark.parametrize(
        "scratch", ["/etc/x", "papers", "scratch", "scratch/a/b", "scratch/.."]
    )
    def test_scratch_lies_in_its_one_place(self, clinic: Clinic, scratch: str) -> None:
        result = clinic.prove(scratch=clinic.home / scratch)
        assert result.reason == f"scratch must lie directly below {clinic.scratch}"
        assert sorted(p.name for p in clinic.papers.iterdir()) == sorted(
            {name.split("/")[0] for name in FILES}
        )

    def test_a_scratch_that_others_can_write_is_not_used(self, clinic: Clinic) -> None:
        clinic.scratch.mkdir()
        clinic.scratch.chmod(0o777)
        result = clinic.prove()
        assert (
            result.reason == f"{clinic.scratch} can be changed by others; nothing is restored there"
        )

    def test_a_scratch_that_is_a_link_is_removed_not_followed(self, clinic: Clinic) -> None:
        clinic.scratch.mkdir(mode=0o755)
        (clinic.scratch / "nightly").symlink_to(clinic.papers)
        result = clinic.prove()
        assert not result.ok
        assert (clinic.papers / "plain.txt").exists()
        assert clinic.record is None
