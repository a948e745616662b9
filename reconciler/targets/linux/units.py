"""The state of systemd units: UnitStatus, in two round trips for all units of a round.

Source: org.freedesktop.systemd1(5). ``ListUnitsByNames`` loads units that nothing references, so
"inactive" and "not-found" are told apart; the paths of the objects follow from the names, so all
properties of all units are asked for in one flight.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from reconciler.model.answer import Answer
from reconciler.model.probe import UnitStatus
from reconciler.targets.linux.bus import MANAGER, buses_of, get, manager, value_of
from reconciler.targets.linux.dbus_wire import Call, Message
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session, UnitState

_UNIT = "org.freedesktop.systemd1.Unit"
_NAME = re.compile(
    r"[A-Za-z0-9:_.\\@-]{1,240}\."
    r"(service|socket|timer|target|mount|automount|path|swap|slice|scope|device)"
)
_WITH_RESULT = frozenset(
    {"service", "socket", "timer", "mount", "automount", "path", "swap", "scope"}
)
_COMMON = ("UnitFileState", "ActiveEnterTimestamp")


def is_unit_name(name: str) -> bool:
    """Whether a name is one that systemd can load: a template without an instance is none."""
    return _NAME.fullmatch(name) is not None and "@." not in name


def unit_path(name: str) -> str:
    """Path of a unit's object; every byte that is no ASCII letter or digit is ``_xx``.

    A digit in front is escaped too, as sd_bus_path_encode(3) says.
    """
    escaped = "".join(
        character
        if character.isascii() and (character.isalpha() or (character.isdigit() and at))
        else "".join(f"_{byte:02x}" for byte in character.encode())
        for at, character in enumerate(name)
    )
    return f"/org/freedesktop/systemd1/unit/{escaped}"


def type_interface(name: str) -> str:
    """The interface of a unit's own type: ``org.freedesktop.systemd1.Service``."""
    return f"org.freedesktop.systemd1.{name.rpartition('.')[2].capitalize()}"


def unit_status(probe: UnitStatus, session: Session) -> Answer:
    """Load, active, sub and file state, last result, restarts and start time of units."""
    for name in probe.units:
        if not is_unit_name(name):
            raise NoAnswer("error", f"{name!r:.80} is not a unit name")
    if not session.units.keys() >= set(probe.units):
        session.units.update(_look_ahead(frozenset(probe.units), session))
    return Answer("ok", {name: session.units[name] for name in sorted(set(probe.units))})


def _look_ahead(names: frozenset[str], session: Session) -> dict[str, UnitState]:
    """Look at what this round will ask for as well: one flight instead of many."""
    wanted = names.union(filter(is_unit_name, session.units_ahead))
    try:
        return _look(sorted(wanted), session)
    except NoAnswer as unknown:
        if unknown.status != "error" or wanted == names:
            raise
        # One name that systemd does not like must not cost the others their answer.
        session.units_ahead = frozenset()
        return _look(sorted(names), session)


def _look(names: Sequence[str], session: Session) -> dict[str, UnitState]:
    buses = buses_of(session)
    (listed,) = buses.ask((manager("ListUnitsByNames", "as", tuple(names)),), session.deadline)
    rows = by_name(names, value_of(listed))
    # systemd would load a unit that does not exist anew for each of its properties.
    present = [name for name in names if rows[name][2] != "not-found"]
    calls = [call for name in present for call in _property_calls(name)]
    replies = iter(buses.ask(calls, session.deadline) if calls else ())
    return {
        name: _status(rows[name], _values(name, replies) if name in present else {})
        for name in names
    }


@lru_cache(maxsize=512)
def _wanted(name: str) -> tuple[tuple[str, str], ...]:
    kind = name.rpartition(".")[2]
    own: tuple[str, ...] = ("Result",) if kind in _WITH_RESULT else ()
    if kind == "service":
        own += ("NRestarts", "ExecMainStatus")
    return tuple((_UNIT, p) for p in _COMMON) + tuple((type_interface(name), p) for p in own)


@lru_cache(maxsize=512)
def _property_calls(name: str) -> tuple[Call, ...]:
    path = unit_path(name)
    return tuple(get(MANAGER, path, interface, name_) for interface, name_ in _wanted(name))


def _values(name: str, replies: Iterator[Message]) -> dict[str, Any]:
    return {key: value_of(next(replies)) for _, key in _wanted(name)}


def by_name(names: Sequence[str], rows: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """The rows of ``ListUnitsByNames`` by the names that were asked for; an alias keeps its own.

    Raises:
        NoAnswer: systemd left one out.
    """
    if len(rows) != len(names):
        raise NoAnswer("error", "D-Bus: systemd left out a unit that was asked for")
    return dict(zip(names, rows, strict=True))


def _status(row: Sequence[Any], values: dict[str, Any]) -> UnitState:
    # systemd says "success" of a unit that it could not even load; that is no result.
    loaded = row[2] == "loaded"
    return {
        "load_state": str(row[2]),
        "active_state": str(row[3]),
        "sub_state": str(row[4]),
        "unit_file_state": str(values.get("UnitFileState", "")),
        "result": str(values.get("Result", "")) if loaded else "",
        "restarts": int(values.get("NRestarts", 0)),
        "active_since": int(values.get("ActiveEnterTimestamp", 0)) // 1_000_000,
        "exec_main_status": int(values.get("ExecMainStatus", 0)),
    }
