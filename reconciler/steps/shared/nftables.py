"""The rule set of a host that lets in what it declares open, and nothing else."""

from collections.abc import Sequence

from reconciler.model.parameter import Parameter

FILE = "/etc/nftables.conf"
"""What ``nftables.service`` loads at boot (Debian)."""

UNIT = "nftables.service"

OPEN_PORTS = Parameter(
    type="list[str]",
    doc="Ports that are open to the network: tcp/22.",
    pattern=r"(tcp|udp)/(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}"
    r"|[1-9][0-9]{0,3})",
)

_HEAD = """\
#!/usr/sbin/nft -f
# Written by reconciler (RB-FW-001) from the ports that this host declares open.
flush ruleset

table inet filter {
\tchain input {
\t\ttype filter hook input priority filter; policy drop;
\t\tiif "lo" accept
\t\tct state established,related accept
\t\tct state invalid drop
\t\ticmp type echo-request accept
\t\ticmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
"""
_TAIL = """\
\t}

\tchain forward {
\t\ttype filter hook forward priority filter; policy drop;
\t}

\tchain output {
\t\ttype filter hook output priority filter; policy accept;
\t}
}
"""


def ruleset(open_ports: Sequence[str]) -> str:
    """The text of the rule set, the same for the same ports in any order.

    Args:
        open_ports: ``tcp/22``, ``udp/123``.
    """
    ports = sorted({(port.split("/")[0], int(port.split("/")[1])) for port in open_ports})
    rules = "".join(f"\t\t{protocol} dport {number} accept\n" for protocol, number in ports)
    return _HEAD + rules + _TAIL
