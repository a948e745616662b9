"""Which changes are a commit's own, so that its signer answers for them.

Rule 1: Of a commit with one parent: every path that differs. Of a root: every path.
Rule 2: Of a merge, against a parent: every path that differs, but for those that another parent has
        the same and the parent has as in every merge base of the two: that is what a clean
        three-way merge does, so it says nothing about who merged. Whatever takes an old version
        back, or mixes, is the merge's own.
"""

from collections.abc import Mapping

from reconciler.desired.trees import Leaf, Trees
from reconciler.desired.trust.lineage import Lineage


class OwnChanges:
    """Own changes of commits; each is worked out once."""

    def __init__(self, trees: Trees, lineage: Lineage) -> None:
        self._trees = trees
        self._lineage = lineage
        self._found: dict[str, tuple[tuple[str, ...], ...]] = {}

    def against_each(self, commit: str) -> tuple[tuple[str, ...], ...]:
        """For each parent, the paths of own changes against it, sorted; for a root, once.

        Raises:
            IntentRefused: ``tree-refused`` or ``too-large``.
            MirrorDamaged: An object is missing.
        """
        found = self._found.get(commit)
        if found is None:
            found = self._found[commit] = self._work_out(commit)
        return found

    def of(self, commit: str) -> tuple[str, ...]:
        """The paths of own changes against any parent, sorted.

        Raises:
            IntentRefused: As `against_each`.
            MirrorDamaged: As `against_each`.
        """
        each = self.against_each(commit)
        return each[0] if len(each) == 1 else tuple(sorted(set().union(*each)))

    def _work_out(self, commit: str) -> tuple[tuple[str, ...], ...]:
        link = self._lineage.link(commit)
        if len(link.parents) < 2:
            old = self._lineage.link(link.parents[0]).tree if link.parents else None
            return (tuple(sorted(self._trees.changes(old, link.tree, commit))),)
        return tuple(
            tuple(sorted(self._of_merge(commit, parent, link.parents))) for parent in link.parents
        )

    def _of_merge(self, commit: str, parent: str, parents: tuple[str, ...]) -> list[str]:
        changed = self._against(commit, parent)
        others = {other: self._against(commit, other) for other in parents if other != parent}
        return [
            path
            for path, (before, _) in changed.items()
            if not any(
                path not in changes and self._as_in_bases(commit, path, before, parent, other)
                for other, changes in others.items()
            )
        ]

    def _against(self, commit: str, parent: str) -> Mapping[str, tuple[Leaf | None, Leaf | None]]:
        link = self._lineage.link
        return self._trees.changes(link(parent).tree, link(commit).tree, commit)

    def _as_in_bases(
        self, commit: str, path: str, before: Leaf | None, parent: str, other: str
    ) -> bool:
        bases = self._lineage.merge_bases(parent, other)
        if not bases:
            return before is None
        trees = (self._lineage.link(base).tree for base in bases)
        return all(self._trees.leaf(tree, path, commit) == before for tree in trees)
