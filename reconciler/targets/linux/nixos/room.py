"""Room on the disk for a system that is to be fetched.

Nix that comes to the end of a disk leaves it full, with half a path on it, and the evidence of what
failed is to be written to the same disk. So it is asked before.
"""

import os

from reconciler.nix import offered
from reconciler.nix.database import open_database
from reconciler.nix.process import NixStore
from reconciler.targets.linux.nixos.access import SystemAccess
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session

_LEFT = 256 << 20
_STORE = "/nix/store"
_ASK_S = 120.0


def require_room(path: str, access: SystemAccess, session: Session, state: NixStore) -> None:
    """See that there is room for what is not here yet of a system, and some more.

    Raises:
        NoAnswer: There is not; or the system is larger than it may be.
        MachineError: The Nix database cannot be read.
    """
    limit = min(session.remaining(), _ASK_S)
    sizes = offered.sizes(path, access.caches, timeout_s=limit, state=state)
    if sum(sizes.values()) > access.max_bytes:
        total = sum(sizes.values()) >> 20
        raise NoAnswer("error", f"the closure has {total} MiB, more than allowed")
    with open_database() as database:
        needed = sum(size for each, size in sizes.items() if database.info(each) is None)
    room = os.statvfs(_STORE)
    free = room.f_bavail * room.f_frsize
    if free - needed < _LEFT:
        raise NoAnswer(
            "error",
            f"{free >> 20} MiB are free in {_STORE}; {needed >> 20} MiB are to be fetched, and"
            f" {_LEFT >> 20} MiB must be left",
        )
