"""A power cut at every system call: what was acknowledged is there and sound, the next run goes on.

What was not synced is lost, kept, torn or zeroed, in any mixture; see `tests.support.disk`.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest

from reconciler.ledger import refs
from tests.support import disk, syscalls
from tests.support.evidence_server import evidence_server
from tests.support.ledger_rig import Rig, filled, make_rig
from tests.support.power_states import LedgerTrial, PushTrial, Recording, SealTrial, states
from tests.support.rigs import rig as needs

pytestmark = [pytest.mark.crash, pytest.mark.integration]

POINTS = 500
"""Random points at least."""


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory in memory if there is one: hundreds of states are made real."""
    shared = Path("/dev/shm")
    made = Path(mkdtemp(dir=shared)) if shared.is_dir() else tmp_path_factory.mktemp("states")
    yield made
    made.rmdir()


def place(factory: pytest.TempPathFactory) -> Path:
    needs("strace", syscalls.missing())
    made = factory.mktemp("power") / "disk"
    made.mkdir()
    return made


def record(rig: Rig, way: str) -> Recording:
    place, told = rig.directory, rig.directory.with_name("told")
    before = disk.read(place)
    arguments = [str(place), str(told), way]
    driver = "tests.support.power_cut_driver"
    calls = syscalls.record(driver, arguments, place.with_name("strace"))
    return Recording(place, told, rig.key, calls, before)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The life of a ledger from its making on."""
    return record(make_rig(place(tmp_path_factory)), "life")


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A push of a ledger to a path, in slices."""
    rig = filled(place(tmp_path_factory))
    server = evidence_server(rig.directory, rig.signers_file.read_text())
    # The hook is proven elsewhere, and git is not asked here.
    (server.path / "hooks/pre-receive").unlink()
    return record(rig, "push")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Runs that wait in a file, and are sealed."""
    return record(filled(place(tmp_path_factory), runs=1), "seal")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stale lock is waited for; not two hundred milliseconds in each of a thousand states."""
    monkeypatch.setattr(refs, "_PATIENCE_S", 0.001)


@pytest.mark.parametrize("name", ["life", "pushed", "sealed"])
def test_no_change_of_the_disk_is_missed(name: str, request: pytest.FixtureRequest) -> None:
    recording: Recording = request.getfixturevalue(name)
    *_, last = recording.cuts()
    assert disk.image(last.root, disk.EXTREMES["everything survives"]) == disk.read(recording.place)


def test_a_ledger_outlives_a_power_cut_at_any_point(life: Recording, memory: Path) -> None:
    trial = LedgerTrial(memory / "state", life.key)
    for state in states(life):
        trial.run(state)
    assert trial.wrong == []
    assert trial.chances >= POINTS
    stages = {"create", "append", "midnight", "slim", "heal", "repack", "killed repack"}
    assert min(trial.tried[stage] for stage in stages) >= 20
    assert trial.remains > 100


def test_a_ledger_that_synced_nothing_would_be_found_out(life: Recording, memory: Path) -> None:
    careless = replace(life, calls=[call for call in life.calls if call.name != "fsync"])
    trial = LedgerTrial(memory / "state", life.key)
    for state in states(careless):
        if state.stage == "midnight":
            trial.run(state)
        if len(trial.wrong) >= 3:
            break
    assert len(trial.wrong) >= 3


def test_a_pushed_repository_outlives_a_power_cut_at_any_point(
    pushed: Recording, memory: Path
) -> None:
    trial = PushTrial(memory / "state", pushed.key)
    for state in states(pushed):
        trial.run(state)
    assert trial.wrong == []
    assert trial.chances > 80
    assert trial.remains > 50


def test_runs_that_wait_outlive_a_power_cut_at_any_point(sealed: Recording, memory: Path) -> None:
    trial = SealTrial(memory / "state", sealed.key)
    for state in states(sealed):
        trial.run(state)
    assert trial.wrong == []
    assert trial.chances > 30
    assert trial.remains > 10
