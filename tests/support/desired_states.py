"""Small desired states for tests: complete documents, with only what a test is about changed."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from reconciler.model.client import Client
from reconciler.model.desired import BoundRemedy, BoundRule, DesiredState, PinnedRunbook
from reconciler.model.expectation import Expectation
from reconciler.model.finding import Finding, Status
from reconciler.model.host import Host
from reconciler.model.plan import Action
from reconciler.model.runbook import Runbook
from reconciler.model.values import Value

ROOT = Path(__file__).resolve().parents[2]
TARGET = "clinic/frontdesk"
CONTROL = "hipaa:164.312(b)"


def frozen(value: Any) -> Any:
    """Plain YAML values as the fleet reader gives them: lists are tuples."""
    if isinstance(value, dict):
        return {key: frozen(item) for key, item in value.items()}
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value


@cache
def shipped_runbook(runbook_id: str) -> Runbook:
    text = (ROOT / "runbooks" / f"{runbook_id}.yaml").read_text()
    return Runbook.model_validate(frozen(yaml.safe_load(text)))


def shipped_runbook_ids() -> list[str]:
    return sorted(path.stem for path in (ROOT / "runbooks").glob("RB-*.yaml"))


def make_client(**changes: Any) -> Client:
    document = {
        "id": "clinic",
        "name": "Clinic",
        "tier": "professional",
        "time_zone": "America/New_York",
        "frameworks": ["hipaa"],
        "mode": "enforce",
        "contacts": [{"role": "on call", "name": "Desk", "reach": "desk@example.org"}],
    }
    return Client.model_validate(frozen(document | changes))


def make_host(**changes: Any) -> Host:
    document = {"id": "frontdesk", "kind": "linux", "mode": "enforce", "policies": ["baseline"]}
    return Host.model_validate(frozen(document | changes))


def make_rule(rule_id: str = "time", **changes: Any) -> BoundRule:
    fields: dict[str, Any] = {
        "id": rule_id,
        "rule": rule_id.partition("[")[0],
        "title": rule_id,
        "check": "LNX-TIME-001",
        "params": {},
        "expect": {"active": Expectation("equals", True)},
        "severity": "medium",
        "controls": (CONTROL,),
        "enforce": True,
        "remedy": BoundRemedy(runbook="RB-TIME-001", params={}),
    }
    return BoundRule(**(fields | changes))


def make_runbook(runbook_id: str = "RB-TIME-001", **changes: Any) -> Runbook:
    document = {
        "id": runbook_id,
        "title": "Start it",
        "version": 1,
        "platforms": ["linux"],
        "fixes": ["LNX-TIME-001"],
        "controls": [CONTROL],
        "mode": "auto",
        "risk": "low",
        "parameters": {
            "unit": {"type": "str", "doc": "x", "required": False, "default": "chrony.service"}
        },
        "steps": [{"id": "start", "use": "unit.start", "with": {"unit": "{unit}"}}],
        "settle_s": 10,
        "blast_radius": "One unit",
    }
    return Runbook.model_validate(frozen(document | changes))


def pin(runbook: Runbook, *, approved: bool = True, digest: str = "a" * 64) -> PinnedRunbook:
    return PinnedRunbook(runbook, digest, approved)


def make_desired(
    rules: Sequence[BoundRule] | None = None,
    runbooks: Sequence[PinnedRunbook] | None = None,
    **changes: Any,
) -> DesiredState:
    pinned = [pin(make_runbook())] if runbooks is None else runbooks
    fields: dict[str, Any] = {
        "commit": "c" * 40,
        "tree": "d" * 40,
        "digest": "e" * 64,
        "client": make_client(),
        "host": make_host(),
        "rules": tuple([make_rule()] if rules is None else rules),
        "runbooks": {each.runbook.id: each for each in pinned},
        "controls": {},
        "exceptions": (),
        "features": frozenset({"observe", "heal"}),
    }
    return DesiredState(**(fields | changes))


def make_finding(rule: str = "time", status: Status = "fail", **changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "rule": rule,
        "check": "LNX-TIME-001",
        "target": TARGET,
        "status": status,
        "severity": "medium",
        "controls": (CONTROL,),
    }
    return Finding(**(fields | changes))


def make_action(
    rules: Sequence[str] = ("time",),
    runbook: str = "RB-TIME-001",
    params: Mapping[str, Value] | None = None,
    **changes: Any,
) -> Action:
    fields: dict[str, Any] = {
        "id": "f" * 64,
        "target": TARGET,
        "tier": "L1",
        "rules": tuple(rules),
        "runbook": runbook,
        "runbook_digest": "a" * 64,
        "params": {"unit": "chrony.service"} if params is None else params,
    }
    return Action(**(fields | changes))
