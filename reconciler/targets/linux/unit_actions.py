"""Changes to systemd units over D-Bus: UnitJob, UnitFile, UnitProperty, DaemonReload.

Source: org.freedesktop.systemd1(5). Each action has a connection of its own and is sent once: an
action whose connection broke may have happened, so it is reported, never repeated.
"""

from reconciler.model.operation import DaemonReload, UnitFile, UnitJob, UnitProperty
from reconciler.targets.linux.bus import (
    MANAGER,
    Buses,
    bus_trouble,
    manager,
    once,
    refused,
    value_of,
)
from reconciler.targets.linux.dbus_connection import Connection
from reconciler.targets.linux.dbus_values import Malformed
from reconciler.targets.linux.dbus_wire import Call, Message
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.units import is_unit_name

_JOBS = {
    "start": "StartUnit",
    "stop": "StopUnit",
    "restart": "RestartUnit",
    "reload": "ReloadUnit",
    "try-restart": "TryRestartUnit",
}
_NO_LIMIT = 2**64 - 1
_MATCH = (
    "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.systemd1.Manager',"
    "member='JobRemoved'"
)
_BUS = "org.freedesktop.DBus"


def unit_job(operation: UnitJob, session: Session) -> None:
    """Queue a job and wait for its end.

    Raises:
        NoAnswer: systemd refused, the job ended badly, or did not end in time.
    """
    _require_unit(operation.unit)
    if operation.verb == "reset-failed":
        act(manager("ResetFailedUnit", "s", operation.unit), session)
        return
    call = manager(_JOBS[operation.verb], "ss", operation.unit, "replace")
    result = _job(call, session.deadline)
    if result != "done":
        raise NoAnswer("error", f"{operation.verb} of {operation.unit}: {result}")


def unit_file(operation: UnitFile, session: Session) -> None:
    """Change what a unit's links say, then make the manager read them.

    Raises:
        NoAnswer: systemd refused, or did not answer in time.
    """
    _require_unit(operation.unit)
    names = (operation.unit,)
    calls: dict[str, tuple[Call, ...]] = {
        "enable": (manager("EnableUnitFiles", "asbb", names, False, False),),
        "disable": (manager("DisableUnitFiles", "asb", names, False),),
        "mask": (manager("MaskUnitFiles", "asbb", names, False, False),),
        # A mask that only lasts until reboot hides the unit just as well.
        "unmask": tuple(manager("UnmaskUnitFiles", "asb", names, now) for now in (False, True)),
    }
    for call in calls[operation.verb]:
        act(call, session)
    act(manager("Reload"), session)


def unit_property(operation: UnitProperty, session: Session) -> None:
    """Set a resource limit until reboot.

    Raises:
        NoAnswer: systemd refused, or did not answer in time.
    """
    _require_unit(operation.unit)
    value = _NO_LIMIT if operation.value is None else operation.value
    properties = ((operation.name, ("t", value)),)
    act(manager("SetUnitProperties", "sba(sv)", operation.unit, True, properties), session)


def daemon_reload(_operation: DaemonReload, session: Session) -> None:
    """Make systemd read its unit files again.

    Raises:
        NoAnswer: systemd refused, or did not answer in time.
    """
    act(manager("Reload"), session)


def act(call: Call, session: Session) -> None:
    """Have systemd do something that is done when it answers.

    Raises:
        NoAnswer: systemd refused, or did not answer in time.
    """
    reply = once(call, session.deadline)
    if reply.error:
        raise refused(reply)


def _require_unit(name: str) -> None:
    if not is_unit_name(name):
        raise NoAnswer("error", f"{name!r:.80} is not a unit name")


def _job(call: Call, deadline: float) -> str:
    """How a job ended: ``done``, ``failed``, ``timeout``, ``dependency``, ``skipped``, ..."""
    buses = Buses()
    try:
        return _ended(buses.connection(MANAGER, deadline, listen=True), call, deadline)
    except (OSError, Malformed) as error:
        raise bus_trouble(error) from error
    finally:
        buses.close()


def _ended(bus: Connection, call: Call, deadline: float) -> str:
    if bus.daemon:
        # PID 1 itself sends its signals unasked; on the bus they must be asked for.
        asked = bus.call_all(
            (
                Call(_BUS, "/org/freedesktop/DBus", _BUS, "AddMatch", "s", (_MATCH,)),
                manager("Subscribe"),
            ),
            deadline,
        )
        for reply in asked:
            if reply.error:
                raise refused(reply)
    (started,) = bus.call_all((call,), deadline)
    job = value_of(started)
    ended: Message = bus.wait_signal(lambda m: len(m.body) > 3 and m.body[1] == job, deadline)
    return str(ended.body[3])
