"""Which programs a target may start, where they may lie, and where it may make a mess."""

from dataclasses import dataclass

DIRECTORIES = (
    "/run/wrappers/bin",
    "/run/current-system/sw/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
)
"""Directories that only root writes: NixOS first, then the merged and the old layout."""

LOOK = frozenset(
    {
        "chronyc",
        "faillock",
        "journalctl",
        "lsblk",
        "nft",
        "restic",
        "ssh-keyscan",
        "sshd",
    }
)
"""Programs that only look, for probes."""

ACT = LOOK | frozenset(
    {
        "augenrules",
        "systemd-tmpfiles",
        "usermod",
    }
)
"""Programs that steps may run as well."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """Names of programs that may be started, and the places that may be used.

    Attributes:
        look: Names that a `Command` probe may start.
        act: Names that a `Run` operation may start.
        directories: Searched in order; never PATH.
        scratch: The directory below which restore tests make their own, and remove them.
    """

    look: frozenset[str] = LOOK
    act: frozenset[str] = ACT
    directories: tuple[str, ...] = DIRECTORIES
    scratch: str = "/var/lib/reconciler/scratch"
