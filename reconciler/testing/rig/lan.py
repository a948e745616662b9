"""A clinic's network: a bridge in a network namespace of its own, with three time servers on it.

Nothing is made in the host's own namespace, so no route, address or firewall rule of the machine
that runs the tests is touched. Addresses are TEST-NET-1 (RFC 5737).
"""

import itertools
import os
import subprocess  # noqa: TID251 - the rig starts real programs
import sys
from contextlib import ExitStack
from pathlib import Path

from reconciler.testing.rig.commands import MINIMAL_ENV, CommandFailed, host

PREFIX = f"reconciler-{os.getpid()}-"
"""Names everything that this process made; see `reconciler.testing.rig.leftovers`."""

TIME_SERVERS = ("192.0.2.11", "192.0.2.12", "192.0.2.13")
_NTP_SERVER = Path(__file__).with_name("ntp_server.py")
_numbers = itertools.count(1)


def ip(*lines: str, netns: str | None = None) -> None:
    """Run lines of `ip` commands as one batch, in `netns` if given.

    Raises:
        CommandFailed: One of them was refused.
    """
    inside = () if netns is None else ("-netns", netns)
    host("ip", *inside, "-batch", "-", input="\n".join(lines).encode())


class Lan:
    """A network that guests are plugged into. A context manager; `close` removes all of it."""

    def __init__(self) -> None:
        self.netns = f"{PREFIX}lan{next(_numbers)}"
        self._ports = itertools.count(1)
        self._clock: subprocess.Popen[bytes] | None = None
        with ExitStack() as undo:
            ip(f"netns add {self.netns}")
            undo.callback(self.close)
            ip(
                "link set lo up",
                "link add br0 type bridge",
                *(f"addr add {a}/24 dev br0" for a in ("192.0.2.1", *TIME_SERVERS)),
                "link set br0 up",
                netns=self.netns,
            )
            self.set_time_servers(offset=0)
            undo.pop_all()

    def plug(self, name: str, address: str) -> str:
        """Make a network namespace with one interface, eth0, on this network.

        Args:
            name: Unique within this process.
            address: IPv4 address in 192.0.2.0/24.

        Returns:
            The namespace's name; its path is ``/run/netns/<name>``.
        """
        netns = f"{PREFIX}{name}"
        ip(f"netns add {netns}")
        try:
            port = f"port{next(self._ports)}"
            ip(f"link add eth0 type veth peer name {port} netns {self.netns}", netns=netns)
            ip(f"link set {port} master br0 up", netns=self.netns)
            ip(
                "link set lo up",
                f"addr add {address}/24 dev eth0",
                "link set eth0 up",
                "route add default via 192.0.2.1",
                netns=netns,
            )
        except CommandFailed:
            self.unplug(netns)
            raise
        return netns

    def unplug(self, netns: str) -> None:
        """Remove a namespace that `plug` made; its interface goes with it."""
        ip(f"netns delete {netns}")

    def call(self, *argv: str, timeout: float = 30) -> str:
        """Run a program of the host as a machine on this network, for example ``ssh``.

        Raises:
            CommandFailed: See `reconciler.testing.rig.commands.host`.
        """
        return host(*self._inside(*argv), timeout=timeout)

    def set_time_servers(self, *, offset: float) -> None:
        """Let all three time servers be `offset` seconds ahead of the true time."""
        self._stop_clock()
        argv = (sys.executable, "-I", str(_NTP_SERVER), str(offset), *TIME_SERVERS)
        self._clock = subprocess.Popen(  # noqa: S603 - argument lists, no shell
            self._inside("setpriv", "--pdeathsig", "KILL", *argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=MINIMAL_ENV,
        )

    def close(self) -> None:
        """Stop the time servers and remove the network."""
        self._stop_clock()
        ip(f"netns delete {self.netns}")

    def __enter__(self) -> "Lan":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _inside(self, *argv: str) -> tuple[str, ...]:
        return ("nsenter", f"--net=/run/netns/{self.netns}", *argv)

    def _stop_clock(self) -> None:
        if self._clock is None:
            return
        with self._clock as clock:
            clock.kill()
        self._clock = None
