"""One host's desired state, from a fleet that was checked."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

from reconciler.desired import layout
from reconciler.desired.binding import bind_host, rule_names
from reconciler.desired.fleet import Fleet
from reconciler.desired.problem import FleetInvalid
from reconciler.desired.suggest import did_you_mean
from reconciler.errors import EvidenceError, InputError
from reconciler.model.acknowledgement import Acknowledgement
from reconciler.model.check import Check
from reconciler.model.client import Client, KillSwitch
from reconciler.model.desired import BoundRule, DesiredState, PinnedApproval, PinnedRunbook
from reconciler.model.exemption import PolicyException
from reconciler.model.healing_rule import HealingRule
from reconciler.model.host import Host
from reconciler.plan.choice import answers
from reconciler.plan.host_plan import plan_digest
from reconciler.trust.paths import Owners


def resolve(
    fleet: Fleet,
    client: str,
    host: str,
    *,
    commit: str,
    tree: str,
    checks: Mapping[str, Check],
) -> DesiredState:
    """The desired state of one host.

    Args:
        fleet: As read, and checked by `reconciler.desired.graph.check_fleet`.
        client: Id.
        host: Id.
        commit: Hex id of the commit that was verified.
        tree: Hex id of its tree.
        checks: The catalogue.

    Raises:
        FleetInvalid: A file of the fleet, or a rule of this host, is wrong.
        InputError: There is no such client or host. There is no fallback to another.
    """
    errors = [found for found in fleet.problems if found.severity == "error"]
    if errors:
        raise FleetInvalid(errors)
    if client not in fleet.clients:
        _unknown("client", client, fleet.clients)
    if f"{client}/{host}" not in fleet.hosts:
        _unknown("host", f"{client}/{host}", fleet.hosts)
    return _resolve(
        fleet, fleet.clients[client], fleet.hosts[f"{client}/{host}"], commit, tree, checks
    )


def _resolve(
    fleet: Fleet, client: Client, host: Host, commit: str, tree: str, checks: Mapping[str, Check]
) -> DesiredState:
    for tier in {client.tier} - fleet.tiers.keys():
        _unknown("tier", tier, fleet.tiers)
    for framework in client.frameworks:
        if framework not in fleet.frameworks:
            _unknown("framework", framework, fleet.frameworks)
    for policy in host.policies:
        if policy not in fleet.baselines:
            _unknown("baseline", policy, fleet.baselines)
    binding = bind_host(fleet, client, host, checks)
    errors = [found for found in binding.problems if found.severity == "error"]
    if errors:
        raise FleetInvalid(errors)
    if not binding.rules:
        raise InputError(
            f"{client.id}/{host.id} has no rules; a run would look at nothing",
            hint="Name a baseline with rules in the host's policies.",
            where=fleet.where("host", f"{client.id}/{host.id}", "policies"),
        )
    healing = healing_rules(fleet, host, binding.rules)
    runbooks = _runbooks(fleet, client, host, binding.rules, healing)
    exceptions = _exceptions(fleet, client, host)
    state = DesiredState(
        commit=commit,
        tree=tree,
        digest=_digest(fleet, _files(fleet, client, host, runbooks, exceptions, healing)),
        client=client,
        host=host,
        rules=tuple(binding.rules),
        runbooks=runbooks,
        controls=fleet.controls_of(client.id),
        exceptions=tuple(exceptions.values()),
        kill_switches=_kill_switches(fleet, client, host),
        features=frozenset(fleet.tiers[client.tier].features),
        approvals=_approvals(fleet, client, host),
        healing=healing,
        guards=fleet.guards,
        breakers=fleet.breakers,
        rollout=fleet.rollout,
        acknowledgements=_acknowledgements(fleet, client),
        rings=fleet.rings,
        promotions=fleet.promotions,
        vulnerabilities=fleet.vulnerabilities.get(f"{client.id}/{host.id}"),
    )
    return replace(state, plan_digest=_plan_digest(state))


def _plan_digest(state: DesiredState) -> str:
    try:
        return plan_digest(state)
    except EvidenceError as error:
        raise InputError(
            f"the plan of {state.target} has no digest: {error.message}",
            hint="Correct the value in the rules, overrides or declarations of the host.",
        ) from error


def healing_rules(fleet: Fleet, host: Host, rules: Iterable[BoundRule]) -> tuple[HealingRule, ...]:
    """The enabled healing rules that can match on a host, by what does not change while it runs.

    One whose runbook is for other platforms is no answer here, as a remedy would be none.
    """
    by_check: dict[str, list[BoundRule]] = {}
    for rule in rules:
        by_check.setdefault(rule.check, []).append(rule)
    return tuple(
        each
        for _key, each in sorted(fleet.healing.items())
        if runs_on(fleet, each, host) and answers(each, host, by_check.get(each.match.check, ()))
    )


def runs_on(fleet: Fleet, healing: HealingRule, host: Host) -> bool:
    """Whether there is the runbook of a healing rule, and it is for this kind of host."""
    runbook = fleet.runbooks.get(healing.runbook)
    return runbook is not None and host.kind in runbook.platforms


def _runbooks(
    fleet: Fleet,
    client: Client,
    host: Host,
    rules: Sequence[BoundRule],
    healing: Iterable[HealingRule],
) -> dict[str, PinnedRunbook]:
    """The runbooks that may be chosen here, each pinned to the content of its file."""
    wanted = {rule.remedy.runbook for rule in rules if rule.remedy}
    wanted |= {each.runbook for each in healing}
    if "advise" in fleet.tiers[client.tier].features and client.advice:
        wanted |= _fitting(fleet, host, rules)
    allowed = fleet.approved.runbooks if fleet.approved else {}
    pinned: dict[str, PinnedRunbook] = {}
    for name in sorted(wanted):
        digest = fleet.digests[layout.file_of("runbook", name)]
        approved = allowed.get(name) == f"sha256:{digest}"
        pinned[name] = PinnedRunbook(fleet.runbooks[name], digest, approved)
    return pinned


def _fitting(fleet: Fleet, host: Host, rules: Iterable[BoundRule]) -> set[str]:
    """Runbooks that fix a check of this host on its platform: what advice may choose from."""
    checks = {rule.check for rule in rules}
    return {
        name
        for name, runbook in fleet.runbooks.items()
        if host.kind in runbook.platforms and checks & set(runbook.fixes)
    }


def _exceptions(fleet: Fleet, client: Client, host: Host) -> dict[str, PolicyException]:
    return {
        key: exception
        for key, exception in fleet.exceptions.items()
        if key.split("/", 1)[0] == client.id and host.id in exception.hosts
    }


def _approvals(fleet: Fleet, client: Client, host: Host) -> tuple[PinnedApproval, ...]:
    return tuple(
        PinnedApproval(
            approval,
            fleet.digests[layout.file_of("approval", key)],
            people_behind(fleet, layout.file_of("approval", key)),
        )
        for key, approval in sorted(fleet.approvals.items())
        if key.split("/", 1)[0] == client.id and host.id in approval.hosts
    )


def people_behind(fleet: Fleet, path: str) -> int:
    """How many people stand behind a file at a path: its author, and who must approve it."""
    owned = Owners(fleet.trust).of(path) if fleet.trust else None
    return 1 if owned is None else 1 + owned.rule.approvals


def _acknowledgements(fleet: Fleet, client: Client) -> tuple[Acknowledgement, ...]:
    known = sorted(fleet.acknowledgements.items())
    return tuple(each for key, each in known if key.split("/", 1)[0] == client.id)


def _kill_switches(fleet: Fleet, client: Client, host: Host) -> dict[str, KillSwitch]:
    scopes = {"fleet": fleet.kill_switch, "client": client.kill_switch, "host": host.kill_switch}
    return {scope: switch for scope, switch in scopes.items() if switch and switch.engaged}


def _files(
    fleet: Fleet,
    client: Client,
    host: Host,
    runbooks: Iterable[str],
    exceptions: Iterable[str],
    healing: Iterable[HealingRule],
) -> set[str]:
    """Every file that had a part in this host's desired state."""
    baselines = [name for name in host.policies if name in fleet.baselines]
    named: dict[layout.Kind, Iterable[str]] = {
        "client": [client.id],
        "host": [f"{client.id}/{host.id}"],
        "tier": [client.tier],
        "framework": client.frameworks,
        "baseline": baselines,
        "rule": rule_names(fleet, host),
        "runbook": runbooks,
        "exception": exceptions,
        "approved": ["approved"],
        "healing": [each.id for each in healing],
        "guards": ["guards"],
        "breakers": ["breakers"],
        "rollout": ["rollout"],
        "rings": ["rings"],
        "promotions": ["promotions"],
        "vulnerabilities": [f"{client.id}/{host.id}"],
        "kill switch": ["kill-switch"],
    }
    return {layout.file_of(kind, key) for kind, keys in named.items() for key in keys}


def _digest(fleet: Fleet, files: Iterable[str]) -> str:
    """Hex SHA-256 over lines of ``<sha256 of the file>  <path>``, sorted by path.

    The form is what ``sha256sum`` prints, so that anybody can compute it from a checkout.
    """
    present = sorted(file for file in files if file in fleet.digests)
    lines = "".join(f"{fleet.digests[file]}  {file}\n" for file in present)
    return hashlib.sha256(lines.encode()).hexdigest()


def _unknown(kind: str, name: str, known: Iterable[str]) -> NoReturn:
    raise InputError(f"there is no {kind} {name} in the fleet", hint=did_you_mean(name, known))
