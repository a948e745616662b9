"""Units that systemd has in memory, and what they were loaded from: LoadedUnits, LoadedFrom."""

from functools import lru_cache

from reconciler.model.answer import Answer
from reconciler.model.nixos_probe import LoadedFrom, LoadedUnits
from reconciler.targets.linux.bus import MANAGER, buses_of, get, manager, value_of
from reconciler.targets.linux.dbus_wire import Call
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.units import unit_path

PATTERNS = ("*.service", "*.timer", "*.socket", "*.path", "*.target")
"""Kinds that start something; mounts and devices are made from the hardware and are many."""

_LIST = manager("ListUnitsByPatterns", "asas", (), PATTERNS)
_STATES = ("active", "activating", "deactivating", "reloading", "refreshing")
_ACTIVE = manager("ListUnitsByPatterns", "asas", _STATES, PATTERNS[:-1])
_UNIT = "org.freedesktop.systemd1.Unit"


def loaded_units(_probe: LoadedUnits, session: Session) -> Answer:
    """Load, active and sub state of every unit in memory."""
    (listed,) = buses_of(session).ask((_LIST,), session.deadline)
    rows = {str(row[0]): [str(row[2]), str(row[3]), str(row[4])] for row in value_of(listed)}
    return Answer("ok", dict(sorted(rows.items())))


def loaded_from(probe: LoadedFrom, session: Session) -> Answer:
    """Files of active units, of those in some directories."""
    buses = buses_of(session)
    (listed,) = buses.ask((_ACTIVE,), session.deadline)
    names = sorted({str(row[0]) for row in value_of(listed)})
    calls = [_call(name) for name in names]
    replies = buses.ask(calls, session.deadline) if calls else []
    # A unit may have gone away since it was listed.
    paths = {n: str(value_of(r)) for n, r in zip(names, replies, strict=True) if not r.error}
    below = tuple(f"{directory}/" for directory in probe.directories)
    return Answer("ok", {name: path for name, path in paths.items() if path.startswith(below)})


@lru_cache(maxsize=512)
def _call(name: str) -> Call:
    return get(MANAGER, unit_path(name), _UNIT, "FragmentPath")
