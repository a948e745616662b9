"""A drill whose rule about services has no remedy, and an endpoint that may choose one.

Two approved runbooks fix the check: the shipped one restarts the service, the other one does
nothing of use and claims it would. A third is not approved, a fourth is denied by the client.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.desired.approve import pin_runbooks
from reconciler.desired.layout import APPROVED
from reconciler.testing.fake_llm import FakeLLM
from tests.support.drill import CLIENT_FILE, SERVICE, Drill, break_service, new_drill

GOOD, USELESS = "RB-SERVICE-001", "RB-WAIT-001"
UNAPPROVED, DENIED = "RB-STOP-001", "RB-MOVE-001"
KEY = "sk-geheim-0123456789"
MODEL = "fake-1"
CONSENT = "advice: {consent: true, business_associate_agreement: true}\n"
PRICES = """\
  prompt_microusd_per_million_tokens: 150000
  completion_microusd_per_million_tokens: 600000
"""
_OTHER = """\
id: %s
title: Look at a service
version: 1
platforms: [linux]
fixes: [LNX-AVL-002]
controls: ["hipaa:164.312(b)"]
mode: auto
risk: low
parameters:
  unit: {type: str, doc: The service., pattern: "[A-Za-z0-9:_.@-]{1,240}[.]service"}
steps:
  - {id: forget, use: unit.reset_failed, with: {unit: "{unit}"}}
settle_s: 0
blast_radius: Nothing.
"""


def new_advised(
    directory: Path, base_url: str, *, guards: str = "", consent: str = CONSENT
) -> Drill:
    """A clean machine; nothing was run yet."""
    drill = new_drill(directory)
    fleet = drill.site.fleet
    rule = fleet / "policies/rules/units-running.yaml"
    before, after = rule.read_text().split("remedy:", 1)
    rule.write_text(before + "note:" + after.split("note:", 1)[1])
    for runbook in (USELESS, UNAPPROVED, DENIED):
        (fleet / f"runbooks/{runbook}.yaml").write_text(_OTHER % runbook)
    approved = fleet / APPROVED
    pins = "".join(f"  {runbook}: sha256:{'0' * 64}\n" for runbook in (USELESS, DENIED))
    approved.write_text(approved.read_text() + pins)
    pin_runbooks(fleet)
    client = fleet / CLIENT_FILE
    text = client.read_text().replace("tier: professional", "tier: enterprise")
    client.write_text(f"{text}{consent}denied_runbooks: [{DENIED}]\n")
    if guards:
        (fleet / "policies/guards.yaml").write_text(guards)
    drill.site.commit("Ask for advice", at=drill.clock.at)
    settings = Path(drill.site.settings)
    (drill.site.directory / "llm.key").write_text(f"{KEY}\n")
    (drill.site.directory / "llm.key").chmod(0o600)
    advise = f"advise:\n  kind: compatible\n  base_url: {base_url}\n  model: {MODEL}\n"
    settings.write_text(f"{settings.read_text()}{advise}  key: llm.key\n{PRICES}")
    return drill


def broken(drill: Drill) -> Drill:
    """The same with the service down."""
    break_service(drill.machine)
    return drill


def offered(llm: FakeLLM) -> Mapping[str, str]:
    """Ids of the candidates of the newest question, by runbook."""
    return {one["runbook"]: one["id"] for one in llm.requests[-1].data["candidates"]}


def by_runbook(runbook: str) -> Any:
    """A pick for `reconciler.testing.fake_llm.well`."""
    return lambda data: next(c["id"] for c in data["candidates"] if c["runbook"] == runbook)


def incident_state(report: Any) -> str | None:
    """State of the service's open incident, with the reason; None if there is none."""
    found = [one for one in report.incidents if one.rule == SERVICE]
    return f"{found[0].state} {found[0].reason}" if found else None
