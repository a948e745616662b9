"""A control group for one guest, so that its units and those of another guest never meet.

systemd-nspawn with ``--keep-unit`` puts the guest below the group that it was started in. Left in
the root group, two guests would share ``/system.slice/ssh.service``.
"""

import os
import time
from pathlib import Path

_DEADLINE_S = 5.0


def hierarchies() -> list[Path]:
    """Mount points where systemd keeps units: cgroup2, and ``name=systemd`` on a hybrid host."""
    found = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount, kind, options, *_ = line.split()
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            found.append(Path(mount))
    return found


class Cgroup:
    """A group of this name in every hierarchy that systemd uses."""

    def __init__(self, name: str) -> None:
        self.paths = [mount / name for mount in hierarchies()]

    def create(self) -> None:
        """Make it, empty."""
        for path in self.paths:
            path.mkdir()

    def join(self) -> None:
        """Move the calling process in; for a child between fork and exec."""
        for path in self.paths:
            (path / "cgroup.procs").write_text(str(os.getpid()))

    def destroy(self) -> None:
        """Kill whatever runs in it (``cgroup.kill``, Linux 5.14) and remove it.

        Raises:
            TimeoutError: Something in it could not be killed in 5 s.
        """
        for kill in (path / "cgroup.kill" for path in self.paths):
            if kill.exists():  # cgroup2 only; every process is in that hierarchy too
                kill.write_text("1")
        deadline = time.monotonic() + _DEADLINE_S
        for path in self.paths:
            while path.exists() and not _removed(path):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{path}: processes in it do not die")
                time.sleep(0.01)


def _removed(path: Path) -> bool:
    try:
        for directory, _, _ in os.walk(path, topdown=False):
            Path(directory).rmdir()
    except OSError:
        return False
    return True
