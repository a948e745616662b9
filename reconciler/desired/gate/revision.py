"""Revisions of a repository on disk, by names from a command line, and what differs between them.

Rule 1: A name means one commit. A branch and a tag of one name, or an abbreviation that fits two
        commits, is refused; reflogs, searches and other clever forms are not read at all.
Rule 2: Every path of the two trees counts, not only the four roots: a rule may own any of them.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType

from reconciler.desired.limits import READ_LIMITS, ReadLimits
from reconciler.desired.objects import MirrorDamaged, Objects
from reconciler.desired.tree import FleetTree
from reconciler.desired.trees import Change, Trees
from reconciler.errors import InputError
from reconciler.model.review import Named

_NAME = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._/+-]{0,250})(?P<back>(?:~[0-9]{1,4}|\^){0,8})")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHORT = re.compile(r"[0-9a-f]{7,39}")
_PLACES = ("refs/heads/{}", "refs/tags/{}", "refs/remotes/{}")
_HINT = "Give a branch, a tag or a commit id: main, origin/main, HEAD~1, 40 hex digits."
_SHALLOW = "In CI, fetch the whole history (fetch-depth: 0)."


@contextmanager
def complete() -> Iterator[None]:
    """Where objects are read that a shallow or damaged clone may lack.

    Raises:
        InputError: It lacks one.
    """
    try:
        yield
    except MirrorDamaged as error:
        hint = f"Fetch what is missing, or clone anew (git fsck says more). {_SHALLOW}"
        raise InputError(f"this clone is incomplete: {error.message}", hint=hint) from error


class Revisions:
    """A repository on disk, read only.

    Attributes:
        repository: For who reads further objects of it.
        objects: Its objects, within limits.
    """

    def __init__(self, directory: Path, limits: ReadLimits = READ_LIMITS) -> None:
        """Open it.

        Raises:
            InputError: There is no repository that this user may read.
        """
        try:
            self.repository = pygit2.Repository(str(directory))
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise InputError(
                f"{directory} is no Git repository that can be opened: {error}",
                hint="Give the root of a clone of the fleet repository; it must be yours "
                "(git config --global --add safe.directory says so for another owner's).",
            ) from error
        self.limits = limits
        self.objects = Objects(self.repository, limits)

    def resolve(self, text: str) -> Named:
        """The commit that a name from the command line means.

        Raises:
            InputError: It is no name, names nothing, or more than one thing.
            IntentRefused: The commit is malformed.
        """
        match = _NAME.fullmatch(text)
        if match is None or ".." in text:
            raise InputError(f"{text[:80]!r} is not the name of a revision", hint=_HINT)
        found = self._found(match["name"])
        if not found:
            raise InputError(
                f"there is no revision {match['name']}",
                hint=f"{_HINT} {_SHALLOW}",
            )
        if len(found) > 1:
            raise InputError(f"{match['name']} names {len(found)} different commits", hint=_HINT)
        commit = self._back(found.pop(), match["back"])
        return Named(text, commit, self.objects.commit(commit).tree)

    def tree(self, commit: str) -> FleetTree:
        """The tree of a commit, for its files."""
        return FleetTree(self.objects, commit, self.limits)

    def differing(self, old: Named, new: Named) -> Mapping[str, Change]:
        """Every path that differs between two revisions, with what is there on either side.

        Raises:
            IntentRefused: A tree is malformed, too deep, too large, or too much differs.
            MirrorDamaged: A tree is missing.
        """
        return Trees(self.objects, self.limits).changes(old.tree, new.tree, new.commit)

    def descends(self, commit: str, ancestor: str) -> bool:
        """Whether a commit has another one in its history.

        Raises:
            InputError: The history between them is not there.
        """
        try:
            return self.repository.descendant_of(commit, ancestor)
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise InputError(f"history of {commit[:12]} is incomplete", hint=_SHALLOW) from error

    def _found(self, name: str) -> set[str]:
        if _COMMIT.fullmatch(name):
            return {name} if self._is_commit(name) else set()
        names = [place.format(name) for place in _PLACES]
        names += [name] if name == "HEAD" or name.startswith("refs/") else []
        found = {commit for each in names if (commit := self._target(each))}
        if _SHORT.fullmatch(name):
            found |= self._abbreviated(name)
        return found

    def _target(self, reference: str) -> str | None:
        try:
            return str(self.repository.lookup_reference(reference).peel(pygit2.Commit).id)
        except (pygit2.GitError, KeyError, ValueError):
            return None

    def _abbreviated(self, short: str) -> set[str]:
        try:
            oid = str(self.repository.expand_id(short))
        except (pygit2.GitError, KeyError, ValueError):
            return set()
        return {oid} if self._is_commit(oid) else set()

    def _is_commit(self, oid: str) -> bool:
        try:
            return self.repository.odb.read_header(oid)[0] is ObjectType.COMMIT
        except (pygit2.GitError, KeyError, ValueError):
            return False

    def _back(self, commit: str, steps: str) -> str:
        for step in re.findall(r"~[0-9]+|\^", steps):
            for _ in range(1 if step == "^" else int(step[1:])):
                parents = self.objects.commit(commit).parents
                if not parents:
                    raise InputError(f"history does not go back {steps}", hint=_HINT)
                commit = parents[0]
        return commit
