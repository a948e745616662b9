"""Raw Git objects of the mirror, read with a size limit and proven to be there."""

from collections import OrderedDict

import pygit2

from reconciler.desired.limits import ReadLimits
from reconciler.desired.refusal import Reason, refuse
from reconciler.errors import EvidenceError, MachineError
from reconciler.evidence import commit as commits
from reconciler.evidence.commit import Commit
from reconciler.transport.limits import MIB

_KEPT_BYTES = 32 * MIB
"""Raw bytes of the commits that are kept: all that an honest range holds, of large ones a few."""

_HINT = "Run again with the fleet server in reach: the mirror is then built anew."


class MirrorDamaged(MachineError):
    """An object that history names is not in the mirror, or does not hash to its name."""


class Objects:
    """Reads objects of one repository; keeps the commits it parsed, which neighbours share."""

    def __init__(self, repository: pygit2.Repository, limits: ReadLimits) -> None:
        self._repository = repository
        self._limits = limits
        self._commits: OrderedDict[str, tuple[Commit, int]] = OrderedDict()
        self._kept_bytes = 0

    def commit(self, oid: str) -> Commit:
        """A commit in the only form that is accepted.

        Raises:
            IntentRefused: ``malformed-commit``: another header, order, repetition, or kind.
            MirrorDamaged: It is not there.
        """
        found = self._commits.get(oid)
        if found is None:
            found = self._commits[oid] = self._parse(oid)
            self._kept_bytes += found[1]
            while self._kept_bytes > _KEPT_BYTES and len(self._commits) > 1:
                self._kept_bytes -= self._commits.popitem(last=False)[1][1]
        return found[0]

    def size(self, kind: str, oid: str) -> int:
        """Size of an object in bytes, without inflating it.

        Raises:
            IntentRefused: It is of another kind.
            MirrorDamaged: It is not there, or damaged.
        """
        try:
            found, size = self._repository.odb.read_header(oid)
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise MirrorDamaged(f"object {oid} cannot be read", hint=_HINT) from error
        if found.name.lower() != kind:
            reason = Reason.MALFORMED_COMMIT if kind == "commit" else Reason.TREE_REFUSED
            raise refuse(reason, None, f"offers a {found.name.lower()} as {kind} {oid}")
        return size

    def read(self, kind: str, oid: str, limit: int) -> bytes | None:
        """Raw content of an object, or None if it is larger than ``limit`` bytes.

        The size is looked at before the content, so that a file of gigabytes that compresses to
        nothing is not inflated.

        Raises:
            IntentRefused: It is of another kind.
            MirrorDamaged: It is not there, or does not hash to its name.
        """
        if self.size(kind, oid) > limit:
            return None
        try:
            return self._repository.odb.read(oid)[1]
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise MirrorDamaged(f"object {oid} cannot be read", hint=_HINT) from error

    def _parse(self, oid: str) -> tuple[Commit, int]:
        raw = self.read("commit", oid, commits.MAX_BYTES)
        if raw is None:
            raise refuse(Reason.MALFORMED_COMMIT, oid, "is larger than any commit needs to be")
        try:
            commit = commits.parse(raw, max_parents=self._limits.parents, utc_only=False)
        except EvidenceError as error:
            what = "has headers that are malformed, unexpected, repeated or out of order"
            raise refuse(Reason.MALFORMED_COMMIT, oid, what) from error
        return commit, len(raw)
