"""The desired state of one host, resolved: every reference followed, every value bound."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.acknowledgement import Acknowledgement
from reconciler.model.approval import Approval
from reconciler.model.client import Client, KillSwitch
from reconciler.model.exemption import PolicyException
from reconciler.model.expectation import Expectation
from reconciler.model.finding import Severity
from reconciler.model.fleet_wide import FleetBreakers, Rollout
from reconciler.model.framework import Control
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.healing_rule import HealingRule
from reconciler.model.host import Host
from reconciler.model.rings import Promotions, Rings
from reconciler.model.runbook import Runbook
from reconciler.model.system import TrustedSystem
from reconciler.model.tier import Feature
from reconciler.model.values import Value
from reconciler.model.vulnerabilities import Vulnerabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRemedy:
    """A runbook with its parameters bound."""

    runbook: str
    params: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRule:
    """One rule on one host, ready to be judged.

    Attributes:
        id: ``ssh-root-login``, or ``certificate-valid[portal]`` for an item of a list.
        rule: Id of the rule it comes from.
        enforce: Whether the client, the host and the rule all say ``enforce``.
    """

    id: str
    rule: str
    title: str
    check: str
    params: Mapping[str, Value]
    expect: Mapping[str, Expectation]
    severity: Severity
    controls: tuple[str, ...]
    enforce: bool
    remedy: BoundRemedy | None


@dataclass(frozen=True, slots=True)
class PinnedRunbook:
    """A runbook, the digest of its file, and whether the allow-list names exactly that digest."""

    runbook: Runbook
    digest: str
    approved: bool


@dataclass(frozen=True, slots=True)
class PinnedApproval:
    """An approval, and the digest of its file, which evidence names.

    Attributes:
        people: How many people the trust policy in force asks for before a file may stand at its
            path, its author included; 1 where nothing asks for more.
    """

    approval: Approval
    digest: str
    people: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredState:
    """What one host is meant to be, from one commit that was verified.

    Attributes:
        commit: Hex id of the fleet commit.
        tree: Hex id of its tree.
        digest: Hex SHA-256 over every policy file that took part, by path. Approvals take no
            part: they say yes to it.
        kill_switches: Engaged ones, by scope: ``fleet``, ``client``, ``host``.
        controls: Every control of the client's frameworks by ``<framework>:<id>``.
        exceptions: Those of the client that name this host.
        features: What the client's tier switches on; without ``heal`` nothing is changed.
        plan_digest: Hex SHA-256 of the plan of this host, which approvals name; empty before it
            was reckoned, and then none binds.
        approvals: Those of the client that name this host, with the digests of their files.
        healing: Enabled healing rules that can match on this host: its roles and tags fit.
        guards: The numbers that guards judge by.
        breakers: Versions of runbooks that are switched off in the whole fleet.
        rollout: How far new versions of runbooks have come.
        acknowledgements: Those of the client.
        rings: In which order hosts come to run a new system; empty where the fleet has no order.
        promotions: Which rings are open for which revision.
        vulnerabilities: What a scanner found in a system of this host; ``None`` without a report.
        system: What a host of kind ``nixos`` is meant to run; ``None`` where no release that counts
            names one, and then nothing is said about its system and nothing is activated.
    """

    commit: str
    tree: str
    digest: str
    client: Client
    host: Host
    rules: tuple[BoundRule, ...]
    runbooks: Mapping[str, PinnedRunbook]
    controls: Mapping[str, Control]
    exceptions: tuple[PolicyException, ...]
    kill_switches: Mapping[str, KillSwitch] = field(default_factory=dict)
    features: frozenset[Feature] = frozenset()
    plan_digest: str = ""
    approvals: tuple[PinnedApproval, ...] = ()
    healing: tuple[HealingRule, ...] = ()
    guards: GuardSettings = field(default_factory=GuardSettings)
    breakers: FleetBreakers = field(default_factory=FleetBreakers)
    rollout: Rollout = field(default_factory=Rollout)
    acknowledgements: tuple[Acknowledgement, ...] = ()
    rings: Rings = field(default_factory=Rings)
    promotions: Promotions = field(default_factory=Promotions)
    vulnerabilities: Vulnerabilities | None = None
    system: TrustedSystem | None = None

    @property
    def target(self) -> str:
        """``<client>/<host>``."""
        return f"{self.client.id}/{self.host.id}"
