"""Runs inside a NixOS guest: runs of the real engine, with less patience, and mortal.

Loads what a run needs once, then forks one for each order that comes over a socket in the share:
a line of ``{"home", "access", "point", "how"}``. ``access`` changes waits that settings let nobody
make as short as a test needs them. At the hook ``point`` the process is killed (``kill``), or says
that it got there and waits for the power to go (``hang``). Without one it answers with the report.
"""

import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from reconciler.engine.appliance import _system_access, open_appliance
from reconciler.engine.run import reconcile
from reconciler.engine.session import Options
from reconciler.engine.settings import load_settings
from reconciler.model.answer import Answer
from reconciler.ports import Target
from reconciler.report.run import as_document
from reconciler.targets.linux.nixos import switching
from reconciler.targets.linux.target import LinuxTarget

REACHED = "/share/reached"


def ends_at(point: str | None, how: str) -> Callable[[str], None]:
    """A hook that ends this process, or holds it, at a point."""

    def hook(where: str) -> None:
        if where != point:
            return
        Path(REACHED).touch()
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(600)

    return hook


def run(order: dict[str, Any]) -> dict[str, Any]:
    """One run; its report."""
    if order["how"] == "hang":
        # A machine that goes down must not end it before the power is gone.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    home = load_settings(Path(order["home"]) / "reconciler.yaml")
    access = _system_access(home)
    assert access is not None
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in order["access"].items()}
    patience = replace(access, **given)
    # A switch must end this many seconds before the way back is gone.
    switching._MARGIN_S = 1

    def make_target(root: str, internal: Callable[[str], Answer]) -> Target:
        return LinuxTarget(root=root, internal=internal, system=patience)

    options = Options(hook=ends_at(order["point"], order["how"]))
    with open_appliance(home, make_target=make_target) as appliance:
        report = reconcile(appliance, options)
    return dict(as_document(report))


def answer(connection: socket.socket) -> NoReturn:
    """Carry one order out, say what came of it if somebody listens, and end this process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        with connection.makefile("rw") as stream:
            try:
                said = json.dumps(run(json.loads(stream.readline())))
            except Exception:  # noqa: BLE001 - whoever ordered the run raises it
                said = traceback.format_exc()
            stream.write(said)
    finally:
        os._exit(0)


def main(path: str) -> None:
    """Take orders for ever; nobody waits for what they leave."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    Path(path).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        while True:
            connection, _ = server.accept()
            with connection:
                if os.fork() == 0:
                    answer(connection)


if __name__ == "__main__":
    main(sys.argv[1])
