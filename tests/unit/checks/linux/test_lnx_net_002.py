from typing import Any

import pytest

from reconciler.checks.linux.lnx_net_002 import CHECK, SOCKETS
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from tests.support.looking import ok, values


def socket(
    port: Any, unit: Any = "ssh.service", protocol: str = "tcp", **other: Any
) -> dict[str, Any]:
    loopback = other.get("loopback", False)
    address = "127.0.0.1" if loopback else "0.0.0.0"
    return {
        "protocol": protocol,
        "address": address,
        "port": port,
        "unit": unit,
        "loopback": loopback,
        **other,
    }


def test_ports_are_told_once_and_by_number() -> None:
    sockets = [
        socket(443, "nginx.service"),
        socket(22),
        socket(22, address="::"),
        socket(161, "snmpd.service", "udp"),
        socket(8443, "clinic.service", loopback=True),
    ]

    assert values(CHECK, {SOCKETS: ok(sockets)}) == {
        "listening": ("tcp/22", "tcp/443", "udp/161"),
        "loopback": ("tcp/8443",),
        "owners": ("tcp/22 ssh.service", "tcp/443 nginx.service", "udp/161 snmpd.service"),
    }


def test_an_owner_that_may_not_be_seen_is_a_question_mark() -> None:
    assert values(CHECK, {SOCKETS: ok([socket(22, None)])})["owners"] == ("tcp/22 ?",)


def test_nothing_listens_on_a_silent_machine() -> None:
    assert values(CHECK, {SOCKETS: ok([])})["listening"] == ()


@pytest.mark.parametrize(
    "answer",
    [
        Answer("timeout", reason="5 s"),
        ok(None),
        ok([socket(0)]),
        ok([socket(65_536)]),
        ok([socket(22, protocol="sctp")]),
        ok([socket(22, unit="not a unit")]),
        ok([socket(22, loopback=0)]),
        ok([{"port": 22}]),
    ],
)
def test_an_odd_table_is_unobservable(answer: Answer) -> None:
    with pytest.raises(Unobservable):
        values(CHECK, {SOCKETS: answer})
