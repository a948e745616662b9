"""Sockets that accept traffic: what listens on the network, and what only on this machine.

A program that nobody declared and that listens is how most intrusions stay. The kernel's own
tables answer, so a program cannot hide by not being a unit. Sockets of the loopback interface
are told apart, because they are reachable from this machine only.

Source: 45 CFR 164.312(a)(1), 164.308(a)(1)(ii)(B); NIXOS:V-268131; proc_pid_net(5).
"""

from reconciler.checks.parsing.records import Record, records
from reconciler.checks.parsing.unit_names import reportable
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.probe import Probe, Sockets
from reconciler.model.values import Params

SOCKETS = Sockets()


def _port(socket: Record) -> str:
    protocol = socket.text("protocol")
    if protocol not in {"tcp", "udp"}:
        raise Unobservable("sockets: a protocol is neither tcp nor udp")
    return f"{protocol}/{socket.whole('port', lowest=1, highest=65_535)}"


def _in_order(ports: set[str]) -> tuple[str, ...]:
    """By protocol, then by number: tcp/22 comes before tcp/443."""
    return tuple(sorted(ports, key=lambda port: (port[:3], int(port[4:].partition(" ")[0]), port)))


def _owner(socket: Record) -> str:
    unit = socket.optional_text("unit")
    return f"{_port(socket)} {'?' if unit is None else reportable(unit)}"


def _parse(_params: Params, answers: Answers) -> Values:
    """Read the socket table; owners need root, ports do not."""
    sockets = records(answers.data(SOCKETS), "sockets")
    outside = [socket for socket in sockets if not socket.flag("loopback")]
    inside = [socket for socket in sockets if socket.flag("loopback")]
    return {
        "listening": _in_order({_port(socket) for socket in outside}),
        "loopback": _in_order({_port(socket) for socket in inside}),
        "owners": _in_order({_owner(socket) for socket in outside}),
    }


def _probes(_params: Params) -> tuple[Probe, ...]:
    """The socket table."""
    return (SOCKETS,)


CHECK = Check(
    id="LNX-NET-002",
    title="Only declared sockets listen",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.312(a)(1); NIXOS:V-268131; proc_pid_net(5)",
    fields={
        "listening": Field("list[str]", "Ports that accept traffic from the network, tcp/22."),
        "loopback": Field("list[str]", "Ports that accept traffic from this machine only."),
        "owners": Field(
            "list[str]",
            "Each network port with the systemd unit that holds it, 'tcp/22 ssh.service'; '?' "
            "where the owner may not be seen.",
        ),
    },
    probes=_probes,
    parse=_parse,
)
