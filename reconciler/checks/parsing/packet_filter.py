"""The loaded packet filter, as the probe `FirewallChains` answers: nft(8) "CHAINS"."""

import re

from reconciler.checks.parsing.records import Record, texts
from reconciler.errors import Unobservable
from reconciler.model.probe import FirewallChains

RULES = FirewallChains()

_PORTS = re.compile(r"[a-z0-9]{1,16}/(\*|[0-9]{1,5}(-[0-9]{1,5})?)")


def _default(chain: Record) -> str:
    """The fate of a packet that no conditional rule of the chain names."""
    verdict = chain.optional_text("final_verdict") or chain.text("policy")
    if verdict not in {"accept", "drop", "reject"}:
        raise Unobservable("firewall: a chain has a verdict that nft(8) does not know")
    return verdict


def inbound(chains: tuple[Record, ...], family: str) -> str:
    """The default of one family over all its input chains; one that refuses is enough.

    Args:
        chains: Base chains, as `FirewallChains` answers them.
        family: ``ip`` or ``ip6``.

    Raises:
        Unobservable: A chain has another shape.
    """
    verdicts = [
        _default(chain)
        for chain in chains
        if chain.text("hook") == "input" and chain.text("family") in {family, "inet"}
    ]
    refusals = [verdict for verdict in verdicts if verdict != "accept"]
    return next(iter(refusals or verdicts), "none")


def open_ports(answer: Record) -> tuple[str, ...]:
    """Ports accepted from anywhere, as protocol/port.

    Raises:
        Unobservable: The answer has another shape.
    """
    ports = texts(answer.fields.get("open_ports"), "firewall open ports", limit=64)
    if not all(map(_PORTS.fullmatch, ports)):
        raise Unobservable("firewall: an open port is not written as protocol/port")
    return tuple(sorted(set(ports)))
