"""A real systemd machine to break and heal: a Debian clinic appliance, fresh in under a second.

A command never runs by entering the guest's namespaces; the guest's own PID 1 starts it. The clock
is not namespaced, and a root process that merely entered would still be allowed to set it; what
PID 1 starts has the guest's capabilities, which do not include that.
"""

import itertools
import shlex
import subprocess  # noqa: TID251 - the rig starts real programs
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from reconciler.testing.rig.commands import MINIMAL_ENV, CommandFailed, call, describe
from reconciler.testing.rig.image import Image
from reconciler.testing.rig.lan import PREFIX, Lan
from reconciler.testing.rig.nspawn import Nspawn, require_guest

__all__ = ["ADDRESS", "ADMIN", "Guest", "first_booted", "require_guest"]

ADDRESS = "192.0.2.20"
ADMIN = "clinicadmin"

_COMMAND_ENV = {"HOME": "/root", "LANG": "C.UTF-8"}
_SSH_OPTIONS = (
    "BatchMode=yes",
    "ConnectTimeout=5",
    "IdentitiesOnly=yes",
    "LogLevel=ERROR",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
)
_numbers = itertools.count(1)


class Guest:
    """One machine. A context manager; `kill` removes every trace of it from the host.

    Attributes:
        share: Directory on the host that the guest sees as ``/share``.
        upper: Directory on the host with all that differs from the image; only look at it.
        lan: The network it is plugged into.
        address: Its IPv4 address on that network.
    """

    def __init__(self, image: Image, name: str, lan: Lan | None, address: str) -> None:
        """Make it, switched off. Use `boot`."""
        self._image = image
        self.address = address
        label = f"{name}{next(_numbers)}"
        with ExitStack() as undo:
            self.lan = lan or undo.enter_context(Lan())
            netns = self.lan.plug(label, address)
            undo.callback(self.lan.unplug, netns)
            self._machine = Nspawn(PREFIX + label, image, netns)
            undo.callback(self._machine.close)
            self._undo = undo.pop_all()
        self.share = self._machine.share
        self.upper = self._machine.upper

    @classmethod
    def boot(
        cls, image: Image, name: str = "guest", *, lan: Lan | None = None, address: str = ADDRESS
    ) -> "Guest":
        """Boot a pristine guest and wait until systemd says ``running``.

        Boot from the test's main thread: the guest is told to halt when that thread ends.

        Args:
            image: From `reconciler.testing.rig.image.build_image`.
            name: Lower-case letters and dashes; need not be unique.
            lan: A network shared with other guests; by default it gets one of its own.
            address: In 192.0.2.0/24, from .20 up.

        Raises:
            CommandFailed: It did not come up, or came up degraded; the message says what failed.
        """
        guest = cls(image, name, lan, address)
        with ExitStack() as undo:
            undo.callback(guest.kill)
            guest.power_on()
            undo.pop_all()
        return guest

    def run(
        self,
        *argv: str,
        check: bool = True,
        input: str | bytes = b"",
        timeout: float = 60,
        env: Mapping[str, str] = _COMMAND_ENV,
        user: str = "root",
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the guest, as a transient unit of its PID 1.

        Args:
            argv: Program and arguments; no shell is in between.
            check: Raise when it returns non-zero.
            input: Its standard input.
            timeout: Seconds; the guest kills it after that.
            env: Its environment, beside the ``PATH`` that systemd sets.
            user: Whom to run it as.

        Raises:
            CommandFailed: It returned non-zero and `check` is set, or it ran too long.
        """
        done = self._spawn(argv, input=input, timeout=timeout, env=env, user=user)
        if check and done.returncode != 0:
            raise CommandFailed(f"in the guest: {describe(argv, done)}")
        out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(argv, done.returncode, out, err)

    def until(self, *argv: str, timeout: float = 20) -> None:
        """Run a command again and again until it returns zero.

        Raises:
            CommandFailed: It never did; the message is that of the last try.
        """
        deadline = time.monotonic() + timeout
        while self.run(*argv, check=time.monotonic() > deadline).returncode != 0:
            time.sleep(0.05)

    def wait_for_clock(self) -> None:
        """Wait until chrony reaches all its sources and finds the clock within 0.1 s of them.

        Raises:
            CommandFailed: It did not in 20 s.
        """
        self.run("chronyc", "waitsync", "200", "0.1", "0", "0.1", timeout=30)
        reached = "! chronyc -c sources | cut -d, -f6 | grep -qx 0"
        self.until("sh", "-c", reached)

    def read(self, path: str) -> str:
        """The text of a file in the guest."""
        return self.read_bytes(path).decode()

    def read_bytes(self, path: str) -> bytes:
        """The content of a file in the guest."""
        argv = ("cat", "--", path)
        done = self._spawn(argv, input=b"", timeout=60, env=_COMMAND_ENV, user="root")
        if done.returncode != 0:
            raise CommandFailed(f"in the guest: {describe(argv, done)}")
        return done.stdout

    def write(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Replace a file in the guest, owned by root; missing directories are made."""
        self.run("install", "-D", "-m", f"{mode:o}", "/dev/stdin", path, input=content)

    def ssh(self, *argv: str, timeout: float = 30) -> str:
        """Log in over the network as the clinic's administrator and run a command.

        Raises:
            CommandFailed: The log-in was refused, or the command returned non-zero.
        """
        flags = [word for option in _SSH_OPTIONS for word in ("-o", option)]
        login = ("ssh", "-F", "none", "-i", str(self._image.admin_key), *flags)
        return self.lan.call(*login, f"{ADMIN}@{self.address}", shlex.join(argv), timeout=timeout)

    def power_on(self) -> None:
        """Boot on the disk as it is now, and wait until systemd says ``running``.

        Raises:
            CommandFailed: See `boot`.
        """
        self._machine.start()
        state = self.run("systemctl", "is-system-running", "--wait", check=False)
        if state.stdout.strip() != "running":
            failed = self.run("systemctl", "--failed", "--no-pager", check=False).stdout
            raise CommandFailed(f"the guest is {state.stdout}{state.stderr}\n{failed}")

    def cut_power(self) -> None:
        """End it as a pulled plug does; the disk stays for `power_on`."""
        self._machine.stop()

    def halt(self) -> None:
        """Shut it down politely (1-2 s); the disk stays."""
        self.run("systemctl", "--no-block", "poweroff")
        self._machine.wait(60)
        self._machine.stop()

    def kill(self) -> None:
        """Cut the power and remove every trace of it from the host; may be called again."""
        self._undo.close()

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def _spawn(
        self,
        argv: tuple[str, ...],
        *,
        input: str | bytes,
        timeout: float,
        env: Mapping[str, str],
        user: str,
    ) -> subprocess.CompletedProcess[bytes]:
        leader = self._machine.leader
        if not leader:
            raise CommandFailed("the guest is switched off")
        enter = ("nsenter", f"--target={leader}", "--all", "--root", "--wd")
        ask = ("systemd-run", "--quiet", "--pipe", "--wait", "--collect", f"--uid={user}")
        limit = f"--property=RuntimeMaxSec={timeout}"
        variables = [f"--setenv={name}={value}" for name, value in env.items()]
        started = time.monotonic()
        done = call(
            (*enter, *ask, limit, *variables, "--", *argv),
            input=input.encode() if isinstance(input, str) else input,
            timeout=timeout + 10,
            env=MINIMAL_ENV,
        )
        if done.returncode != 0 and time.monotonic() - started >= timeout:
            raise CommandFailed(f"in the guest: still running after {timeout} s: {argv}")
        return done


@contextmanager
def first_booted(image: Image) -> Iterator[Image]:
    """The image after its first boot: keys, certificate and a fresh backup are made.

    What it made lives as long as the context; guests booted from it come up in half a second
    instead of four.
    """
    with Guest.boot(image, "first-boot") as guest:
        guest.halt()
        yield image.with_layer(guest.upper)
