"""Clients and hosts: what they subscribe to, what they declare, and whether their rules bind."""

import re
from collections import Counter
from collections.abc import Iterator
from zoneinfo import ZoneInfo, available_timezones

from reconciler.desired import references
from reconciler.desired.binding import bind_host, rule_names
from reconciler.desired.fitting import parameter_flaws
from reconciler.desired.graph.context import Graph, doubled, flawed
from reconciler.desired.graph.rules import expectation_problems
from reconciler.desired.problem import Problem, error, warning
from reconciler.desired.suggest import did_you_mean
from reconciler.errors import Where
from reconciler.model.client import Client
from reconciler.model.host import Host
from reconciler.model.proposed import is_proposed

ACCESS = re.compile(
    r"unit:[A-Za-z0-9:_.\\@-]+\.(?:service|socket|timer|mount|target|path)"
    r"|port:(?:tcp|udp)/[0-9]{1,5}|file:/[^\x00-\x1f]*"
)
"""The words in which steps say what access they cut or touch."""

HIGHEST_PORT = 65_535


def client_problems(graph: Graph) -> Iterator[Problem]:
    """Clients name a tier, frameworks, runbooks and a time zone that exist."""
    if not graph.fleet.hosts and not graph.fleet.problems:
        yield error(Where("hosts"), "the fleet has no hosts", "Add hosts/<client>/<host>.yaml.")
    for key, client in graph.fleet.clients.items():
        where = graph.fleet.where
        yield from graph.no_document(where("client", key, "tier"), "tier", client.tier)
        for index, name in enumerate(client.frameworks):
            at = where("client", key, "frameworks", index)
            yield from graph.no_document(at, "framework", name)
            if is_proposed(name) and not client.accept_proposed:
                yield warning(
                    at,
                    f"{name} is proposed and no law; nothing it says is owed or can be satisfied",
                    "Take it out, or set accept_proposed: true to have it shown as a look ahead.",
                )
        for index, name in enumerate(client.denied_runbooks):
            # A denial of a runbook that does not exist would deny nothing.
            at = where("client", key, "denied_runbooks", index)
            yield from graph.no_document(at, "runbook", name)
        yield from _times(graph, key, client)


def _times(graph: Graph, key: str, client: Client) -> Iterator[Problem]:
    if not _is_time_zone(client.time_zone):
        yield error(
            graph.fleet.where("client", key, "time_zone"),
            f"there is no time zone {client.time_zone[:64]}",
            did_you_mean(client.time_zone, available_timezones()),
        )
    for index, window in enumerate(client.windows):
        if window.start == window.end:
            yield error(
                graph.fleet.where("client", key, "windows", index),
                "the window ends when it starts",
                "Give it a length; an end before its start is on the next day.",
            )


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return False
    return True


def host_problems(graph: Graph, faulty_rules: frozenset[str]) -> Iterator[Problem]:
    """Hosts name baselines that fit them, declare what is well formed, and their rules bind.

    Args:
        graph: The fleet.
        faulty_rules: Rules whose faults are known already; they are not bound.
    """
    yield from _attributes(graph)
    for key, host in graph.fleet.hosts.items():
        client = graph.fleet.clients.get(key.split("/", 1)[0])
        yield from graph.no_document(graph.fleet.where("host", key), "client", key.split("/", 1)[0])
        yield from _policies(graph, key, host, client)
        yield from _access(graph, key, host)
        yield from _declares(graph, key, host)
        overrides = {name: [*_override(graph, key, host, name)] for name in host.overrides}
        yield from (problem for problems in overrides.values() for problem in problems)
        yield from _nothing_declared(graph, key, host)
        if client is not None:
            faulty = {name for name, problems in overrides.items() if problems}
            unfit = {name for name in graph.fleet.rules if _unfit(graph, name, host)}
            skip = faulty_rules | faulty | unfit
            yield from bind_host(graph.fleet, client, host, graph.checks, skip=skip).problems


def _attributes(graph: Graph) -> Iterator[Problem]:
    """The flake calls a NixOS host ``<client>-<host>``; two of one name would be one system."""
    named: dict[str, str] = {}
    for key in (key for key, host in graph.fleet.hosts.items() if host.kind == "nixos"):
        name = key.replace("/", "-")
        other = named.setdefault(name, key)
        if other != key:
            yield error(
                graph.fleet.where("host", key),
                f"the flake calls it {name}, as it does {other}",
                "Give one of the two another id.",
            )


def _unfit(graph: Graph, rule: str, host: Host) -> bool:
    """Whether a rule's baseline says already that it is not for this kind of host."""
    check = graph.checks.get(graph.fleet.rules[rule].check)
    return check is not None and host.kind not in check.platforms


def _policies(graph: Graph, key: str, host: Host, client: Client | None) -> Iterator[Problem]:
    yield from doubled(graph.fleet.where("host", key, "policies"), host.policies)
    for index, name in enumerate(host.policies):
        where = graph.fleet.where("host", key, "policies", index)
        yield from graph.no_document(where, "baseline", name)
        baseline = graph.fleet.baselines.get(name)
        if baseline is None:
            continue
        if host.kind not in baseline.platforms:
            yield error(
                where,
                f"baseline {name} is for {', '.join(baseline.platforms)}, not {host.kind}",
                "Choose a baseline for this kind of host.",
            )
        serves = set(baseline.frameworks)
        # A supplement claims no framework, so it serves whoever names it.
        if client is not None and serves and not serves & set(client.frameworks):
            yield error(
                where,
                f"baseline {name} serves {', '.join(baseline.frameworks)}, "
                f"which client {client.id} does not name",
                "Add the framework to the client, or choose another baseline.",
            )


def _access(graph: Graph, key: str, host: Host) -> Iterator[Problem]:
    for index, text in enumerate(host.access_path):
        port = text.rpartition("/")[2] if text.startswith("port:") else "1"
        if ACCESS.fullmatch(text) is None or not 1 <= int(port) <= HIGHEST_PORT:
            yield error(
                graph.fleet.where("host", key, "access_path", index),
                f"{text[:60]!r} is no part of an access path",
                "Write unit:ssh.service, port:tcp/22 or file:/etc/ssh/sshd_config.",
            )
    if host.mode == "enforce" and not host.access_path:
        yield warning(
            graph.fleet.where("host", key),
            "names no access_path, so no runbook can be kept from cutting the way in",
            "List the units, ports and files that administrators come in by.",
        )


def _declares(graph: Graph, key: str, host: Host) -> Iterator[Problem]:
    for name in ("sockets", "open_ports"):
        for index, socket in enumerate(getattr(host.declares, name)):
            if not 1 <= int(socket.partition("/")[2]) <= HIGHEST_PORT:
                where = graph.fleet.where("host", key, "declares", name, index)
                yield error(where, f"{socket} is no port", f"Ports are 1 to {HIGHEST_PORT}.")
    for listed in references.ITEMS:
        where = graph.fleet.where("host", key, "declares", listed)
        yield from doubled(where, map(references.label, references.items(host, listed)))
    for index, admin in enumerate(host.declares.admins):
        if admin != "root" and admin not in host.declares.accounts:
            where = graph.fleet.where("host", key, "declares", "admins", index)
            yield error(where, f"{admin} is not among accounts", "Declare the account, too.")


def _override(graph: Graph, key: str, host: Host, name: str) -> Iterator[Problem]:
    override = host.overrides[name]
    bound = rule_names(graph.fleet, host)
    if name not in bound:
        where = graph.fleet.where("host", key, "overrides", name)
        yield error(where, f"no policy of this host has rule {name}", did_you_mean(name, bound))
    rule = graph.fleet.rules.get(name)
    check = graph.checks.get(rule.check) if rule else None
    if name not in bound or rule is None or check is None:
        return
    refs = references.references(rule.for_each)
    for parameter, flaw in parameter_flaws(override.params, check.params, refs, complete=False):
        path = ("overrides", name, "params", parameter)
        yield flawed(graph.fleet.where("host", key, *path), flaw)
    at = ("overrides", name, "expect")
    yield from expectation_problems(graph, "host", key, at, override.expect, check, refs)


def _nothing_declared(graph: Graph, key: str, host: Host) -> Iterator[Problem]:
    """A rule over a list that the host leaves empty judges nothing, which is not a pass."""
    empty: Counter[str] = Counter()
    rules = [graph.fleet.rules[n] for n in rule_names(graph.fleet, host) if n in graph.fleet.rules]
    if not rules:
        yield error(
            graph.fleet.where("host", key, "policies"),
            "no rule applies to this host; a run would look at nothing",
            "Name a baseline that has rules.",
        )
    for rule in rules:
        if rule.for_each is not None and not references.items(host, rule.for_each):
            empty[rule.for_each] += 1
    for name, count in sorted(empty.items()):
        yield warning(
            graph.fleet.where("host", key, "declares", name),
            f"declares no {name.replace('_', ' ')}, so {count} rule(s) judge nothing here",
            "Declare them; where there are none, the provision needs a person's statement.",
        )
