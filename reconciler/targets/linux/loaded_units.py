"""Every unit that systemd has in memory, in one call: LoadedUnits."""

from reconciler.model.answer import Answer
from reconciler.model.nixos_probe import LoadedUnits
from reconciler.targets.linux.bus import buses_of, manager, value_of
from reconciler.targets.linux.session import Session

PATTERNS = ("*.service", "*.timer", "*.socket", "*.path", "*.target")
"""Kinds that start something; mounts and devices are made from the hardware and are many."""

_LIST = manager("ListUnitsByPatterns", "asas", (), PATTERNS)


def loaded_units(_probe: LoadedUnits, session: Session) -> Answer:
    """Load, active and sub state of every unit in memory."""
    (listed,) = buses_of(session).ask((_LIST,), session.deadline)
    rows = {str(row[0]): [str(row[2]), str(row[3]), str(row[4])] for row in value_of(listed)}
    return Answer("ok", dict(sorted(rows.items())))
