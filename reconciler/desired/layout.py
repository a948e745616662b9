"""Where the files of a fleet repository are: from a path to the kind of document, and back."""

import re
from dataclasses import dataclass
from typing import Literal

from reconciler.model.acknowledgement import Acknowledgement
from reconciler.model.approval import Approval
from reconciler.model.approved import Approved
from reconciler.model.baseline import Baseline
from reconciler.model.client import Client, KillSwitch
from reconciler.model.document import Document
from reconciler.model.exemption import PolicyException
from reconciler.model.fleet_wide import FleetBreakers, Rollout
from reconciler.model.framework import Framework
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.healing_rule import HealingRule
from reconciler.model.host import Host
from reconciler.model.rings import Promotions, Rings
from reconciler.model.rule import Rule
from reconciler.model.runbook import Runbook
from reconciler.model.tier import Tier
from reconciler.model.vulnerabilities import Vulnerabilities

Kind = Literal[
    "acknowledgement",
    "approval",
    "approved",
    "baseline",
    "breakers",
    "client",
    "exception",
    "framework",
    "guards",
    "healing",
    "host",
    "kill switch",
    "promotions",
    "rings",
    "rollout",
    "rule",
    "runbook",
    "tier",
    "vulnerabilities",
]

MODELS: dict[Kind, type[Document]] = {
    "acknowledgement": Acknowledgement,
    "approval": Approval,
    "approved": Approved,
    "baseline": Baseline,
    "breakers": FleetBreakers,
    "client": Client,
    "exception": PolicyException,
    "framework": Framework,
    "guards": GuardSettings,
    "healing": HealingRule,
    "host": Host,
    "kill switch": KillSwitch,
    "promotions": Promotions,
    "rings": Rings,
    "rollout": Rollout,
    "rule": Rule,
    "runbook": Runbook,
    "tier": Tier,
    "vulnerabilities": Vulnerabilities,
}

ROOTS = ("acknowledgements", "approvals", "hosts", "policies", "runbooks")
"""The folders that hold desired state."""

TRUST = "policies/trust/"
"""Read by the code that verifies commits, not here."""

TRUST_POLICY = "policies/trust/policy.yaml"
KILL_SWITCH = "policies/kill-switch.yaml"
APPROVED = "runbooks/approved.yaml"

# In order: the first that matches decides.
_PATTERNS: tuple[tuple[str, Kind], ...] = (
    (r"acknowledgements/(?P<owner>[^/]+)/(?P<id>[^/]+)\.yaml", "acknowledgement"),
    (r"approvals/(?P<owner>[^/]+)/(?P<id>[^/]+)\.yaml", "approval"),
    (r"hosts/(?P<owner>[^/]+)/(?P<id>client)\.yaml", "client"),
    (r"hosts/(?P<owner>[^/]+)/(?P<id>[^/]+)\.yaml", "host"),
    (r"policies/rules/(?P<id>[^/]+)\.yaml", "rule"),
    (r"policies/baselines/(?P<id>[^/]+)\.yaml", "baseline"),
    (r"policies/frameworks/(?P<id>[^/]+)\.yaml", "framework"),
    (r"policies/tiers/(?P<id>[^/]+)\.yaml", "tier"),
    (r"policies/exceptions/(?P<owner>[^/]+)/(?P<id>[^/]+)\.yaml", "exception"),
    (r"policies/vulnerabilities/(?P<owner>[^/]+)/(?P<id>[^/]+)\.yaml", "vulnerabilities"),
    (r"policies/healing/(?P<id>[^/]+)\.yaml", "healing"),
    (r"policies/(?P<id>breakers)\.yaml", "breakers"),
    (r"policies/(?P<id>guards)\.yaml", "guards"),
    (r"policies/(?P<id>promotions)\.yaml", "promotions"),
    (r"policies/(?P<id>rings)\.yaml", "rings"),
    (r"policies/(?P<id>rollout)\.yaml", "rollout"),
    (r"policies/(?P<id>kill-switch)\.yaml", "kill switch"),
    (r"runbooks/(?P<id>approved)\.yaml", "approved"),
    (r"runbooks/(?P<id>[^/]+)\.yaml", "runbook"),
)


_SINGLE: frozenset[Kind] = frozenset(
    {"approved", "breakers", "guards", "kill switch", "promotions", "rings", "rollout"}
)
"""Kinds of which a fleet has one document, without an id."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What a path says about the document in it.

    Attributes:
        key: How the fleet knows it: ``<id>``, or ``<client>/<id>`` for what is of a client.
        id: What the document's own ``id`` must be; ``None`` when it has none.
    """

    kind: Kind
    key: str
    id: str | None


def is_policy(path: str) -> bool:
    """Whether a path is a YAML file of desired state. Notes and Nix files beside them are not."""
    return (
        path.split("/", 1)[0] in ROOTS
        and not path.startswith(TRUST)
        and path.lower().endswith((".yaml", ".yml"))
    )


def slot(path: str) -> Slot | None:
    """What a path of desired state holds, or ``None`` when nothing belongs there."""
    for pattern, kind in _PATTERNS:
        if match := re.fullmatch(pattern, path):
            return _slot(kind, match.groupdict())
    return None


def _slot(kind: Kind, named: dict[str, str]) -> Slot:
    if kind == "client":
        return Slot(kind, named["owner"], named["owner"])
    if kind in _SINGLE:
        return Slot(kind, named["id"], None)
    key = f"{named['owner']}/{named['id']}" if "owner" in named else named["id"]
    return Slot(kind, key, None if kind == "vulnerabilities" else named["id"])


_FILES: dict[Kind, str] = {
    "acknowledgement": "acknowledgements/{}.yaml",
    "approval": "approvals/{}.yaml",
    "approved": APPROVED,
    "breakers": "policies/breakers.yaml",
    "client": "hosts/{}/client.yaml",
    "guards": "policies/guards.yaml",
    "healing": "policies/healing/{}.yaml",
    "host": "hosts/{}.yaml",
    "kill switch": KILL_SWITCH,
    "promotions": "policies/promotions.yaml",
    "rings": "policies/rings.yaml",
    "rollout": "policies/rollout.yaml",
    "runbook": "runbooks/{}.yaml",
    "vulnerabilities": "policies/vulnerabilities/{}.yaml",
}


def file_of(kind: Kind, key: str) -> str:
    """Path of a document: the inverse of `slot`."""
    return _FILES.get(kind, f"policies/{kind}s/{{}}.yaml").format(key)
