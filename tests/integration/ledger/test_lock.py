import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.errors import Busy, MachineError
from reconciler.ledger.lock import HostLock

pytestmark = pytest.mark.integration

HOLD = """
import sys, time
from pathlib import Path
from reconciler.ledger.lock import HostLock
with HostLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(path: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", HOLD, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    process = holder(tmp_path / "lock")
    try:
        with pytest.raises(Busy, match=f"held by process {process.pid}$"):
            HostLock(tmp_path / "lock").acquire()
    finally:
        process.kill()
        process.communicate()


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    process = holder(tmp_path / "lock")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with HostLock(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text().strip() == str(os.getpid())


def test_it_can_be_taken_again_after_release(tmp_path: Path) -> None:
    lock = HostLock(tmp_path / "lock")
    with lock, pytest.raises(Busy):
        HostLock(tmp_path / "lock").acquire()
    with lock:
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    lock.release()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MachineError, match="lock"):
        HostLock(tmp_path / "lock").acquire()
    assert not (tmp_path / "elsewhere").exists()


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="nowhere"):
        HostLock(tmp_path / "nowhere" / "lock").acquire()
