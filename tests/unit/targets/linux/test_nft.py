"""Recorded rulesets; `tests/integration/targets/test_firewall.py` asks a real kernel."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.targets.linux.firewall import Ruleset
from reconciler.targets.linux.nft_kernel import (
    Element,
    expression,
    read_chains,
    read_elements,
    read_rules,
)
from reconciler.targets.linux.nft_rule import read_rule
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.xt_match import multiport, tcp_ports, udp_ports

NIXOS = json.loads(
    (Path(__file__).parents[3] / "vectors/targets/nft/nixos-iptables.json").read_text()
)


def nothing(_name: str) -> tuple[Element, ...]:
    return ()


class TestNixosFirewall:
    """Rules of iptables-nft: xtables matches, chains that jump, accept in a chain of its own."""

    def facts(self) -> dict[str, object]:
        chains = read_chains(map(bytes.fromhex, NIXOS["chains"]))
        rules = read_rules(map(bytes.fromhex, NIXOS["rules"]))
        return Ruleset(chains, rules, lambda *_: ()).facts()

    def test_ports(self) -> None:
        assert self.facts()["open_ports"] == [
            "tcp/22", "tcp/8000-8010", "udp/53", "udp/5353", "udp/6000-6010",
        ]  # fmt: skip

    def test_the_policy_accepts_but_the_last_jump_drops(self) -> None:
        (chain,) = self.facts()["chains"]  # type: ignore[misc, str-unpack]
        assert (chain["policy"], chain["final_verdict"], chain["rules"]) == ("accept", "drop", 1)


class TestHostileBytes:
    @given(st.data())
    def test_a_changed_rule_is_read_or_refused(self, data: st.DataObject) -> None:
        message = bytearray.fromhex(data.draw(st.sampled_from(NIXOS["rules"])))
        for _ in range(data.draw(st.integers(1, 6))):
            message[data.draw(st.integers(4, len(message) - 1))] = data.draw(st.integers(0, 255))
        try:
            for rule in read_rules([bytes(message)]):
                read_rule(rule, nothing)
        except NoAnswer as refused:
            assert refused.reason == "malformed netlink attribute"
        finally:
            expression.cache_clear()

    @given(st.binary(max_size=60))
    def test_xtables_matches(self, info: bytes) -> None:
        for read in (tcp_ports, udp_ports, multiport):
            found = read(info)
            assert found is None or all(0 <= low <= 65_535 for low, _ in found)

    @given(st.lists(st.binary(max_size=80), max_size=3))
    def test_elements(self, messages: list[bytes]) -> None:
        try:
            assert isinstance(read_elements(tuple(messages)), tuple)
        except NoAnswer as refused:
            assert refused.reason == "malformed netlink attribute"


@pytest.mark.parametrize(
    ("info", "ports"),
    [
        (bytes.fromhex("0000ffff1600160000000000"), ((22, 22),)),
        (bytes.fromhex("0000ffff1600160000000002"), ((0, 21), (23, 65_535))),
        (b"short", None),
    ],
)
def test_tcp_match(info: bytes, ports: object) -> None:
    assert tcp_ports(info) == ports
