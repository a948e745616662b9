"""The mirror on disk: what is left after a crash, damage or loss, and that it is only a cache."""

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.desired.limits import FetchLimits
from reconciler.desired.source import FleetSource
from reconciler.errors import MachineError
from tests.support.fleet_git import FleetRepo, allowed, at
from tests.support.git_servers import http_server

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
FETCH = (
    "import sys; from pathlib import Path; from reconciler.desired.source import FleetSource; "
    "FleetSource(Path(sys.argv[1]), sys.argv[2], 'main').fetch()"
)


@pytest.fixture
def fleet(tmp_path):
    repo = FleetRepo(tmp_path / "msp")
    repo.root()
    return repo


@pytest.fixture
def mirror(tmp_path):
    return tmp_path / "state/fleet.git"


def source(fleet, mirror, **limits):
    return FleetSource(mirror, str(fleet.work), "main", FetchLimits(**limits))


def accept(mirrored, accepted=None):
    head = mirrored.fetch()
    mirrored.verify_new(accepted=accepted, head=head, pinned=allowed("alice"), now=at(600))
    return head


def test_mirror_is_private(fleet, mirror):
    source(fleet, mirror).fetch()
    assert stat.S_IMODE(mirror.stat().st_mode) == 0o700


def test_leftovers_of_a_killed_fetch_do_not_stop_the_next(fleet, mirror):
    source(fleet, mirror).fetch()
    tip = fleet.commit("alice")
    (mirror / "refs/incoming/main.lock").touch()
    (mirror / "config.lock").touch()
    (mirror / "objects/pack/pack_Ab3x9Z").write_bytes(b"PACK half")
    assert source(fleet, mirror).fetch() == tip
    assert not list(mirror.rglob("*.lock"))
    assert not list(mirror.glob("objects/pack/pack_*"))


def test_deleted_mirror_is_cloned_again(fleet, mirror):
    mirrored = source(fleet, mirror)
    accepted = accept(mirrored)
    shutil.rmtree(mirror)
    tip = fleet.commit("alice")
    assert accept(mirrored, accepted) == tip


def test_half_made_mirror_is_replaced(fleet, mirror):
    mirrored = source(fleet, mirror)
    mirror.mkdir(parents=True)
    (mirror / "HEAD").write_text("garbage")
    assert mirrored.fetch() == fleet.head()


def test_mirror_that_lost_its_objects_is_replaced(fleet, mirror):
    mirrored = source(fleet, mirror)
    mirrored.fetch()
    shutil.rmtree(mirror / "objects/pack")
    tip = fleet.commit("alice")
    assert mirrored.fetch() == tip
    assert mirrored.read_files(tip)


def test_crash_between_the_renames_of_a_replacement(fleet, mirror):
    mirrored = source(fleet, mirror)
    accepted = accept(mirrored)
    mirror.rename(mirror.with_name("fleet.git.old"))
    shutil.move(fleet.work, fleet.work.with_name("away"))
    assert mirrored.read_files(accepted)


def test_damaged_object_is_noticed_and_fetched_again(fleet, mirror):
    mirrored = source(fleet, mirror)
    accept(mirrored)
    accepted = fleet.head()
    tip = fleet.commit("alice")
    head = mirrored.fetch()
    for pack in mirror.glob("objects/pack/*.pack"):
        pack.chmod(0o600)
        data = bytearray(pack.read_bytes())
        middle = len(data) // 2
        data[middle : middle + 8] = b"\xff" * 8
        pack.write_bytes(data)
    acceptance = mirrored.verify_new(
        accepted=accepted, head=head, pinned=allowed("alice"), now=at(600)
    )
    assert acceptance.commit == tip
    assert mirrored.read_files(tip)


def test_damage_without_a_server_is_an_error_that_says_so(fleet, mirror):
    mirrored = source(fleet, mirror)
    accepted = accept(mirrored)
    for pack in mirror.glob("objects/pack/*"):
        pack.unlink()
    with pytest.raises(MachineError, match="cannot be read") as caught:
        mirrored.read_files(accepted)
    assert "in reach" in caught.value.hint


def test_many_small_packs_become_one(fleet, mirror):
    mirrored = source(fleet, mirror, packs=3)
    accepted = accept(mirrored)
    for _ in range(5):
        fleet.commit("alice")
        accepted = accept(mirrored, accepted)
    assert len(list(mirror.glob("objects/pack/*.pack"))) <= 4
    assert mirrored.read_files(accepted)


def test_state_directory_that_cannot_be_written(fleet, tmp_path):
    (tmp_path / "state").write_text("a file where a directory should be")
    with pytest.raises(MachineError) as caught:
        source(fleet, tmp_path / "state/fleet.git").fetch()
    assert "state directory" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes to read-only directories")
def test_read_only_state_directory(fleet, mirror):
    mirror.parent.mkdir(mode=0o500)
    with pytest.raises(MachineError, match="cannot write the mirror"):
        source(fleet, mirror).fetch()


def test_nobodys_git_configuration_sends_a_fetch_elsewhere(fleet, mirror, tmp_path):
    with http_server(fleet.work.parent) as address:
        url = f"http://{address}/fleet/.git"
        (tmp_path / ".gitconfig").write_text(f'[url "http://127.0.0.1:1/"]\n\tinsteadOf = {url}\n')
        argv = [sys.executable, "-c", FETCH, str(mirror), url]
        env = {**os.environ, "HOME": str(tmp_path)}
        subprocess.run(argv, cwd=ROOT, env=env, check=True, timeout=60)


def test_killed_daemon_takes_its_fetch_along_and_leaves_a_mirror_that_works(fleet, mirror):
    with http_server(fleet.work.parent, "--misbehave", "stall") as address:
        argv = [sys.executable, "-c", FETCH, str(mirror), f"http://{address}/fleet/.git"]
        daemon = subprocess.Popen(argv, cwd=ROOT)
        try:
            children = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children")
            wait_until(lambda: children.read_text().split() and list(half_packs(mirror)))
            (child,) = children.read_text().split()
        finally:
            daemon.kill()
            daemon.wait()
        wait_until(lambda: not Path(f"/proc/{child}/cmdline").exists() or is_zombie(child))
    assert source(fleet, mirror).fetch() == fleet.head()
    assert not list(half_packs(mirror))


def half_packs(mirror):
    return mirror.glob("objects/pack/pack_*")


def is_zombie(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until(condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until, "waited 20 s in vain"
        time.sleep(0.02)
