"""What a fleet server may cost an appliance, in bytes, objects and seconds.

A server that is broken or hostile may stop new desired state from coming in; it must never stop the
machine from being looked after. Every number here is far above what an honest fleet needs.
"""

from dataclasses import dataclass

from reconciler.transport.limits import MIB, WireLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits(WireLimits):
    """Bounds of one fetch of the fleet repository.

    Attributes:
        mirror_bytes: Size of the whole mirror; a server that keeps sending other histories stops
            here and not at the end of the disk.
        packs: Packs in the mirror before it is built again as one.
    """

    mirror_bytes: int = 1024 * MIB
    packs: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """Bounds of what one verification or one desired state may hold.

    Attributes:
        commits: New commits in one range.
        parents: Parents of one commit.
        file_bytes: One file.
        total_bytes: All files together.
        files: Number of files.
        tree_bytes: One tree object.
        depth: Folders below the top.
        changes: Paths in which two trees that are compared may differ.
        levels: Folders below the top of any path that a commit changes.
        visits: Entries of folders that one verification reads and compares.
        line: Commits of the first-parent line below the accepted one that approvals may start at.
    """

    commits: int = 20_000
    parents: int = 16
    file_bytes: int = MIB
    total_bytes: int = 64 * MIB
    files: int = 20_000
    tree_bytes: int = 4 * MIB
    depth: int = 8
    changes: int = 50_000
    levels: int = 64
    visits: int = 200_000_000
    line: int = 1000


FETCH_LIMITS = FetchLimits()
READ_LIMITS = ReadLimits()
