"""systemd and other services over D-Bus: UnitStatus, FailedUnits, BusProperty.

Root talks to PID 1 itself (``/run/systemd/private``), which costs a third and works while
dbus-daemon does not; everybody else, and every other service, goes through the system bus.
"""

import errno
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from reconciler.model.answer import Answer
from reconciler.model.probe import BusProperty, FailedUnits
from reconciler.targets.linux.dbus_connection import Connection
from reconciler.targets.linux.dbus_values import Malformed
from reconciler.targets.linux.dbus_wire import Call, Message
from reconciler.targets.linux.no_answer import NoAnswer, permission_denied
from reconciler.targets.linux.session import Session

MANAGER = "org.freedesktop.systemd1"
MANAGER_PATH = "/org/freedesktop/systemd1"
MANAGER_INTERFACE = "org.freedesktop.systemd1.Manager"
PRIVATE = "/run/systemd/private"
SYSTEM = "/run/dbus/system_bus_socket"
MAX_IDLE_S = 120.0

_PROPERTIES = "org.freedesktop.DBus.Properties"
_ERROR = "org.freedesktop.DBus.Error."
_DENIED = ("AccessDenied", "AuthFailed", "InteractiveAuthorizationRequired")
_ABSENT = ("ServiceUnknown", "NameHasNoOwner", "UnknownObject", "UnknownInterface", "UnknownMethod",
           "UnknownProperty")  # fmt: skip
_SLOW = ("NoReply", "Timeout", "TimedOut")
_NOBODY = frozenset({errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR})


class Buses:
    """Connections to PID 1 and to the system bus, opened when needed.

    To open one costs PID 1 milliseconds, so they stay open between rounds. But PID 1 sends every
    signal of the manager to whoever is connected, and keeps what is not read in its own memory:
    where rounds are more than `MAX_IDLE_S` apart, nothing stays open.
    """

    def __init__(self, private: str = PRIVATE, system: str = SYSTEM) -> None:
        """Nothing is opened yet.

        Args:
            private: Socket of PID 1.
            system: Socket of the system bus.
        """
        self._sockets = {True: private, False: system}
        self._open: dict[bool, Connection] = {}
        self._keep = True
        self._rested_at = time.monotonic()

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            self._open.popitem()[1].close()

    def rest(self) -> None:
        """Between two rounds: keep what is open, if rounds come often."""
        if not self._keep:
            self.close()
        self._rested_at = time.monotonic()

    def wake(self) -> None:
        """Before the first question of a round."""
        self._keep = self._keep and time.monotonic() - self._rested_at <= MAX_IDLE_S

    def ask(self, calls: Sequence[Call], deadline: float) -> list[Message]:
        """Call methods that change nothing; a connection that broke is opened again, once.

        Args:
            calls: All to the same destination.
            deadline: Monotonic time at which to give up.

        Returns:
            One reply for each call; errors of the other side are among them.

        Raises:
            NoAnswer: No bus, no permission, no time, or no sense in what came back.
        """
        try:
            try:
                return self.connection(calls[0].destination, deadline).call_all(calls, deadline)
            except ConnectionError:
                self.close()
                return self.connection(calls[0].destination, deadline).call_all(calls, deadline)
        except (OSError, Malformed) as error:
            self.close()
            raise bus_trouble(error) from error

    def connection(self, destination: str, deadline: float, *, listen: bool = False) -> Connection:
        """An open connection to whoever reaches a destination.

        Args:
            destination: Bus name.
            deadline: Monotonic time at which to give up.
            listen: Whether signals matter.

        Raises:
            OSError: There is none, or no time.
        """
        if destination == MANAGER and os.geteuid() == 0:
            # Where PID 1 does not listen for itself, the bus may still know the way.
            with suppress(FileNotFoundError, ConnectionRefusedError):
                return self._opened(deadline, direct=True, listen=listen)
        return self._opened(deadline, direct=False, listen=listen)

    def _opened(self, deadline: float, *, direct: bool, listen: bool) -> Connection:
        if direct not in self._open:
            self._open[direct] = Connection(
                self._sockets[direct], daemon=not direct, deadline=deadline, listen=listen
            )
        return self._open[direct]


def buses_of(session: Session) -> Buses:
    """The session's buses."""
    if session.buses is None:
        session.buses = Buses()
    return session.buses


def once(call: Call, deadline: float) -> Message:
    """Call a method once, on a connection of its own: the last one may have ended with its PID 1.

    What a broken connection took along may have happened, so it is reported, never repeated.

    Args:
        call: What to call.
        deadline: Monotonic time at which to give up.

    Returns:
        The reply, which may be an error of the other side.

    Raises:
        NoAnswer: No bus, no permission, no time, or no sense in what came back.
    """
    buses = Buses()
    try:
        (reply,) = buses.connection(call.destination, deadline).call_all((call,), deadline)
    except (OSError, Malformed) as error:
        raise bus_trouble(error) from error
    else:
        return reply
    finally:
        buses.close()


def get(destination: str, path: str, interface: str, name: str) -> Call:
    """A call that reads one property."""
    return Call(destination, path, _PROPERTIES, "Get", "ss", (interface, name))


def manager(member: str, signature: str = "", *args: Any) -> Call:
    """A call to systemd's manager object."""
    return Call(MANAGER, MANAGER_PATH, MANAGER_INTERFACE, member, signature, args)


def value_of(reply: Message) -> Any:
    """The first value of a reply.

    Raises:
        NoAnswer: It is an error, or empty.
    """
    if reply.error:
        raise refused(reply)
    if not reply.body:
        raise NoAnswer("error", "D-Bus: empty reply")
    return reply.body[0]


def refused(reply: Message) -> NoAnswer:
    """An error reply in the words of an answer."""
    name = reply.error.removeprefix(_ERROR)
    text = str(reply.body[0])[:200] if reply.body else ""
    if name in _DENIED:
        return NoAnswer("denied", permission_denied())
    if name in _ABSENT:
        return NoAnswer("absent", f"D-Bus: {text or name}")
    if name in _SLOW:
        return NoAnswer("timeout", "D-Bus: the service did not answer in time")
    return NoAnswer("error", f"D-Bus: {name}: {text}")


def bus_trouble(error: Exception) -> NoAnswer:
    """A broken, missing or silent bus in the words of an answer."""
    if isinstance(error, Malformed):
        return NoAnswer("error", f"D-Bus: malformed message: {error}")
    if isinstance(error, TimeoutError):
        return NoAnswer("timeout", "D-Bus: did not answer in time")
    if isinstance(error, PermissionError):
        return NoAnswer("denied", f"D-Bus: {permission_denied()}")
    if isinstance(error, OSError) and error.errno in _NOBODY:
        return NoAnswer("unsupported", "D-Bus: no system bus")
    return NoAnswer("error", f"D-Bus: {error}")


def failed_units(_probe: FailedUnits, session: Session) -> Answer:
    """What systemd says of itself, and the units that failed."""
    calls = (
        get(MANAGER, MANAGER_PATH, MANAGER_INTERFACE, "SystemState"),
        manager("ListUnitsFiltered", "as", ("failed",)),
    )
    state, units = buses_of(session).ask(calls, session.deadline)
    failed = sorted(str(unit[0]) for unit in value_of(units))
    return Answer("ok", {"system_state": str(value_of(state)), "failed": failed})


def bus_property(probe: BusProperty, session: Session) -> Answer:
    """One property of one object."""
    call = get(probe.destination, probe.path, probe.interface, probe.name)
    (reply,) = buses_of(session).ask((call,), session.deadline)
    return Answer("ok", value_of(reply))
