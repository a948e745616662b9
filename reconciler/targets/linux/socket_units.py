"""Which socket unit of systemd holds an address: what PID 1 listens on for others."""

from collections.abc import Iterable
from typing import Any

from reconciler.targets.linux.bus import MANAGER, buses_of, get, manager, value_of
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.units import type_interface, unit_path

Place = tuple[str, str, int]
"""Protocol, address, port."""

_PROTOCOLS = {"Stream": "tcp", "Datagram": "udp"}


def socket_units(session: Session) -> dict[Place, str]:
    """Names of the loaded socket units by what they listen on; empty when systemd cannot say."""
    try:
        buses = buses_of(session)
        (listed,) = buses.ask((_LIST,), session.deadline)
        names = sorted(str(unit[0]) for unit in value_of(listed))
        calls = [get(MANAGER, unit_path(n), type_interface(n), "Listen") for n in names]
        replies = buses.ask(calls, session.deadline) if calls else []
        return {
            place: name
            for name, reply in zip(names, replies, strict=True)
            for place in places(value_of(reply))
        }
    except NoAnswer:
        return {}


def places(listen: Iterable[Any]) -> list[Place]:
    """Protocol, address and port of each internet address in a ``Listen`` property.

    Args:
        listen: Pairs such as ``("Stream", "[::]:22")``, as systemd writes them.
    """
    found = []
    for kind, address in listen:
        host, _, port = str(address).rpartition(":")
        if kind in _PROTOCOLS and host and port.isdecimal():
            found.append((_PROTOCOLS[kind], host.strip("[]"), int(port)))
    return found


_LIST = manager("ListUnitsByPatterns", "asas", (), ("*.socket",))
