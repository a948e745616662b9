"""The packet filter: FirewallChains, read from nf_tables over netlink.

``final_verdict`` is what happens to a packet that meets no condition; ``open_ports`` are the ports
for which some rule accepts a new connection from elsewhere. Jumps are followed. Older iptables
keeps its tables where netlink does not show them; then the answer names that backend and no more,
because to guess a policy would be worse than to have none.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from reconciler.model.answer import Answer
from reconciler.model.probe import FirewallChains
from reconciler.targets.linux.nft_kernel import (
    ACCEPT,
    DROP,
    FAMILIES,
    GOTO,
    HOOKS,
    JUMP,
    RETURN,
    Chain,
    Element,
    Kernel,
    Rule,
    Verdict,
)
from reconciler.targets.linux.nft_rule import REJECT, Elements, Reading, read_rule
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.ports import EVERY_PORT, merge
from reconciler.targets.linux.session import Session

ReadSet = Callable[[int, str, str], tuple[Element, ...]]
"""From family, table and name of a set to its elements."""

_LEGACY = ("/proc/net/ip_tables_names", "/proc/net/ip6_tables_names")
_INPUT = 1
_PROTOCOLS = {6: "tcp", 17: "udp"}
_DEEPEST = 16
_MOST_STEPS = 20_000
_WORDS = {ACCEPT: "accept", DROP: "drop", REJECT.code: "reject"}


def firewall_chains(_probe: FirewallChains, session: Session) -> Answer:
    """Backend, filtering base chains with policy and final verdict, and accepted ports."""
    kernel = Kernel(session.deadline)
    chains = kernel.chains()
    ruleset = Ruleset(chains, kernel.rules() if chains else [], kernel.elements)
    if ruleset.filters:
        return Answer("ok", {"backend": "nftables", **ruleset.facts()})
    backend = "iptables-legacy" if _has_legacy(session) else "none"
    return Answer("ok", {"backend": backend, "chains": [], "open_ports": []})


def _has_legacy(session: Session) -> bool:
    for path in _LEGACY:
        try:
            if session.tree.read(path, 4096).strip():
                return True
        except FileNotFoundError:
            continue
    return False


class Ruleset:
    """Chains and rules of one moment, and what they amount to."""

    def __init__(self, chains: list[Chain], rules: list[Rule], elements: ReadSet) -> None:
        """Nothing is judged yet.

        Args:
            chains: All chains.
            rules: All rules, in order.
            elements: Reads a set.
        """
        self.filters = [c for c in chains if c.kind == "filter" and c.hook in HOOKS]
        self._elements = cache(elements)
        self._rules: dict[tuple[int, str, str], list[Rule]] = defaultdict(list)
        for rule in rules:
            self._rules[rule.family, rule.table, rule.chain].append(rule)
        self._readings: dict[tuple[int, str, str], list[Reading]] = {}
        self._steps = 0

    def facts(self) -> dict[str, Any]:
        """``chains`` and ``open_ports`` as the probe documents them."""
        chains = [self._facts(chain) for chain in self.filters]
        chains.sort(key=lambda c: (c["hook"], c["family"], c["table"], c["name"]))
        return {"chains": chains, "open_ports": self._open_ports()}

    def _facts(self, chain: Chain) -> dict[str, Any]:
        place = (chain.family, chain.table, chain.name)
        return {
            "family": FAMILIES[chain.family],
            "table": chain.table,
            "name": chain.name,
            "hook": HOOKS[chain.hook or 0],
            "policy": "drop" if chain.policy == DROP else "accept",
            "final_verdict": self._final_verdict(place, 0),
            "rules": len(self._rules[place]),
        }

    def _read(self, place: tuple[int, str, str]) -> list[Reading]:
        if place not in self._readings:
            elements = self._of_table(place[0], place[1])
            self._readings[place] = [
                reading for rule in self._rules[place] for reading in read_rule(rule, elements)
            ]
        return self._readings[place]

    def _of_table(self, family: int, table: str) -> Elements:
        return lambda name: self._elements(family, table, name)

    def _final_verdict(self, place: tuple[int, str, str], depth: int) -> str | None:
        for reading in self._read(place):
            verdict = reading.verdict
            if verdict is None or not reading.unconditional:
                continue
            if verdict.code in _WORDS:
                return _WORDS[verdict.code]
            if verdict.code == RETURN or depth > _DEEPEST:
                return None
            if verdict.code in (JUMP, GOTO):
                inner = self._final_verdict((*place[:2], verdict.chain), depth + 1)
                if inner is not None or verdict.code == GOTO:
                    return inner
        return None

    def _open_ports(self) -> list[str]:
        ranges: dict[int, set[tuple[int, int]]] = defaultdict(set)
        for chain in self.filters:
            if chain.hook != _INPUT:
                continue
            place = (chain.family, chain.table, chain.name)
            for accepted in self._accepted(place, Reading(), 0):
                for protocol in _transports(accepted):
                    ranges[protocol].update(
                        EVERY_PORT if accepted.ports is None else accepted.ports
                    )
        return [
            f"{_PROTOCOLS[protocol]}/{low}"
            if low == high
            else f"{_PROTOCOLS[protocol]}/{low}-{high}"
            for protocol in sorted(ranges)
            for low, high in merge(ranges[protocol])
        ]

    def _accepted(
        self, place: tuple[int, str, str], outer: Reading, depth: int
    ) -> Iterator[Reading]:
        for reading in self._read(place):
            self._steps += 1
            if self._steps > _MOST_STEPS or depth > _DEEPEST:
                raise NoAnswer("error", "the packet filter has too many paths to follow")
            inner = reading.within(outer)
            verdict = reading.verdict or Verdict(RETURN)
            if verdict.code == ACCEPT:
                yield inner
            elif verdict.code in (JUMP, GOTO):
                yield from self._accepted((*place[:2], verdict.chain), inner, depth + 1)


def _transports(accepted: Reading) -> tuple[int, ...]:
    """Protocols for which an accepting rule opens ports to elsewhere."""
    if accepted.local or (
        accepted.ports is None and (accepted.other or accepted.protocols is None)
    ):
        return ()
    limited = accepted.protocols
    return tuple(p for p in _PROTOCOLS if limited is None or p in limited)
