"""How commits follow one another: first-parent lines, steps, merge bases.

From raw commits and not from what a library makes of them, because which changes are a merge's own,
and so who answers for them, depends on it. New commits were read by the strict parser before; below
what is trusted whole there may be older ones of a form that it refuses, and only their links count.
"""

import heapq
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.desired.objects import Objects
from reconciler.errors import IntentRefused
from reconciler.evidence import commit as commits

_ONE, _TWO, _BELOW = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Link:
    """What a commit names.

    Attributes:
        tree: Hex id.
        parents: Hex ids in order.
        seconds: Committer time.
    """

    tree: str
    parents: tuple[str, ...]
    seconds: int


class Lineage:
    """Links of one repository, each read once."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._links: dict[str, Link] = {}
        self._bases: dict[tuple[str, str], tuple[str, ...]] = {}

    def link(self, oid: str) -> Link:
        """What a commit names.

        Raises:
            IntentRefused: ``malformed-commit``: it does not even have a tree.
            MirrorDamaged: It is not there.
        """
        found = self._links.get(oid)
        if found is None:
            found = self._links[oid] = self._read(oid)
        return found

    def line(self, head: str, new: Container[str], older: int = 0) -> tuple[list[str], list[str]]:
        """The first-parent line of a head, newest first.

        Args:
            head: Where it ends.
            new: Commits that are new.
            older: How many of the others are wanted.

        Returns:
            The new ones, and the ones before.
        """
        fresh: list[str] = []
        past: list[str] = []
        at: str | None = head
        while at is not None and (at in new or len(past) < older):
            (fresh if at in new else past).append(at)
            parents = self.link(at).parents
            at = parents[0] if parents else None
        return fresh, past

    def steps(self, line: Sequence[str], new: Container[str]) -> Mapping[str, list[str]]:
        """What each commit of a line brought.

        Args:
            line: First parents, oldest first.
            new: Commits to share out.

        Returns:
            For each of the line the new commits that it reaches and none before it does, itself
            first.
        """
        brought: dict[str, list[str]] = {}
        seen: set[str] = set()
        for tip in line:
            mine = brought[tip] = []
            pending = [tip]
            while pending:
                oid = pending.pop()
                if oid in new and oid not in seen:
                    seen.add(oid)
                    mine.append(oid)
                    pending += self.link(oid).parents
        return brought

    def reaches(self, descendant: str, ancestor: str) -> bool:
        """Whether one commit is the other or follows from it."""
        pending, seen = [descendant], {descendant}
        while pending:
            oid = pending.pop()
            if oid == ancestor:
                return True
            fresh = [parent for parent in self.link(oid).parents if parent not in seen]
            seen.update(fresh)
            pending += fresh
        return False

    def merge_bases(self, one: str, two: str) -> tuple[str, ...]:
        """Best common ancestors: those that no other common ancestor follows from."""
        pair = (one, two) if one < two else (two, one)
        if pair not in self._bases:
            common = self._common(*pair)
            self._bases[pair] = tuple(self._best(common)) if len(common) > 1 else tuple(common)
        return self._bases[pair]

    def _read(self, oid: str) -> Link:
        try:
            commit = self._objects.commit(oid)
        except IntentRefused:
            raw = self._objects.read("commit", oid, commits.MAX_BYTES) or b""
            tree = commits.tree_of(raw)
            if tree is None:
                raise
            return Link(tree, commits.parents_of(raw), 0)
        return Link(commit.tree, commit.parents, commit.committer.seconds)

    def _common(self, one: str, two: str) -> list[str]:
        """Common ancestors that matter, perhaps with some that another follows from.

        Two colours are spread from the newest commit down. Where both meet, nothing below is
        better, and the search ends when only such commits are left to look at. Committer times say
        where to look first and nothing else: a wrong one costs time.
        """
        colours = {one: _ONE, two: _TWO} if one != two else {one: _ONE | _TWO}
        heap = [(-self.link(oid).seconds, oid) for oid in colours]
        heapq.heapify(heap)
        open_ends = set(colours)
        common: dict[str, None] = {}
        while open_ends:
            oid = heapq.heappop(heap)[1]
            open_ends.discard(oid)
            colour = colours[oid]
            if colour == _ONE | _TWO:
                common[oid] = None
                colour |= _BELOW
            for parent in self.link(oid).parents:
                known = colours.get(parent, 0)
                if known | colour == known:
                    continue
                colours[parent] = known | colour
                heapq.heappush(heap, (-self.link(parent).seconds, parent))
                (open_ends.discard if colours[parent] & _BELOW else open_ends.add)(parent)
        return [oid for oid in common if not colours[oid] & _BELOW]

    def _best(self, common: Iterable[str]) -> list[str]:
        found = list(common)
        return [
            one
            for one in found
            if not any(other != one and self.reaches(other, one) for other in found)
        ]
