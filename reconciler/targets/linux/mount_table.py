"""The file systems that are mounted, as PID 1 sees them: /proc/1/mountinfo.

A service may live in a mount namespace of its own, where everything is read-only and /tmp is
another one; what holds for the machine is what PID 1 sees.

Source: proc_pid_mountinfo(5): optional fields end at a lone dash; blanks are written in octal.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session

_LIMIT = 4 * 1024 * 1024
_OF_SYSTEMD = ("/run/credentials/", "/run/systemd/incoming/")
"""What systemd mounts into the namespace of a service: its secrets, and a place to pass more."""

_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mounted:
    """One mount.

    Attributes:
        device: ``major:minor`` of its file system.
        root: The directory of the file system that is mounted here.
        point: Where.
        type: Of the file system.
        options: Of the mount; ``ro`` also where the file system is.
    """

    device: str
    root: str
    point: str
    type: str
    options: frozenset[str]


def mount_table(session: Session, process: str = "1") -> tuple[Mounted, ...]:
    """Every mount that a process sees, in order.

    Raises:
        NoAnswer: A line cannot be read.
    """
    text = session.tree.read(f"/proc/{process}/mountinfo", _LIMIT).decode(
        "utf-8", "surrogateescape"
    )
    return tuple(_mount(line) for line in text.split("\n") if line)


def hidden_place(session: Session, mounts: Sequence[Mounted]) -> str | None:
    """A place where this process sees other files than PID 1 does, or none.

    Args:
        session: Of the look.
        mounts: What PID 1 sees.
    """
    by_point = {mount.point: mount for mount in mounts}
    # Where several lie on one point, the last hides the others.
    for own in {mount.point: mount for mount in mount_table(session, "self")}.values():
        above = _covering(by_point, own.point)
        below = own.point.removeprefix(above.point.rstrip("/"))
        seen = (above.root.rstrip("/") + below) or "/"
        differs = (own.device, own.root) != (above.device, seen) and _on_disk(above)
        if differs and not f"{own.point}/".startswith(_OF_SYSTEMD):
            return own.point
    return None


def _covering(by_point: dict[str, Mounted], path: str) -> Mounted:
    """The mount that a path lies on."""
    while path not in by_point and path != "/":
        path = path.rpartition("/")[0] or "/"
    if path not in by_point:
        raise NoAnswer("error", "mountinfo does not list /")
    return by_point[path]


def _on_disk(mount: Mounted) -> bool:
    """Whether files lie there, and not a view of the kernel."""
    return not mount.device.startswith("0:") or mount.type in {"tmpfs", "overlay", "btrfs", "zfs"}


def _mount(line: str) -> Mounted:
    before, separator, after = line.partition(" - ")
    left, right = before.split(" "), after.split(" ")
    if not separator or len(left) < 6 or len(right) < 3:
        raise NoAnswer("error", "mountinfo has a line that cannot be read")
    options = frozenset(left[5].split(",")) | ({"ro"} & set(right[2].split(",")))
    return Mounted(left[2], _plain(left[3]), _plain(left[4]), right[0], options)


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)
