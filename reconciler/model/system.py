"""A NixOS system that a signed release names for one host."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

STORE_PATH = r"/nix/store/[0-9a-df-np-sv-z]{32}-[A-Za-z0-9+._?=-]{1,211}"
"""As Nix writes it: 32 digits of its own base 32, then a name (Nix manual, "Store Path")."""

StorePathText = Annotated[str, StringConstraints(pattern=rf"^{STORE_PATH}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedSystem:
    """What one host is meant to run, and by what it is known again.

    Attributes:
        path: Store path of the system (``system.build.toplevel``).
        drv: Store path of its derivation.
        nar_sha256: SHA-256 of its NAR, 64 hex digits.
        closure_sha256: Digest of its closure (`reconciler.nix.closure`), 64 hex digits; ``None``
            where the release does not say, and then the closure is trusted by its signatures.
        release: Commit that the release is of, 40 hex digits.
        revision: Digest of all systems of that release, 64 hex digits: what rings go by. Two
            commits whose systems are the same have the same one.
        waiting: Commit of a newer release that this host's ring has not come to; ``None`` if none.
    """

    path: str
    drv: str
    nar_sha256: str
    closure_sha256: str | None
    release: str
    revision: str
    waiting: str | None = None
