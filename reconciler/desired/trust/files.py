"""The files under ``policies/trust/`` in the tree of any commit, parsed once for each content."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from reconciler.desired import strict_yaml
from reconciler.desired.limits import ReadLimits
from reconciler.desired.objects import Objects
from reconciler.desired.refusal import Reason, refuse
from reconciler.desired.tree import FILES
from reconciler.desired.trees import Leaf, Trees
from reconciler.desired.trust.lineage import Lineage
from reconciler.errors import InputError
from reconciler.evidence import signers as signers_file
from reconciler.evidence.signers import AllowedSigners
from reconciler.model.trust_policy import TrustPolicy
from reconciler.trust.paths import Owners
from reconciler.trust.people import People

TRUST = "policies/trust"
SIGNERS = "policies/trust/allowed_signers"
POLICY = "policies/trust/policy.yaml"
TRUSTED_ROOT = "policies/trust/trusted_root.json"

T = TypeVar("T")

_KEPT = 8
"""Contents that are kept parsed from one verification to the next."""


class Policy:
    """One ``policy.yaml``.

    Attributes:
        document: What it says.
        people: Whom it knows.
        owners: Which rule owns a path.
    """

    def __init__(self, document: TrustPolicy) -> None:
        self.document = document
        self.people = People(document)
        self.owners = Owners(document)


class TrustFiles:
    """Signers, policy and trusted root of commits."""

    def __init__(
        self, objects: Objects, trees: Trees, lineage: Lineage, limits: ReadLimits
    ) -> None:
        self._objects = objects
        self._trees = trees
        self._lineage = lineage
        self._limits = limits
        self._leaves: dict[tuple[str, str], Leaf | None] = {}
        self._signers: dict[str, AllowedSigners] = {}
        self._policies: dict[str, Policy] = {}

    def signers(self, commit: str, asked_by: str) -> AllowedSigners:
        """Signers in the tree of a commit.

        Args:
            commit: Whose tree.
            asked_by: The commit that a refusal names.

        Raises:
            IntentRefused: ``signers-missing``, or what is wrong with the tree.
            MirrorDamaged: An object is missing.
        """
        leaf = self._leaf(commit, SIGNERS, asked_by)
        place = _place(commit, asked_by)
        if leaf is None or leaf[0] not in FILES:
            what = f"cannot be trusted: {place} has no {SIGNERS}"
            raise refuse(Reason.SIGNERS_MISSING, asked_by, what)

        def parse(data: bytes) -> AllowedSigners:
            found = _signers_of(data)
            if not found.signers:
                what = f"cannot be trusted: the allowed_signers of {place} list nobody"
                raise refuse(Reason.SIGNERS_MISSING, asked_by, what)
            return found

        try:
            return self._parsed(self._signers, leaf[1], SIGNERS, asked_by, parse)
        except InputError as error:
            what = f"cannot be trusted: the allowed_signers of {place} are not readable{_at(error)}"
            raise refuse(Reason.SIGNERS_MISSING, asked_by, what) from error

    def policy(self, commit: str, asked_by: str) -> Policy | None:
        """Trust policy in the tree of a commit, None if it has none.

        Raises:
            IntentRefused: ``trust-policy-broken``, or what is wrong with the tree.
            MirrorDamaged: An object is missing.
        """
        leaf = self._leaf(commit, POLICY, asked_by)
        if leaf is None and self._is_folder(commit, asked_by):
            leaf = (b"", "")
        if leaf is None:
            return None
        place = _place(commit, asked_by)
        if leaf[0] not in FILES:
            what = f"cannot be trusted: {POLICY} of {place} is not a plain file"
            raise refuse(Reason.TRUST_POLICY_BROKEN, asked_by, what)

        try:
            return self._parsed(self._policies, leaf[1], POLICY, asked_by, _policy_of)
        except InputError as error:
            what = f"cannot be trusted: {POLICY} of {place} is not a trust policy{_at(error)}"
            raise refuse(Reason.TRUST_POLICY_BROKEN, asked_by, what) from error

    def trusted_root(self, commit: str) -> bytes | None:
        """The pinned sigstore root in the tree of a commit, None if it has none.

        Raises:
            IntentRefused: What is wrong with the tree, or ``too-large``.
            MirrorDamaged: An object is missing.
        """
        leaf = self._leaf(commit, TRUSTED_ROOT, commit)
        if leaf is None or leaf[0] not in FILES:
            return None
        return self._read(leaf[1], TRUSTED_ROOT, commit)

    def same(self, one: str, two: str, asked_by: str) -> bool:
        """Whether signers and policy of two commits are the same files."""
        return all(
            self._leaf(one, path, asked_by) == self._leaf(two, path, asked_by)
            for path in (SIGNERS, POLICY)
        )

    def _leaf(self, commit: str, path: str, asked_by: str) -> Leaf | None:
        tree = self._lineage.link(commit).tree
        key = (tree, path)
        if key not in self._leaves:
            self._leaves[key] = self._trees.leaf(tree, path, asked_by)
        return self._leaves[key]

    def _is_folder(self, commit: str, asked_by: str) -> bool:
        # A folder of that name would otherwise pass for a fleet without a policy.
        tree = self._lineage.link(commit).tree
        return self._trees.folder(tree, POLICY, asked_by) is not None

    def _parsed(
        self, kept: dict[str, T], blob: str, path: str, asked_by: str, parse: Callable[[bytes], T]
    ) -> T:
        if blob not in kept:
            kept[blob] = parse(self._read(blob, path, asked_by))
        return kept[blob]

    def _read(self, blob: str, path: str, asked_by: str) -> bytes:
        content = self._objects.read("blob", blob, self._limits.file_bytes)
        if content is None:
            raise refuse(Reason.TOO_LARGE, asked_by, f"is refused: {path} is too large")
        return content


@lru_cache(maxsize=_KEPT)
def _policy_of(data: bytes) -> Policy:
    # A daemon asks the same file at every poll.
    return Policy(strict_yaml.validate(strict_yaml.load(data, POLICY), TrustPolicy))


@lru_cache(maxsize=_KEPT)
def _signers_of(data: bytes) -> AllowedSigners:
    return signers_file.parse(data, SIGNERS)


def _place(commit: str, asked_by: str) -> str:
    return "its tree" if commit == asked_by else f"its parent {commit[:12]}"


def _at(error: InputError) -> str:
    # The line and no more: a refusal holds no text that an author chose.
    return f" (line {error.where.line})" if error.where and error.where.line else ""
