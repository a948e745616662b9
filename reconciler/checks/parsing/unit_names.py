"""Names of systemd units that may reach evidence.

Names of services are chosen by administrators. Names of mounts, devices, scopes and slices are
made from paths and may hold what people wrote on a USB stick (45 CFR 164.514(b)), so of these
only the kind is told: ``*.mount``.
"""

import re

from reconciler.errors import Unobservable

_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,240}\.([a-z]{4,9})")
_CHOSEN = frozenset({"service", "socket", "timer", "target", "path"})
_FROM_PATHS = frozenset({"mount", "automount", "swap", "device", "scope", "slice"})


def reportable(unit: str) -> str:
    """The name, or ``*.<kind>`` when it is made from a path.

    Raises:
        Unobservable: It is not the name of a unit (systemd.unit(5)).
    """
    match = _NAME.fullmatch(unit)
    if match is not None and match[1] in _CHOSEN:
        return unit
    kind = unit.rpartition(".")[2]
    if kind in _FROM_PATHS:
        return f"*.{kind}"
    raise Unobservable("an answer holds something that is not the name of a unit")
