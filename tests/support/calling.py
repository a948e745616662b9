"""A drill that calls people: channels in its settings, and faults that software may not fix."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.desired.approve import pin_runbooks
from tests.support.drill import CLIENT_FILE, SYSCTL, Drill

RUNBOOK = "runbooks/RB-SYSCTL-001.yaml"


def add_channels(drill: Drill, text: str) -> None:
    """Put ``notify:`` into the settings, under which there is nothing yet."""
    settings = Path(drill.site.settings)
    settings.write_text(f"{settings.read_text()}notify:\n{text}")


def shelf(drill: Drill, name: str = "shelf") -> Path:
    """A channel that puts tickets into a directory."""
    directory = drill.site.directory / name
    directory.mkdir()
    add_channels(drill, f"  {name}: {{kind: file, directory: {directory}}}\n")
    return directory


def webhook(drill: Drill, url: str, name: str = "desk") -> None:
    """A channel that posts to an address."""
    secret = drill.site.directory / "webhook-secret"
    secret.write_text("webhook-secret\n")
    secret.chmod(0o600)
    line = f"{{kind: webhook, url: '{url}', secret: {secret}, timeout_s: 2}}"
    add_channels(drill, f"  {name}: {line}\n")


def ask_a_person_first(drill: Drill) -> None:
    """The runbook of the kernel parameter waits for an approval."""
    fleet = drill.site.fleet
    text = (fleet / RUNBOOK).read_text()
    (fleet / RUNBOOK).write_text(text.replace("mode: auto", "mode: approve"))
    pin_runbooks(fleet)
    drill.site.commit("Ask a person first", at=drill.clock.at)


def forbid(drill: Drill) -> None:
    """The client denies the runbook, so nothing but a person can put it right."""
    drill.edit(CLIENT_FILE, lambda text: f"{text}denied_runbooks: [RB-SYSCTL-001]\n")


def documents(directory: Path) -> list[Mapping[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(directory.glob("*.json"))]


def tickets(drill: Drill, rule: str = SYSCTL) -> list[tuple[str, str | None]]:
    """Phase and channel of every ticket entry about a rule, or about what was sent."""
    said = drill.bodies("ticket")
    return [(body["phase"], body["channel"]) for body in said if body.get("rule", rule) == rule]
