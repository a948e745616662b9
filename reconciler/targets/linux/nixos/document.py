"""What the expectations document of a system lists, as far as an activation needs it.

It is read by its members, not as a whole: a newer version of this project comes to a host by an
activation, and its document may have a form that is not known here yet.
"""

import json
from pathlib import Path

from reconciler.model.expected import MAX_BYTES, PLACE
from reconciler.targets.linux.no_answer import NoAnswer


def listed(system: str, *place: str) -> frozenset[str]:
    """Names that one member of a system's document lists.

    Args:
        system: Store path.
        place: Of the member: its name, after that of the one that holds it.

    Raises:
        NoAnswer: There is no document, or it has no such list of names.
    """
    try:
        with Path(system, PLACE).open("rb") as file:
            found = json.loads(file.read(MAX_BYTES))
        for name in place:
            found = found[name]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _silent(system, place) from error
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise _silent(system, place)
    return frozenset(found)


def _silent(system: str, place: tuple[str, ...]) -> NoAnswer:
    return NoAnswer("error", f"{system} does not list its {'.'.join(place)}")
