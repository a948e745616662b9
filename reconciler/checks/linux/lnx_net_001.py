"""Host firewall: what becomes of an inbound packet that no rule names, and which ports are open.

The loaded rules are judged, not the configuration: a firewall that is configured and was flushed
protects nobody (NIXOS STIG V-268078; its first release read the file and missed that). IPv4 and
IPv6 are told apart, because a table of family ``ip`` leaves IPv6 open.

Source: 45 CFR 164.312(a)(1), 164.312(e)(1); NIXOS:V-268078; nft(8) "CHAINS": a packet must be
accepted by every base chain of its hook, and one that drops is final.
"""

from reconciler.checks.parsing.packet_filter import RULES, inbound, open_ports
from reconciler.checks.parsing.records import record, records
from reconciler.checks.parsing.shapes import units
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.probe import Probe, ReadFile, UnitStatus
from reconciler.model.values import Params

IPV6_ADDRESSES = ReadFile("/proc/net/if_inet6")
LOADERS = UnitStatus(
    (
        "firewall.service",
        "nftables.service",
        "netfilter-persistent.service",
        "ufw.service",
        "firewalld.service",
    )
)

_STARTS_AT_BOOT = frozenset({"enabled", "enabled-runtime", "linked", "static", "alias"})


def _ipv6_in_use(answers: Answers) -> bool:
    """Whether any interface has an IPv6 address; the kernel has no file when it lacks IPv6."""
    return not answers.absent(IPV6_ADDRESSES) and bool(answers.text(IPV6_ADDRESSES).strip())


def _parse(_params: Params, answers: Answers) -> Values:
    """Read the loaded rules; needs root (CAP_NET_ADMIN)."""
    answer = record(answers.data(RULES), "firewall")
    backend = answer.text("backend")
    chains = records(answer.fields.get("chains"), "firewall chains")
    if backend == "iptables-legacy" and not chains:
        raise Unobservable("firewall: rules of iptables-legacy cannot be read over nf_tables")
    loaders = units(answers, LOADERS)
    active = sorted(name for name, unit in loaders.items() if unit.active_state == "active")
    return {
        "backend": backend,
        "ipv4_input": inbound(chains, "ip"),
        "ipv6_input": inbound(chains, "ip6") if _ipv6_in_use(answers) else None,
        "open_ports": open_ports(answer),
        "rules": sum(chain.whole("rules") for chain in chains),
        "loaders": tuple(active),
        "starts_at_boot": any(u.unit_file_state in _STARTS_AT_BOOT for u in loaders.values()),
    }


def _probes(_params: Params) -> tuple[Probe, ...]:
    """The loaded rules, whether IPv6 is in use, and the units that load rules."""
    return (RULES, IPV6_ADDRESSES, LOADERS)


CHECK = Check(
    id="LNX-NET-001",
    title="Host firewall active, default deny inbound",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.312(a)(1), 164.312(e)(1); NIXOS:V-268078; nft(8)",
    fields={
        "backend": Field("str", "Packet filter in use: nftables, iptables-legacy or none."),
        "ipv4_input": Field(
            "str",
            "What becomes of an inbound IPv4 packet that no rule names: drop, reject, accept, or "
            "none when no chain looks at it.",
        ),
        "ipv6_input": Field(
            "str", "The same for IPv6; absent when this machine has no IPv6 address.", optional=True
        ),
        "open_ports": Field("list[str]", "Ports accepted from anywhere, as protocol/port."),
        "rules": Field("int", "Number of rules in base chains."),
        "loaders": Field("list[str]", "Active units that load a rule set."),
        "starts_at_boot": Field("bool", "Whether one of those units starts at boot."),
    },
    probes=_probes,
    parse=_parse,
)
