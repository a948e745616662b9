"""The packet filter as the kernel holds it, in network namespaces that these tests make."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.probe import FirewallChains
from tests.support.asking import as_nobody
from tests.support.asking import ask as ask_here
from tests.support.rigs import rig

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).parents[3]
ASK = """
import dataclasses, json
from reconciler.model.probe import FirewallChains
from reconciler.targets.linux.target import LinuxTarget
probe = FirewallChains()
answer = LinuxTarget().ask([probe], 10)[probe]
print(json.dumps(dataclasses.asdict(answer)))
"""


def ask(ruleset: str, *, commands: str = "") -> dict[str, Any]:
    """What the target answers in a fresh network namespace with this ruleset."""
    missing = [tool for tool in ("nft", "unshare") if shutil.which(tool) is None]
    reason = "not root" if os.geteuid() else f"{missing[0]} is not installed" if missing else None
    rig("network namespace", reason)
    load = "nft -f - && " if ruleset else ""
    script = f"{load}{commands} exec {sys.executable} -c '{ASK}'"
    done = subprocess.run(
        ("unshare", "--net", "sh", "-c", script),
        input=ruleset,
        env={"PYTHONPATH": str(PROJECT), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def data(*rules: str, policy: str = "drop", more: str = "") -> dict[str, Any]:
    """The answer to a table with these rules on input."""
    lines = "\n".join(rules)
    ruleset = f"""table inet filter {{
{more}
chain input {{
type filter hook input priority 0; policy {policy};
{lines}
}}
}}"""
    answer = ask(ruleset)
    assert answer["status"] == "ok", answer
    found: dict[str, Any] = answer["data"]
    return found


def ports(*rules: str, more: str = "") -> list[str]:
    found: list[str] = data(*rules, more=more)["open_ports"]
    return found


def final(*rules: str, more: str = "") -> str | None:
    (chain,) = data(*rules, policy="accept", more=more)["chains"]
    verdict: str | None = chain["final_verdict"]
    return verdict


def test_no_rules_at_all() -> None:
    answer = ask("")
    assert answer["data"] == {"backend": "none", "chains": [], "open_ports": []}


def test_chains_are_what_nft_lists() -> None:
    ruleset = """
table inet filter {
 chain input {
  type filter hook input priority 0; policy drop;
  counter
  tcp dport 22 accept
 }
 chain forward {
  type filter hook forward priority 0; policy accept;
 }
 chain helper {
  accept
 }
}
table ip6 six {
 chain in {
  type filter hook input priority 5; policy accept;
  reject
 }
}
table ip nat {
 chain post {
  type nat hook postrouting priority 100;
  masquerade
 }
}
table arp lan {
 chain in {
  type filter hook input priority 0; policy drop;
 }
}
"""
    answer = ask(ruleset)["data"]
    assert answer["backend"] == "nftables"
    assert answer["chains"] == [
        {"family": "inet", "table": "filter", "name": "forward", "hook": "forward",
         "policy": "accept", "final_verdict": None, "rules": 0},
        {"family": "inet", "table": "filter", "name": "input", "hook": "input",
         "policy": "drop", "final_verdict": None, "rules": 2},
        {"family": "ip6", "table": "six", "name": "in", "hook": "input",
         "policy": "accept", "final_verdict": "reject", "rules": 1},
    ]  # fmt: skip
    assert answer["open_ports"] == ["tcp/22"]


def test_the_shape_of_a_nixos_firewall_is_read() -> None:
    """Verdict maps, a chain for what is let in, and the release's own rule for DHCPv6."""
    answer = ask("""table inet nixos-fw {
 chain rpfilter {
  type filter hook prerouting priority mangle + 10; policy drop;
  fib saddr . mark . iif oif exists accept
 }
 chain input {
  type filter hook input priority filter; policy drop;
  iifname { lo } accept
  ct state vmap {
   invalid : drop, established : accept, related : accept,
   new : jump input-allow, untracked : jump input-allow }
  tcp flags & (fin | syn | rst | ack) == syn log level info prefix "refused: "
 }
 chain input-allow {
  iifname wg-msp tcp dport { 22 } accept
  icmp type echo-request accept
  icmpv6 type != { nd-redirect, 139 } accept
  ip6 daddr fe80::/64 udp dport 546 accept
 }
}
""")["data"]

    (chain,) = [one for one in answer["chains"] if one["hook"] == "input"]
    assert (chain["policy"], chain["final_verdict"]) == ("drop", None)
    assert answer["open_ports"] == ["tcp/22", "udp/546"]


class TestOpenPorts:
    @pytest.mark.parametrize(
        ("rule", "opened"),
        [
            ("tcp dport 22 accept", ["tcp/22"]),
            ("udp dport 53 counter accept", ["udp/53"]),
            ("tcp dport { 443, 80 } accept", ["tcp/80", "tcp/443"]),
            ("tcp dport { 80, 8000-8010, 99 } accept", ["tcp/80", "tcp/99", "tcp/8000-8010"]),
            ("tcp dport 1000-2000 accept", ["tcp/1000-2000"]),
            ("tcp dport >= 60000 accept", ["tcp/60000-65535"]),
            ("tcp dport < 3 accept", ["tcp/0-2"]),
            ("tcp dport != 5-65535 accept", ["tcp/0-4"]),
            ("tcp dport != { 3-65535 } accept", ["tcp/0-2"]),
            ("meta l4proto { tcp, udp } th dport 111 accept", ["tcp/111", "udp/111"]),
            ("meta l4proto . th dport { tcp . 53, udp . 5353 } accept", ["tcp/53", "udp/5353"]),
            ("udp dport vmap { 67 : drop, 68 : accept }", ["udp/68"]),
            ("ip saddr 192.0.2.0/24 tcp dport 9100 accept", ["tcp/9100"]),
            ("meta l4proto tcp accept", ["tcp/0-65535"]),
            ("ip protocol udp udp dport 5 accept", ["udp/5"]),
            ("tcp dport 22 ct state new accept", ["tcp/22"]),
            ("tcp dport 22 ct state { new, established } accept", ["tcp/22"]),
            ("tcp dport 22 limit rate 5/minute accept", ["tcp/22"]),
        ],
    )  # fmt: skip
    def test_accepted(self, rule: str, opened: list[str]) -> None:
        assert ports(rule) == opened

    @pytest.mark.parametrize(
        "rule",
        [
            "tcp dport 22 drop",
            "tcp sport 22 accept",
            "iif lo tcp dport 5432 accept",
            'iifname "lo" accept',
            "ct state established,related accept",
            "tcp dport 22 ct state { established, related } accept",
            "tcp dport 22 ct state established accept",
            "icmp type echo-request accept",
            "meta l4proto ipv6-icmp accept",
            "ip saddr 192.0.2.1 accept",
            "tcp dport 1 tcp dport 2 accept",
        ],
    )
    def test_not_for_new_connections_from_elsewhere(self, rule: str) -> None:
        assert ports(rule) == []

    def test_sets_and_chains_by_name(self) -> None:
        more = """set web { type inet_service; flags interval; elements = { 80, 443, 8080-8089 } }
chain services {
tcp dport @web accept
udp dport 123 accept
}"""
        assert ports("jump services", more=more) == [
            "tcp/80",
            "tcp/443",
            "tcp/8080-8089",
            "udp/123",
        ]
        assert ports("tcp dport 440-450 goto services", more=more) == ["tcp/443"]
        assert ports("udp dport vmap { 1-200 : jump services }", more=more) == ["udp/123"]

    def test_a_huge_ruleset_is_given_up_not_misread(self) -> None:
        chains, below = [], "accept"
        for depth in range(7):
            lines = "\n".join([f"tcp dport 1-{n + 1} {below}" for n in range(6)])
            chains.append(f"chain c{depth} {{\n{lines}\n}}")
            below = f"jump c{depth}"
        more = "\n".join(chains)
        base = f"chain i {{\ntype filter hook input priority 0;\n{below}\n}}"
        ruleset = f"table inet t {{\n{more}\n{base}\n}}"
        assert ask(ruleset)["reason"] == "the packet filter has too many paths to follow"


class TestFinalVerdict:
    @pytest.mark.parametrize(
        ("rules", "verdict"),
        [
            (("tcp dport 22 accept",), None),
            (("tcp dport 22 accept", "drop"), "drop"),
            (("counter log prefix \"x\" reject with icmpx admin-prohibited",), "reject"),
            (("accept", "drop"), "accept"),
            (("limit rate 1/second drop",), None),
            (("iif lo drop",), None),
            (("jump refuse",), "drop"),
            (("goto nothing", "drop"), None),
            (("jump nothing", "drop"), "drop"),
            (("jump back", "reject"), "reject"),
        ],
    )  # fmt: skip
    def test_what_happens_to_everything_else(
        self, rules: tuple[str, ...], verdict: str | None
    ) -> None:
        more = """chain refuse {
counter
drop
}
chain nothing {
tcp dport 1 drop
}
chain back {
return
drop
}"""
        assert final(*rules, more=more) == verdict


@pytest.mark.enable_socket
def test_a_user_may_not_look() -> None:
    rig("another user", "not root" if os.geteuid() else None)
    with as_nobody():
        answer = ask_here(FirewallChains())
    assert (answer.status, answer.reason) == ("denied", "permission denied; needs root")
