"""The fleet repository as an appliance sees it: fetch, verify, read; each in its own words.

Order of trust: `fetch` brings bytes and trusts nothing. `verify_new` decides. `read_files` reads a
commit by its id, whatever the server says by then. What was accepted is the ledger's to remember;
a reference in the mirror only keeps its objects from being lost when the mirror is built anew.
"""

from datetime import datetime
from pathlib import Path

from reconciler.desired import trust
from reconciler.desired.limits import FETCH_LIMITS, READ_LIMITS, FetchLimits, ReadLimits
from reconciler.desired.mirror import Mirror
from reconciler.desired.objects import MirrorDamaged, Objects
from reconciler.desired.refusal import Reason, refuse
from reconciler.desired.tree import FleetTree
from reconciler.desired.trust import Acceptance, VerifiedCommit
from reconciler.errors import MachineError
from reconciler.evidence.signers import AllowedSigners
from reconciler.transport.cause import failure
from reconciler.transport.fetch import fetch
from reconciler.transport.location import NO_ACCESS, Access, check_branch, vet
from reconciler.transport.server import Server

__all__ = ["Access", "FetchLimits", "FleetSource", "ReadLimits"]

_SERVER = {"server": "fleet server", "meanwhile": "the last accepted state stays in force"}


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
    ) -> None:
        """Vet the address; nothing is fetched yet.

        Args:
            mirror: Where the bare mirror is, or will be.
            url: Path, ``file://``, ``https://``, ``ssh://`` or ``user@host:path``.
            branch: The one branch that counts.
            limits: Bounds of a fetch.
            read_limits: Bounds of what is verified and read.
            access: Key, known hosts, CA, token: files.

        Raises:
            InputError: An address or branch name that is not allowed.
        """
        self._server = Server(vet(url, access), access)
        self._branch = check_branch(branch)
        self._mirror = Mirror(mirror)
        self._limits = limits
        self._read_limits = read_limits
        self._tidy = False

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
        head = self._fetch_into(self._mirror)
        self._tidy = True
        return head

    def verify_new(
        self, *, accepted: str | None, head: str, pinned: AllowedSigners, now: datetime
    ) -> Acceptance:
        """Decide whether a fetched commit may be accepted: `reconciler.desired.trust.verify_new`.

        Raises:
            IntentRefused: It may not; nothing has changed.
            MachineError: The mirror is damaged and could not be built anew.
        """

        def verify() -> Acceptance:
            repository = self._mirror.open()
            return trust.verify_new(repository, accepted, head, pinned, now, self._read_limits)

        try:
            acceptance = verify()
        except MirrorDamaged:
            self.rebuild()
            acceptance = verify()
        if self._mirror.kept(self._branch) != head:
            self._mirror.keep(self._branch, head)
        return acceptance

    def reverify(self, accepted: str) -> VerifiedCommit:
        """Hold the accepted commit against the newest signers: `reconciler.desired.trust.reverify`.

        Raises:
            IntentRefused: ``signer-revoked``, or what is wrong with it.
            MirrorDamaged: It is not in the mirror.
        """
        return trust.reverify(self._mirror.open(), accepted, self._read_limits)

    def read_files(self, commit: str) -> dict[str, bytes]:
        """Files of ``approvals/``, ``hosts/``, ``policies/`` and ``runbooks/`` by path.

        Raises:
            IntentRefused: ``tree-refused`` or ``too-large``.
            MirrorDamaged: An object is missing.
        """
        return self._tree(commit).files()

    def tree_of(self, commit: str) -> str:
        """Hex id of a commit's tree.

        Raises:
            IntentRefused: ``malformed-commit``.
            MirrorDamaged: The commit is missing.
        """
        return self._tree(commit).oid

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
        head = self._fetch_into(fresh)
        if keep is not None:
            if keep not in fresh.open():
                message = f"the fleet server no longer has {keep[:12]}, which was accepted"
                hint = "The mirror is damaged or full; push the accepted commit again."
                raise MachineError(message, hint=hint)
            fresh.keep(self._branch, keep)
        self._mirror.replace_by(fresh)
        return head

    def _tree(self, commit: str) -> FleetTree:
        objects = Objects(self._mirror.open(), self._read_limits)
        return FleetTree(objects, commit, self._read_limits)

    def _fetch_into(self, mirror: Mirror) -> str:
        fetched = fetch(
            self._server,
            self._limits,
            repository=mirror.path,
            home=mirror.path / "client-home",
            branch=self._branch,
            into=f"refs/incoming/{self._branch}",
        )
        if fetched.commit is not None:
            return fetched.commit
        if fetched.cause == "missing-branch" or fetched.cause is None:
            raise refuse(Reason.MISSING_BRANCH, None, f"has no branch {self._branch}")
        message, hint = failure(fetched.cause, **_SERVER)
        raise MachineError(f"{message} ({self._server.location.url}: {fetched.detail})", hint=hint)
