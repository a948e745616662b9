"""How healthy a machine is, and whether it is as healthy as it was: AwaitHealth.

Rule 1: Only what regressed counts. A unit that had failed before is not blamed on the new system,
        and a way in that did not work before need not work now.
Rule 2: The baseline is what the order says, never what is seen after the switch. It is looked at
        for as long as health must hold afterwards: what comes and goes then is not blamed later.
Rule 3: Health must hold for a while; a unit that settles late is waited for.
Rule 4: How the switch ended is not health: it may end with an error for what had failed before.
"""

import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace

from reconciler.model.probe import FirewallChains, Sockets
from reconciler.model.system_operation import AwaitHealth
from reconciler.targets.linux.bus import buses_of, manager, value_of
from reconciler.targets.linux.firewall import firewall_chains
from reconciler.targets.linux.nixos import links, order
from reconciler.targets.linux.nixos.document import listed
from reconciler.targets.linux.nixos.order import Order
from reconciler.targets.linux.nixos.trusted import access_of, trusted
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.sockets import sockets
from reconciler.targets.linux.units import by_name, is_unit_name

_PAUSE_S = 0.5
_CONNECT_S = 5.0
_NAMED = 8


def baseline(started: Order, session: Session) -> Order:
    """An order with how healthy the machine is for a while before anything is changed.

    Raises:
        NoAnswer: systemd does not say.
    """
    until = time.monotonic() + access_of(session).steady_s
    ailing, running = _ailing(session), _active(_declared(started.system), session)
    ways = {way for way in _ways(session) if _works(way, session)}
    reached = _reaches(session)
    while time.monotonic() < until:
        time.sleep(_PAUSE_S)
        ailing |= _ailing(session)
        running &= _active(running, session)
        ways = {way for way in ways if _works(way, session)}
        reached = reached and _reaches(session)
    return replace(
        started,
        ailing=tuple(sorted(ailing)),
        running=tuple(sorted(running)),
        ways=tuple(sorted(ways)),
        reached=reached,
    )


def await_health(operation: AwaitHealth, session: Session) -> None:
    """Wait until nothing regressed, and for as long as it must stay so.

    Raises:
        NoAnswer: Something regressed, with its name; or no activation is under way.
    """
    trusted(operation.system, session)
    begun = order.read()
    if begun is None or begun.system != operation.system:
        raise NoAnswer("error", "the way back was gone before the system had proven itself")
    until_healthy(begun, session)
    order.mark_healthy(begun, session)


def until_healthy(begun: Order, session: Session) -> None:
    """Wait until the candidate of an order is as healthy as what ran before.

    Raises:
        NoAnswer: It did not become so in time, or did not stay so.
    """
    access = access_of(session)
    until = min(session.deadline, time.monotonic() + access.settle_s + access.steady_s)
    steady_since: float | None = None
    while True:
        missing = _missing(begun, session)
        now = time.monotonic()
        steady_since = None if missing else steady_since or now
        if steady_since is not None and now - steady_since >= access.steady_s:
            return
        if now >= until:
            raise NoAnswer("error", f"not as healthy as before: {missing or 'not for long enough'}")
        time.sleep(_PAUSE_S)


def _missing(begun: Order, session: Session) -> str:
    """What regressed, in words; empty when nothing did."""
    try:
        return "; ".join(_regressed(begun, session))
    except (NoAnswer, OSError) as error:
        # PID 1 may be restarting itself; what cannot be seen is not healthy, and is asked again.
        return f"could not look: {error}"


def _regressed(begun: Order, session: Session) -> Iterator[str]:
    running = links.running()
    if running != begun.system:
        yield f"{running} runs"
    yield from _named("failed", _ailing(session) - set(begun.ailing))
    yield from _named("not active", set(begun.running) - _active(begun.running, session))
    yield from _named("cut", {way for way in begun.ways if not _works(way, session)})
    if begun.reached and not _reaches(session):
        yield "the Git server cannot be reached"


def _named(what: str, names: Iterable[str]) -> Iterator[str]:
    found = sorted(names)
    if found:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        yield f"{what}: {', '.join(found[:_NAMED])}{more}"


def _ailing(session: Session) -> set[str]:
    """Units that failed, and those that systemd starts again after a failure."""
    call = manager("ListUnitsFiltered", "as", ("failed", "activating"))
    (told,) = buses_of(session).ask((call,), session.deadline)
    return {
        str(row[0])
        for row in value_of(told)
        if row[3] == "failed" or str(row[4]).startswith("auto-restart")
    }


def _active(units: Iterable[str], session: Session) -> set[str]:
    """Those of some units that are active."""
    names = tuple(filter(is_unit_name, units))
    if not names:
        return set()
    (told,) = buses_of(session).ask((manager("ListUnitsByNames", "as", names),), session.deadline)
    rows = by_name(names, value_of(told))
    return {name for name, row in rows.items() if row[3] in {"active", "reloading"}}


def _declared(system: str) -> frozenset[str]:
    """Units that a system says must run; empty where it does not say so in a form known here.

    What it declares is judged by checks. Here it only says which of what runs now must go on.
    """
    try:
        return listed(system, "units", "run")
    except NoAnswer:
        return frozenset()


def _ways(session: Session) -> list[str]:
    """What the host declares as the way in."""
    answer = session.internal("host")
    data = answer.data if answer.status == "ok" and isinstance(answer.data, dict) else {}
    found = data.get("access_path", [])
    named = [str(way) for way in found] if isinstance(found, list) else []
    # That something listens does not say that the packet filter lets anybody come to it.
    return [*named, *(f"open:{way[5:]}" for way in named if way.startswith("port:"))]


def _works(way: str, session: Session) -> bool:
    """Whether a part of the way in works; a file is none that could stop working."""
    kind, _, name = way.partition(":")
    if kind == "unit":
        return bool(_active((name,), session))
    if kind == "open":
        return _let_in(name, session)
    if kind != "port":
        return False
    rows = sockets(Sockets(), session).data
    return any(f"{row['protocol']}/{row['port']}" == name for row in rows)


def _let_in(port: str, session: Session) -> bool:
    """Whether the packet filter lets anybody come to a port."""
    answer = firewall_chains(FirewallChains(), session)
    inbound = [chain for chain in answer.data["chains"] if chain["hook"] == "input"]
    refused = any((chain["final_verdict"] or chain["policy"]) != "accept" for chain in inbound)
    if not refused:
        return True
    protocol, _, number = port.partition("/")
    return any(_covers(rule, protocol, number) for rule in answer.data["open_ports"])


def _covers(rule: str, protocol: str, number: str) -> bool:
    """Whether ``tcp/22``, ``tcp/20-30`` or ``tcp/*`` is about a port."""
    of, _, ports = rule.partition("/")
    first, _, last = ports.partition("-")
    if of != protocol or not number.isdecimal():
        return False
    return ports == "*" or int(first) <= int(number) <= int(last or first)


def _reaches(session: Session) -> bool:
    """Whether somebody listens where the Git server is."""
    where = access_of(session).reach
    if where is None:
        return False
    try:
        with closing(socket.create_connection(where, timeout=_CONNECT_S)):
            return True
    except OSError:
        return False
