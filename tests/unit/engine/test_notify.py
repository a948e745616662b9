import os
import socket
from pathlib import Path

from reconciler.engine.notify import Notifier


def test_messages_reach_the_manager_as_systemd_reads_them(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        notifier = Notifier(address)
        notifier.ready()
        notifier.alive()
        notifier.alive("12 rules: 12 pass")
        notifier.stopping()

        seen = [manager.recv(4096) for _ in range(4)]

    assert seen == [
        b"READY=1",
        b"WATCHDOG=1",
        b"WATCHDOG=1\nSTATUS=12 rules: 12 pass",
        b"STOPPING=1",
    ]


def test_an_abstract_socket_works_too() -> None:
    name = f"reconciler-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name)
        Notifier("@" + name).ready()

        assert manager.recv(64) == b"READY=1"


def test_without_a_manager_it_is_silent(tmp_path: Path) -> None:
    Notifier(None).ready()
    Notifier("").alive("x")
    Notifier(str(tmp_path / "nobody")).stopping()
