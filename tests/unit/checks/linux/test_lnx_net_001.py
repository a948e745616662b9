from typing import Any

import pytest

from reconciler.checks.linux.lnx_net_001 import CHECK, IPV6_ADDRESSES, LOADERS, RULES
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.probe import Probe
from tests.support.looking import absent_unit, ok, unit, values

LO = "00000000000000000000000000000001 01 80 10 80       lo\n"


def chain(
    family: str, policy: str, final: str | None = None, hook: str = "input"
) -> dict[str, Any]:
    return {
        "family": family,
        "table": "filter",
        "name": "input",
        "hook": hook,
        "policy": policy,
        "final_verdict": final,
        "rules": 3,
    }


def answers(*chains: dict[str, Any], **changed: Any) -> dict[Probe, Answer]:
    firewall = {"backend": "nftables", "chains": list(chains), "open_ports": [], **changed}
    return {
        RULES: ok(firewall),
        IPV6_ADDRESSES: ok(LO),
        LOADERS: ok(dict.fromkeys(LOADERS.units, absent_unit()) | {"nftables.service": unit()}),
    }


@pytest.mark.parametrize(
    ("chains", "ipv4", "ipv6"),
    [
        ([], "none", "none"),
        ([chain("inet", "drop")], "drop", "drop"),
        ([chain("ip", "drop")], "drop", "none"),
        ([chain("ip", "accept", "drop"), chain("ip6", "accept", "reject")], "drop", "reject"),
        ([chain("inet", "drop", "accept")], "accept", "accept"),
        ([chain("inet", "accept"), chain("ip", "drop")], "drop", "accept"),
        ([chain("inet", "drop", hook="output")], "none", "none"),
    ],
)
def test_the_default_is_told_for_each_family(chains: list[Any], ipv4: str, ipv6: str) -> None:
    seen = values(CHECK, answers(*chains))

    assert (seen["ipv4_input"], seen["ipv6_input"]) == (ipv4, ipv6)


@pytest.mark.parametrize("addresses", [Answer("absent"), ok("")])
def test_a_machine_without_ipv6_has_no_default_for_it(addresses: Answer) -> None:
    seen = values(CHECK, {**answers(chain("ip", "drop")), IPV6_ADDRESSES: addresses})

    assert seen["ipv6_input"] is None


def test_ports_come_once_and_in_order() -> None:
    seen = values(CHECK, answers(open_ports=["udp/53", "tcp/22", "tcp/22", "tcp/*"]))

    assert seen["open_ports"] == ("tcp/*", "tcp/22", "udp/53")


def test_a_flushed_firewall_still_shows_the_unit_that_would_load_it() -> None:
    seen = values(CHECK, answers(backend="none"))

    assert (seen["rules"], seen["loaders"], seen["starts_at_boot"]) == (
        0,
        ("nftables.service",),
        True,
    )


@pytest.mark.parametrize(
    "broken",
    [
        answers(backend="iptables-legacy"),
        answers(chain("inet", "maybe")),
        answers(open_ports=["ssh"]),
        answers(open_ports=["tcp/22; from 192.0.2.1"]),
        answers() | {RULES: Answer("denied", reason="needs root")},
        answers() | {LOADERS: Answer("timeout", reason="5 s")},
        answers() | {IPV6_ADDRESSES: Answer("error", reason="i/o")},
    ],
)
def test_what_was_not_seen_is_unobservable(broken: dict[Probe, Answer]) -> None:
    with pytest.raises(Unobservable):
        values(CHECK, broken)
