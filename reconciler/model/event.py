"""What the system itself says happened: a closed set of events, each with who may say so.

Any user can write any line into the journal. What counts is the message's id together with fields
that the journal adds itself (those with a leading underscore), which nobody else can set.

Source: systemd.journal-fields(7), sd-messages(3), Documentation/accounting/psi.rst.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

EventKind = Literal[
    "unit-failed", "out-of-memory", "core-dump", "messages-lost", "time-changed", "storage-error"
]
KINDS: tuple[EventKind, ...] = get_args(EventKind)

Resource = Literal["cpu", "memory", "io"]
RESOURCES: tuple[Resource, ...] = get_args(Resource)


@dataclass(frozen=True, slots=True)
class Event:
    """How to know one kind of event.

    Attributes:
        ids: Message ids, one of which it has; empty for what the kernel says.
        sender: A field that the journal adds, and what it must be; with an ``@`` at its end, the
            template unit that it must be of.
        unit: The field that names the unit it is about; ``None`` when it is about the machine.
        worst: Syslog priority that it must reach (0 is the worst); 7 is any.
        about: Kernel subsystems that it must be of one of; empty is any.
    """

    ids: tuple[str, ...]
    sender: tuple[str, str]
    unit: str | None
    worst: int = 7
    about: tuple[str, ...] = ()


EVENTS: Mapping[EventKind, Event] = {
    "unit-failed": Event(("d9b373ed55a64feb8242e02dbe79a49c",), ("_PID", "1"), "UNIT"),
    "out-of-memory": Event(("fe6faa94e7774663a0da52717891d8ef",), ("_PID", "1"), "UNIT"),
    "core-dump": Event(
        ("fc2e22bc6ee647b6b90729ab34a250b1",),
        ("_SYSTEMD_UNIT", "systemd-coredump@"),
        "COREDUMP_UNIT",
    ),
    "messages-lost": Event(
        ("a596d6fe7bfa4994828e72309e95d61e", "e9bf28e6e834481bb6f48f548ad13606"),
        ("_TRANSPORT", "driver"),
        None,
    ),
    "time-changed": Event(("c7a787079b354eaaa9e77b371893cd27",), ("_PID", "1"), None),
    "storage-error": Event(
        (), ("_TRANSPORT", "kernel"), None, 3, ("block", "scsi", "ata", "nvme", "mmc")
    ),
}


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """One event.

    Attributes:
        at_us: When the journal took it in, microseconds since 1970.
        kind: What it is.
        unit: The unit it is about; empty when it is about the machine.
    """

    at_us: int
    kind: EventKind
    unit: str


def recognise(kind: EventKind, fields: Mapping[str, str], at_us: int) -> Sighting | None:
    """A sighting, if a journal entry is one of this kind and comes from who may say it.

    Args:
        kind: What is looked for.
        fields: Of the entry.
        at_us: When the journal took it in.
    """
    event = EVENTS[kind]
    name, wanted = event.sender
    said = fields.get(name, "")
    # Of a template unit, the instance is a number.
    if said != wanted and not (wanted.endswith("@") and said.startswith(wanted)):
        return None
    if event.ids and fields.get("MESSAGE_ID") not in event.ids:
        return None
    if event.about and fields.get("_KERNEL_SUBSYSTEM") not in event.about:
        return None
    priority = fields.get("PRIORITY", "7")
    if not priority.isascii() or not priority.isdigit() or int(priority[:2]) > event.worst:
        return None
    return Sighting(at_us, kind, fields.get(event.unit, "")[:256] if event.unit else "")
