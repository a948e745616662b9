"""Sockets: what is declared listens, and nothing listens to the network that is not declared.

LNX-NET-002 compares ports with those that a person listed for the host; this compares port, address
and owner with what the configuration itself declares. Loopback sockets are not judged. A UDP port
of the ephemeral range that a declared unit holds is the client side of a conversation, and so are
those of DHCP and of link-local names while the declared client of it has them. No option of NixOS
says on which ports a web server listens, but its firewall does: a declared unit that declares no
socket may hold a port that is declared open.

Source: 45 CFR 164.312(e)(1); NIST SP 800-53 CM-7; proc_pid_net(5); ip-sysctl, ip_local_port_range.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from reconciler.checks.parsing import declared
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.records import Record, records
from reconciler.checks.parsing.unit_names import reportable
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.declared import Firewall, Listener, Units
from reconciler.model.expected import FIREWALL, SOCKETS, UNITS
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
    wanted, units = document.read(SOCKETS), _names(document.read(UNITS))
    served = _served(wanted, units, document.read(FIREWALL))
    live = [_socket(one) for one in records(answers.data(_LIVE), "sockets")]
    drift = Drift(missing=set(_missing(wanted, live)))
    for socket in live:
        listeners = [one for one in wanted if _same_place(one, socket)]
        known = socket.loopback or _is_client(socket, units) or served(socket)
        if not listeners and not known:
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


def _names(units: Units) -> frozenset[str]:
    return frozenset((*units.run, *units.sockets, *units.oneshot))


def _served(
    wanted: tuple[Listener, ...], units: frozenset[str], firewall: Firewall
) -> Callable[[_Socket], bool]:
    """Tells a port that is declared open, held by a declared unit that declares no socket."""
    declares = {_stem(listener.unit) for listener in wanted if listener.unit is not None}
    servers = {unit for unit in units if _stem(unit) not in declares}
    opened = [_opened(text) for text in firewall.open if firewall.enabled]
    return lambda socket: (
        socket.unit in servers
        and any(protocol == socket.protocol and socket.port in ports for protocol, ports in opened)
    )


def _opened(text: str) -> tuple[str, range]:
    protocol, _, ports = text.partition("/")
    low, _, high = ports.partition("-")
    return protocol, range(int(low), int(high or low) + 1)


def _is_client(socket: _Socket, units: frozenset[str]) -> bool:
    if socket.unit is None or socket.unit not in units:
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
