"""Free space and inodes of one file system.

A full disk stops the audit trail and the backup before it stops the clinic's software. Space is
counted as df(1) does: what root keeps for itself is not free to a service.

Source: 45 CFR 164.308(a)(7)(i), 164.312(b); NIXOS:V-268103; statvfs(3).
"""

from reconciler.checks.parsing import given
from reconciler.checks.parsing.records import Record, record
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, StatFilesystem
from reconciler.model.values import Params

MIB = 1024 * 1024


def _question(params: Params) -> StatFilesystem:
    return StatFilesystem(given.text(params, "path"))


def _space(facts: Record) -> tuple[int, int]:
    """Free percent, rounded down, and free MiB."""
    blocks, free, avail = facts.whole("blocks"), facts.whole("free"), facts.whole("avail")
    usable = blocks - free + avail
    if not 0 <= avail <= free <= blocks or usable <= 0:
        raise Unobservable("file system: the counts of blocks contradict each other")
    return 100 * avail // usable, avail * facts.whole("frsize") // MIB


def _inodes(facts: Record) -> int | None:
    """Free percent; ``None`` where a file system makes inodes as it needs them (btrfs, vfat)."""
    total, free = facts.whole("files"), facts.whole("files_free")
    if free > total:
        raise Unobservable("file system: the counts of inodes contradict each other")
    return 100 * free // total if total else None


def _parse(params: Params, answers: Answers) -> Values:
    """Read statvfs; a path that does not exist is a file system that is not mounted."""
    probe = _question(params)
    if answers.absent(probe):
        return {
            "mounted": False,
            "free_percent": None,
            "free_mib": None,
            "inodes_free_percent": None,
        }
    facts = record(answers.data(probe), "file system")
    free_percent, free_mib = _space(facts)
    return {
        "mounted": facts.flag("mounted"),
        "free_percent": free_percent,
        "free_mib": free_mib,
        "inodes_free_percent": _inodes(facts),
    }


def _probes(params: Params) -> tuple[Probe, ...]:
    """What statvfs says of the path."""
    return (_question(params),)


CHECK = Check(
    id="LNX-AVL-001",
    title="Free space and inodes",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.308(a)(7)(i); NIXOS:V-268103; statvfs(3)",
    params={"path": Parameter(type="str", doc="Mount point.", pattern=r"/[^\x00]*")},
    fields={
        "mounted": Field("bool", "Whether a file system is mounted at this very path."),
        "free_percent": Field(
            "int",
            "Free space that a service can use, percent, rounded down.",
            optional=True,
            gauge=True,
        ),
        "free_mib": Field("int", "The same in MiB, rounded down.", optional=True, gauge=True),
        "inodes_free_percent": Field(
            "int",
            "Free inodes, percent, rounded down; absent where their number is not limited.",
            optional=True,
            gauge=True,
        ),
    },
    probes=_probes,
    parse=_parse,
)
