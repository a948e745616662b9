"""The fleet repository as an appliance sees it: fetch, verify, read; each in its own words.

Order of trust: `fetch` brings bytes and trusts nothing. `verify_new` decides. `read_files` reads a
commit by its id, whatever the server says by then. What was accepted is the ledger's to remember;
a reference in the mirror only keeps its objects from being lost when the mirror is built anew.
"""

import gc
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from pathlib import Path

from reconciler.desired.attestations import Attestations
from reconciler.desired.export import exported
from reconciler.desired.incoming import Incoming
from reconciler.desired.limits import FETCH_LIMITS, READ_LIMITS, FetchLimits, ReadLimits
from reconciler.desired.mirror import Mirror
from reconciler.desired.objects import MirrorDamaged, Objects
from reconciler.desired.tree import FleetTree
from reconciler.desired.trust import verify as trust
from reconciler.desired.trust.systems import Releases, releases_along
from reconciler.desired.trust.verify import Acceptance, Standing, VerifiedCommit
from reconciler.errors import MachineError
from reconciler.evidence.signers import AllowedSigners
from reconciler.transport.location import NO_ACCESS, Access, check_branch, vet
from reconciler.transport.server import Server
from reconciler.trust.heartbeat import Beat, Judged

__all__ = ["Access", "FetchLimits", "FleetSource", "ReadLimits"]


class FleetSource:
    """One branch of one fleet repository."""

    def __init__(
        self,
        mirror: Path,
        url: str,
        branch: str,
        limits: FetchLimits = FETCH_LIMITS,
        *,
        read_limits: ReadLimits = READ_LIMITS,
        access: Access = NO_ACCESS,
        attestations: str | None = "attestations",
        borrowed: bool = False,
    ) -> None:
        """Vet the address; nothing is fetched yet.

        Args:
            mirror: Where the bare mirror is, or will be.
            url: Path, ``file://``, ``https://``, ``ssh://`` or ``user@host:path``.
            branch: The one branch that counts.
            limits: Bounds of a fetch.
            read_limits: Bounds of what is verified and read.
            access: Key, known hosts, CA, token: files.
            attestations: The branch where approvals, heartbeats and the like are, if it is there;
                None if none is asked for.
            borrowed: The mirror is another user's, and is only read.

        Raises:
            InputError: An address or branch name that is not allowed.
        """
        server = Server(vet(url, access), access)
        self._branch = check_branch(branch)
        self._incoming = Incoming(server, limits, branch, attestations)
        self._mirror = Mirror(mirror, borrowed=borrowed)
        self._limits = limits
        self._read_limits = read_limits
        self._tidy = False
        self._standing: Standing | None = None

    def fetch(self) -> str:
        """Bring the branch's newest commit and its history into the mirror; trust nothing of it.

        Returns:
            Hex id of the commit at the branch's tip.

        Raises:
            MachineError: No network, unknown host, refused credentials, too slow, too large.
            IntentRefused: ``missing-branch``.
        """
        try:
            self._mirror.open()
            packs = self._mirror.pack_sizes()
        except MirrorDamaged:
            return self.rebuild()
        if not self._tidy:
            self._mirror.clear_leftovers()
        if len(packs) > self._limits.packs or sum(packs) > self._limits.mirror_bytes:
            return self.rebuild()
        # A fetch that does not come back leaves locks and half a pack behind.
        self._tidy = False
        head = self._incoming.fetch(self._mirror)
        self._tidy = True
        return head

    def verify_new(
        self,
        *,
        accepted: str | None,
        head: str,
        pinned: AllowedSigners,
        now: datetime,
        pin: str | None = None,
        recovered_at: datetime | None = None,
    ) -> Acceptance:
        """Decide whether a fetched commit may be accepted: `desired.trust.verify.verify_new`.

        Raises:
            IntentRefused: It may not; nothing has changed.
            MachineError: The mirror is damaged and could not be built anew.
        """

        def verify() -> Acceptance:
            self._mirror.check_kept(self._branch)
            return trust.verify_new(
                self._mirror.open(),
                accepted,
                head,
                pinned,
                now,
                self._read_limits,
                branch=self._branch,
                attestations=self.attestations(),
                pin=pin,
                recovered_at=recovered_at,
            )

        acceptance = None
        with suppress(MirrorDamaged):
            acceptance = verify()
        if acceptance is None:
            # Not while the error is handled, which keeps the damaged pack open: see `rebuild`.
            self.rebuild()
            acceptance = verify()
        if self._mirror.kept(self._branch) != head:
            self._mirror.keep(self._branch, head)
        return acceptance

    def reverify(self, accepted: str) -> VerifiedCommit:
        """Hold the accepted commit against the newest signers: `desired.trust.verify.reverify`.

        Raises:
            IntentRefused: ``signer-revoked``, or what is wrong with it.
            MirrorDamaged: It is not in the mirror.
        """
        return trust.reverify(self._mirror.open(), accepted, self._read_limits)

    def standing(self, accepted: str, now: datetime) -> Standing:
        """Hold all that is live against the newest trust: `reconciler.desired.trust.standing`.

        What a commit holds by revoked keys does not change, so it is looked for once.

        Raises:
            IntentRefused: ``signer-revoked``, or what is wrong with it.
            MirrorDamaged: It is not in the mirror.
        """
        known = self._standing
        found = trust.standing(
            self._mirror.open(),
            accepted,
            self._read_limits,
            branch=self._branch,
            now=now,
            attestations=self.attestations(),
            suspects=known.suspects if known is not None and known.commit == accepted else None,
        )
        self._standing = found
        return found

    def heartbeat(self, *, accepted: str, head: str, now: datetime, newest: Beat | None) -> Judged:
        """Judge the heartbeats that were fetched: `reconciler.desired.trust.heartbeat`.

        Args:
            accepted: What is accepted, also if only just now; its trust says who may sign.
            head: The commit that the branch is at.
            now: Wall time.
            newest: The newest heartbeat that was ever seen.

        Raises:
            IntentRefused: What is wrong with the trust files of ``accepted``.
            MirrorDamaged: A commit is not in the mirror.
        """
        return trust.heartbeat(
            self._mirror.open(),
            accepted,
            head,
            self._read_limits,
            branch=self._branch,
            now=now,
            attestations=self.attestations(),
            newest=newest,
        )

    def releases(self, accepted: str, now: datetime) -> Releases:
        """The releases that were fetched, along the line of what is accepted; ask it at once.

        Raises:
            IntentRefused: What is wrong with the trust files of ``accepted``.
            MirrorDamaged: It is not in the mirror.
        """
        return releases_along(
            self._mirror.open(),
            accepted,
            branch=self._branch,
            now=now,
            attestations=self.attestations(),
            limits=self._read_limits,
        )

    def read_files(self, commit: str) -> dict[str, bytes]:
        """Files of desired state (`reconciler.desired.tree.ROOTS`) by path.

        Raises:
            IntentRefused: ``tree-refused`` or ``too-large``.
            MirrorDamaged: An object is missing.
        """
        return self._tree(commit).files()

    def exported(self, commit: str) -> AbstractContextManager[Path]:
        """A directory with every file of a commit, for as long as it is needed.

        Raises:
            IntentRefused: ``tree-refused`` or ``too-large``.
            MachineError: It cannot be written.
            MirrorDamaged: An object is missing.
        """
        return exported(Objects(self._mirror.open(), self._read_limits), commit)

    def tree_of(self, commit: str) -> str:
        """Hex id of a commit's tree.

        Raises:
            IntentRefused: ``malformed-commit``.
            MirrorDamaged: The commit is missing.
        """
        return self._tree(commit).oid

    def attestations(self) -> Attestations:
        """What people and CI signed beside the branch, as it was fetched last.

        Raises:
            MirrorDamaged: There is no mirror to read from.
        """
        repository = self._mirror.open()
        commit, unread = self._incoming.beside(repository)
        return Attestations(repository, commit, unread=unread)

    def rebuild(self) -> str:
        """Clone into a new mirror and put it in place of this one.

        The old one stays if the new one lacks the commit that was accepted last: a server that
        drops history must not take the accepted state away.

        Raises:
            MachineError: As `fetch`, or the server no longer has what was accepted.
            IntentRefused: ``missing-branch``.
        """
        keep = self._mirror.kept(self._branch)
        fresh = self._mirror.begin_anew()
        head = self._incoming.fetch(fresh)
        if keep is not None:
            if keep not in fresh.open():
                message = f"the fleet server no longer has {keep[:12]}, which was accepted"
                hint = "The mirror is damaged or full; push the accepted commit again."
                raise MachineError(message, hint=hint)
            fresh.keep(self._branch, keep)
        self._mirror.replace_by(fresh)
        # libgit2 goes by the names of packs: what still has a torn one open would hand it on.
        gc.collect()
        return head

    def _tree(self, commit: str) -> FleetTree:
        objects = Objects(self._mirror.open(), self._read_limits)
        return FleetTree(objects, commit, self._read_limits)
