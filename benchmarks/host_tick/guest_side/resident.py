"""Runs inside the guest: this project as a library, resident; one connection, one tick.

``resident.py SETTINGS SOCKET look`` pulls and loads the desired state once, and then only observes
and judges. ``run`` does what the daemon does at each interval: pull, verify, load, observe, judge,
plan, and append a signed entry.
"""

import argparse
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from reconciler import load_settings, open_appliance, reconcile
from reconciler.engine.appliance import Appliance
from reconciler.engine.introspect import Introspection
from reconciler.engine.look import Eye
from reconciler.engine.trusted.intent import pull
from reconciler.engine.upkeep.checkpoints import gather_facts
from reconciler.model.finding import Finding

Tick = Callable[[], list[Finding]]


def looker(appliance: Appliance) -> Tick:
    """Observe and judge, with the desired state that is loaded here once."""
    intent = pull(appliance, gather_facts(appliance))
    desired = intent.desired
    if desired is None:
        raise SystemExit(f"no desired state: {intent.status}")

    def tick() -> list[Finding]:
        now = datetime.now(UTC)
        known = Introspection(
            watch=appliance.watch,
            open_intents=0,
            newest_at=appliance.ledger.tip.time,
            status=intent.status,
            now=lambda: now,
            reached_at=now,
            target=desired.target,
            root=True,
        )
        eye = Eye(
            desired=desired,
            checks=appliance.checks,
            target=appliance.make_target(desired.host.root, known),
            deadline_s=20.0,
            salt=bytes(32),
            today=now.date(),
        )
        return list(eye.look(desired.rules).values())

    return tick


def runner(appliance: Appliance) -> Tick:
    """What the daemon does at each interval."""
    return lambda: list(reconcile(appliance).findings)


def serve(address: str, tick: Tick) -> None:
    """Answer every connection with the findings of a new tick."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        while True:
            connection, _ = server.accept()
            with connection:
                found = [{"rule": f.rule, "status": f.status} for f in tick()]
                connection.sendall(json.dumps({"findings": found}).encode())


def main() -> None:
    """Open the appliance and serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("settings", type=Path)
    parser.add_argument("socket")
    parser.add_argument("what", choices=["look", "run"])
    given = parser.parse_args()
    with open_appliance(load_settings(given.settings)) as appliance:
        serve(given.socket, looker(appliance) if given.what == "look" else runner(appliance))


if __name__ == "__main__":
    main()
