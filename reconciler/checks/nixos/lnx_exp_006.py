"""Sockets: what is declared listens, and nothing listens to the network that is not declared.

LNX-NET-002 compares ports with those that a person listed for the host; this compares port, address
and owner with what the configuration itself declares. Loopback sockets are not judged. A UDP port
of the ephemeral range that a declared unit holds is the client side of a conversation, and so are
those of DHCP and of link-local names while the declared client of it has them.

Source: 45 CFR 164.312(e)(1); NIST SP 800-53 CM-7; proc_pid_net(5); ip-sysctl, ip_local_port_range.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from reconciler.checks.parsing import declared
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.records import Record, records
from reconciler.checks.parsing.unit_names import reportable
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.declared import Listener, Units
from reconciler.model.expected import SOCKETS, UNITS
from reconciler.model.probe import Probe, Sockets
from reconciler.model.values import Params

_LIVE = Sockets()
_EPHEMERAL = range(32_768, 61_000)
# What a client of DHCP or of name services binds while it asks (RFC 2131, 8415, 4795, 6762).
_CLIENTS = {
    "dhcpcd": frozenset({68, 546}),
    "systemd-networkd": frozenset({68, 546}),
    "systemd-resolved": frozenset({5353, 5355}),
}
_ANY = frozenset({None, "", "*", "0.0.0.0", "::"})  # noqa: S104 - compared, never bound


@dataclass(frozen=True, slots=True)
class _Socket:
    """One live socket."""

    protocol: str
    port: int
    address: str
    unit: str | None
    loopback: bool

    @property
    def port_name(self) -> str:
        return f"{self.protocol}/{self.port}"

    @property
    def name(self) -> str:
        return f"{self.port_name} {'?' if self.unit is None else reportable(self.unit)}"


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, _LIVE)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    wanted, units = document.read(SOCKETS), document.read(UNITS)
    live = [_socket(one) for one in records(answers.data(_LIVE), "sockets")]
    drift = Drift(missing=set(_missing(wanted, live)))
    for socket in live:
        listeners = [one for one in wanted if _same_place(one, socket)]
        if not listeners and not socket.loopback and not _is_client(socket, units):
            drift.undeclared.add(socket.name)
        if listeners and not any(_same_owner(one, socket) for one in listeners):
            drift.different.add(socket.name)
    drift.owned = not drift.undeclared and not drift.different
    return declared.values(document, drift)


def _socket(one: Record) -> _Socket:
    protocol = one.text("protocol")
    if protocol not in {"tcp", "udp"}:
        raise Unobservable("sockets: a protocol is neither tcp nor udp")
    port = one.whole("port", lowest=1, highest=65_535)
    unit = one.optional_text("unit")
    return _Socket(protocol, port, one.text("address"), unit, one.flag("loopback"))


def _missing(wanted: tuple[Listener, ...], live: list[_Socket]) -> Iterator[str]:
    for listener in wanted:
        if not any(_same_place(listener, socket) for socket in live):
            yield f"{listener.protocol}/{listener.port}"


def _same_place(listener: Listener, socket: _Socket) -> bool:
    same = (listener.protocol, listener.port) == (socket.protocol, socket.port)
    return same and (
        listener.address in _ANY or _spelled(listener.address or "") == _spelled(socket.address)
    )


def _spelled(address: str) -> str:
    """An address as the kernel's tables spell it; people write one of version 6 in many ways."""
    try:
        return str(ip_address(address))
    except ValueError:
        return address


def _same_owner(listener: Listener, socket: _Socket) -> bool:
    """An owner that may not be seen is none that differs; a socket unit is its service's."""
    if listener.unit is None or socket.unit is None:
        return True
    return _stem(listener.unit) == _stem(socket.unit)


def _stem(unit: str) -> str:
    return unit.rpartition(".")[0].partition("@")[0]


def _is_client(socket: _Socket, units: Units) -> bool:
    if socket.unit is None or socket.unit not in {*units.run, *units.sockets, *units.oneshot}:
        return False
    if socket.port in _CLIENTS.get(_stem(socket.unit), ()):
        return True
    return socket.protocol == "udp" and socket.port in _EPHEMERAL


CHECK = Check(
    id="LNX-EXP-006",
    title="Sockets are those that the configuration declares",
    platforms=frozenset({"nixos"}),
    source="45 CFR 164.312(e)(1); NIST SP 800-53 CM-7; proc_pid_net(5)",
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)
