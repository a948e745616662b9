"""The file systems that are mounted: /proc/self/mountinfo.

Source: proc_pid_mountinfo(5): optional fields end at a lone dash; blanks are written in octal.
"""

import re
from dataclasses import dataclass

from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session

_LIMIT = 4 * 1024 * 1024
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mounted:
    """One mount, with its own options and those of its file system."""

    point: str
    type: str
    options: frozenset[str]


def mount_table(session: Session) -> tuple[Mounted, ...]:
    """Every mount, in order.

    Raises:
        NoAnswer: A line cannot be read.
    """
    text = session.tree.read("/proc/self/mountinfo", _LIMIT).decode("utf-8", "surrogateescape")
    return tuple(_mount(line) for line in text.split("\n") if line)


def _mount(line: str) -> Mounted:
    before, separator, after = line.partition(" - ")
    left, right = before.split(" "), after.split(" ")
    if not separator or len(left) < 6 or len(right) < 3:
        raise NoAnswer("error", "mountinfo has a line that cannot be read")
    options = frozenset(left[5].split(",")) | ({"ro"} & set(right[2].split(",")))
    return Mounted(_OCTAL.sub(lambda found: chr(int(found[1], 8)), left[4]), right[0], options)
