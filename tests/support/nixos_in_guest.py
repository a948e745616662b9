"""Runs inside a NixOS guest: one run of the real engine, with less patience, and mortal.

Reads ``{"home", "access", "point", "how"}``. ``access`` changes waits that settings let nobody make
as short as a test needs them. At the hook ``point`` the process is killed (``kill``), or says that
it got there and waits for the power to go (``hang``). Without one it prints the report of the run.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

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


def main(order: dict[str, Any]) -> None:
    """One run."""
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
    print(json.dumps(as_document(report)))


if __name__ == "__main__":
    main(json.load(sys.stdin))
