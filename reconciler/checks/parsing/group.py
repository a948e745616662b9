"""group(5): names, numbers and members."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import Unobservable
from reconciler.model.probe import ReadFile

GROUP = ReadFile("/etc/group")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?")


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One group: its number, and who is in it beside those whose own group it is."""

    gid: int
    members: frozenset[str]


def groups(text: str) -> Mapping[str, GroupLine]:
    """Every group by name.

    Raises:
        Unobservable: There is none, a line is not one, or a name stands twice.
    """
    found: dict[str, GroupLine] = {}
    for line in text.split("\n"):
        if not line.strip():
            continue
        fields = line.split(":")
        members = frozenset(fields[-1].split(",")) - {""}
        if len(fields) != 4 or fields[0] in found or not _plain(fields[0], fields[2], members):
            raise Unobservable("/etc/group has a line that is not a group, or one twice")
        found[fields[0]] = GroupLine(int(fields[2]), members)
    if not found:
        raise Unobservable("/etc/group is empty")
    return found


def _plain(name: str, gid: str, members: frozenset[str]) -> bool:
    names = all(_NAME.fullmatch(one) for one in (name, *members))
    return names and re.fullmatch(r"[0-9]{1,10}", gid, re.ASCII) is not None
