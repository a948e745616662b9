"""The state of systemd units: UnitStatus, in one round trip for all of them.

Source: org.freedesktop.systemd1(5). ``ListUnitsByNames`` loads units that nothing references, so
"inactive" and "not-found" are told apart; the paths of the objects follow from the names, so the
properties can be asked for in the same flight.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from reconciler.model.answer import Answer
from reconciler.model.probe import UnitStatus
from reconciler.targets.linux.bus import MANAGER, buses_of, get, manager, value_of
from reconciler.targets.linux.dbus_wire import Call, Message
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session

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
    names = sorted(set(probe.units))
    for name in names:
        if not is_unit_name(name):
            raise NoAnswer("error", f"{name!r:.80} is not a unit name")
    calls: list[Call] = [manager("ListUnitsByNames", "as", tuple(names))]
    for name in names:
        calls += _property_calls(name)
    replies = buses_of(session).ask(calls, session.deadline)
    return Answer("ok", _by_name(names, value_of(replies[0]), replies[1:]))


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


def _by_name(
    names: Sequence[str], rows: Sequence[Any], replies: Sequence[Message]
) -> dict[str, dict[str, str | int]]:
    if len(rows) != len(names):
        raise NoAnswer("error", "D-Bus: systemd left out a unit that was asked for")
    found, at = {}, 0
    for name, row in zip(names, rows, strict=True):
        wanted = _wanted(name)
        values = {
            key: value_of(reply)
            for (_, key), reply in zip(wanted, replies[at : at + len(wanted)], strict=True)
        }
        at += len(wanted)
        found[name] = _status(row, values)
    return found


def _status(row: Sequence[Any], values: dict[str, Any]) -> dict[str, str | int]:
    # systemd says "success" of a unit that it could not even load; that is no result.
    loaded = row[2] == "loaded"
    return {
        "load_state": str(row[2]),
        "active_state": str(row[3]),
        "sub_state": str(row[4]),
        "unit_file_state": str(values["UnitFileState"]),
        "result": str(values.get("Result", "")) if loaded else "",
        "restarts": int(values.get("NRestarts", 0)),
        "active_since": int(values["ActiveEnterTimestamp"]) // 1_000_000,
        "exec_main_status": int(values.get("ExecMainStatus", 0)),
    }
