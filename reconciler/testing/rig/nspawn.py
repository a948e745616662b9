"""The machine below a guest: its disk, its process and its end.

systemd-nspawn boots the image on an overlay whose upper layer is a tmpfs of the guest's own, so a
boot writes nothing to the image. The guest lives in a control group of its own; ending it is one
write to ``cgroup.kill``.
"""

import os
import shutil
import signal
import subprocess  # noqa: TID251 - the rig starts real programs
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from reconciler.testing.rig.cgroup import Cgroup, hierarchies
from reconciler.testing.rig.commands import MINIMAL_ENV, CommandFailed, host
from reconciler.testing.rig.image import PROJECT, Image
from reconciler.testing.rig.leftovers import RIG_ROOT, remove_scratch

_TOOLS = ("mmdebstrap", "systemd-nspawn", "ip", "nsenter", "setpriv", "mount", "ssh", "ssh-keygen")
_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}
_BOOT_DEADLINE_S = 60.0
_END_DEADLINE_S = 10.0
_SOURCE = (
    f"{PROJECT}:/opt/reconciler/src"
    if (PROJECT / "pyproject.toml").is_file()
    # Of an installed package only the package: what else is installed on the host stays there.
    else f"{PROJECT / 'reconciler'}:/opt/reconciler/src/reconciler"
)
_SCRATCH = "size=1G,mode=0755"
RESTARTS = 133
"""How nspawn ends when the machine wants to be started again."""

# The guest's firewall and net.* sysctls are its own: it has its own network namespace.
_ENV = {**MINIMAL_ENV, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network", "SYSTEMD_NSPAWN_LOCK": "0"}


def require_guest() -> str | None:
    """Why this machine cannot boot a guest, or None if it can."""
    if os.geteuid() != 0:
        return "not root"
    missing = [tool for tool in _TOOLS if shutil.which(tool, path=MINIMAL_ENV["PATH"]) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (see ci/packages.txt)"
    status = Path("/proc/self/status").read_text()
    effective = int(status.split("CapEff:")[1].split()[0], 16)
    lacking = [name for name, bit in _CAPABILITIES.items() if not effective >> bit & 1]
    if lacking:
        return f"root without {', '.join(lacking)}"
    if not any((mount / "cgroup.controllers").exists() for mount in hierarchies()):
        return "no cgroup2 file system is mounted"
    return None


class Nspawn:
    """One container with systemd as its PID 1.

    Attributes:
        leader: Process id, on the host, of the guest's PID 1; 0 while it is off.
        share: Directory on the host that the guest sees as ``/share``.
        upper: Directory on the host with all that differs from the image.
    """

    def __init__(self, ident: str, image: Image, netns: str) -> None:
        """Mount the disk; `close` undoes it.

        Args:
            ident: Unique on this host; names the machine, its group and its mounts.
            image: What it boots from.
            netns: Name of the network namespace it boots in.
        """
        self._ident = ident
        self._image = image
        self._netns = netns
        self._cgroup = Cgroup(ident)
        self._process: subprocess.Popen[bytes] | None = None
        self.leader = 0
        self.directory = RIG_ROOT / ident
        self.share = self.directory / "share"
        self.upper = self.directory / "upper"
        with ExitStack() as undo:
            undo.callback(self.close)
            self._mount()
            undo.pop_all()

    def start(self) -> None:
        """Boot, and return when PID 1 and the system bus take requests.

        Raises:
            CommandFailed: They did not within a minute; the message ends with the console.
        """
        self._cgroup.create()
        with (self.directory / "console.log").open("ab") as console:
            self._process = subprocess.Popen(  # noqa: S603 - argument lists, no shell
                self._argv(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=_ENV,
                preexec_fn=self._cgroup.join,
            )
        self.leader = self._wait_for_leader(self._process)

    def stop(self) -> None:
        """End it as a pulled plug does: nothing is flushed, nobody is told."""
        if self.leader:
            with suppress(ProcessLookupError):
                os.kill(self.leader, signal.SIGKILL)
            self.wait(_END_DEADLINE_S)
        self._cgroup.destroy()
        if self._process is not None:
            self._process.wait(_END_DEADLINE_S)
        self._process, self.leader = None, 0

    def wait(self, timeout: float) -> int | None:
        """Wait until the machine has gone off.

        Returns:
            How nspawn ended, `RESTARTS` when the machine restarts; None if it still runs after
            `timeout` seconds.
        """
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(timeout)
        return None

    def close(self) -> None:
        """End it and remove its disk; may be called again."""
        self.stop()
        if self.directory.exists():
            remove_scratch(self.directory)

    def _mount(self) -> None:
        self.directory.mkdir(parents=True)
        host("mount", "-t", "tmpfs", "-o", _SCRATCH, self._ident, str(self.directory))
        work, root = self.directory / "work", self.directory / "root"
        for directory in (work, root, self.share, self.upper):
            directory.mkdir()
        layers = ":".join(str(layer) for layer in self._image.layers)
        overlay = f"lowerdir={layers},upperdir={self.upper},workdir={work}"
        host("mount", "-t", "overlay", "-o", overlay, self._ident, str(root))
        for number, (seed, _) in enumerate(self._image.fittings.disks):
            host("cp", "--archive", str(seed), str(self.disk(number)))

    def disk(self, number: int) -> Path:
        """Where one of the image's ``fittings.disks`` of this guest lies on the host."""
        return self.directory / f"disk{number}"

    def _argv(self) -> list[str]:
        fittings = self._image.fittings
        disks = enumerate(at for _, at in fittings.disks)
        # If the test process is killed, nspawn gets SIGTERM and halts the guest.
        return [
            *("setpriv", "--pdeathsig", "TERM", "systemd-nspawn"),
            *("--quiet", "--settings=no", "--register=no", "--keep-unit"),
            *("--console=pipe", "--resolv-conf=off", "--timezone=off", "--link-journal=no"),
            f"--machine={self._ident}",
            f"--directory={self.directory / 'root'}",
            f"--network-namespace-path=/run/netns/{self._netns}",
            "--capability=CAP_NET_ADMIN",
            f"--bind={self.share}:/share",
            f"--bind-ro={_SOURCE}",
            f"--bind-ro={self._image.site_packages}:/opt/reconciler/site-packages",
            *(f"--bind-ro={where}:{seen}" for where, seen in fittings.read_only),
            *(f"--bind={self.disk(number)}:{at}" for number, at in disks),
            *(("--kill-signal=SIGRTMIN+3", fittings.init) if fittings.init else ("--boot",)),
        ]

    def _wait_for_leader(self, nspawn: subprocess.Popen[bytes]) -> int:
        deadline = time.monotonic() + _BOOT_DEADLINE_S
        while nspawn.poll() is None and time.monotonic() < deadline:
            for child in _children(nspawn.pid):
                if Path(f"/proc/{child}/root/run/dbus/system_bus_socket").exists():
                    return child
            time.sleep(0.01)
        console = (self.directory / "console.log").read_text(errors="replace")[-3000:]
        ended = "did not boot in time" if nspawn.poll() is None else "ended while booting"
        raise CommandFailed(f"guest {ended}; its console:\n{console}")


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(c) for task in tasks for c in (task / "children").read_text().split()]
    return []
