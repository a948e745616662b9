"""The mirror of another user, read by a process that believes nothing of them.

The helper runs as root and must know by itself what is trusted on this host. The objects in the
daemon's mirror are as good as their hashes and signatures; which of them counts is decided here
again, from what was pinned at enrolment and what this process accepted before.
"""

from datetime import datetime
from pathlib import Path

import pygit2

from reconciler.desired.attestations import Attestations
from reconciler.desired.mirror import Mirror
from reconciler.desired.trust import verify as trust
from reconciler.desired.trust.acceptance import Acceptance
from reconciler.errors import InputError
from reconciler.evidence.signers import AllowedSigners


class BorrowedMirror:
    """A mirror that is only read."""

    def __init__(self, path: Path, branch: str) -> None:
        """Find it.

        Args:
            path: Where it is.
            branch: The one branch that counts.

        Raises:
            InputError: There is none yet.
        """
        if not path.is_dir():
            hint = "Let the reconciler fetch the fleet first; its first run makes the mirror."
            raise InputError(f"there is no mirror of the fleet at {path}", hint=hint)
        # libgit2 opens nothing that another user owns, because its configuration could run
        # programs; ours reads objects, and runs none.
        pygit2.settings.owner_validation = False
        self._mirror = Mirror(path, borrowed=True)
        self._branch = branch

    def offered(self) -> str | None:
        """The commit that its owner says was accepted; nothing of it is proven."""
        return self._mirror.kept(self._branch)

    def verify(
        self,
        head: str,
        accepted: str | None,
        *,
        pinned: AllowedSigners,
        pin: str | None,
        recovered_at: datetime | None,
        attestations: Attestations,
        now: datetime,
    ) -> Acceptance:
        """Hold a commit against every rule of trust, from what was accepted here before.

        Args:
            head: What is offered.
            accepted: What was accepted here last; None: nothing, so what was pinned decides.
            pinned: Who was pinned at enrolment.
            pin: The commit that was pinned at enrolment.
            recovered_at: ``issued`` of the last recovery that was used here.
            attestations: What lies beside the branch.
            now: Wall time.

        Raises:
            IntentRefused: It may not be accepted.
            MirrorDamaged: An object is missing.
        """
        return trust.verify_new(
            self._mirror.open(),
            accepted,
            head,
            pinned,
            now,
            branch=self._branch,
            attestations=attestations,
            pin=pin,
            recovered_at=recovered_at,
        )
