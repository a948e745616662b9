"""sd_notify(3): readiness, status and watchdog, over the datagram socket systemd names."""

import socket

PATIENCE_S = 1.0
"""A manager whose queue is full must not hold up the run."""


class Notifier:
    """Talks to the service manager; silent when there is none.

    Args:
        address: Value of ``NOTIFY_SOCKET``: a path, or ``@name`` for an abstract socket; empty or
            ``None`` when not started by systemd.
    """

    def __init__(self, address: str | None) -> None:
        self._address = None
        if address and address[0] in "/@":
            self._address = "\0" + address[1:] if address[0] == "@" else address

    def ready(self) -> None:
        """The first run is about to start; settings, key and ledger are fine."""
        self._send("READY=1")

    def alive(self, status: str | None = None) -> None:
        """Feed the watchdog, and say what is going on."""
        self._send("WATCHDOG=1" if status is None else f"WATCHDOG=1\nSTATUS={status}")

    def stopping(self) -> None:
        """The loop is ending in order."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.settimeout(PATIENCE_S)
            try:
                channel.sendto(message.encode(), self._address)
            except OSError:
                # The manager went away or does not read; the run matters more, and its watchdog
                # will decide.
                return
