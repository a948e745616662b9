"""Which text the scan for secrets looks at: what would be committed, or what a change adds."""

from dataclasses import replace
from pathlib import Path

import pygit2
from pygit2.enums import DiffOption

from reconciler.desired.gate.revision import Revisions, complete
from reconciler.desired.gate.secrets import MAX_FILE, find_secrets
from reconciler.desired.gate.worktree import every_file
from reconciler.desired.history import new_commits
from reconciler.desired.tree import FILES
from reconciler.desired.trees import Leaf, Trees
from reconciler.model.review import Named, Remark


def secrets_in_directory(directory: Path, since: str | None = None) -> list[Remark]:
    """What looks like a secret in a fleet's work tree: every file of its own that Git would take.

    Args:
        directory: Root of the work tree.
        since: A revision; only lines count that it does not have.

    Raises:
        InputError: There is too much, or no such revision.
        MachineError: detect-secrets is not installed, or a file cannot be read.
    """
    files = every_file(directory)
    if since is None:
        return find_secrets(files)
    revisions = Revisions(directory)
    base = revisions.resolve(since)
    trees = Trees(revisions.objects, revisions.limits)
    only = {
        name: _differs(revisions, trees.leaf(base.tree, name, base.commit), data)
        for name, data in files.items()
    }
    return find_secrets(files, only)


@complete()
def secrets_in_change(revisions: Revisions, base: Named, head: Named) -> list[Remark]:
    """What looks like a secret in the lines that a change adds, on the whole and on its way.

    What one commit adds and a later one takes out again stays in history, where anybody who can
    fetch reads it.

    Args:
        revisions: The repository.
        base: Before.
        head: After.

    Raises:
        InputError, IntentRefused: The revisions cannot be compared.
        MachineError: detect-secrets is not installed.
    """
    found = _between(revisions, base, head)
    known = {(remark.where.file, remark.message) for remark in found}
    for commit, parents in new_commits(
        revisions.repository, base.commit, head.commit, revisions.limits
    ).items():
        # What a merge brings was looked at in the commits that it brings.
        if len(parents) != 1 or commit == head.commit:
            continue
        step = [_named(revisions, each) for each in (parents[0], commit)]
        for remark in _between(revisions, step[0], step[1]):
            if (remark.where.file, remark.message) not in known:
                known.add((remark.where.file, remark.message))
                message = f"{remark.message}, in commit {commit[:12]}; a later one took it out"
                found.append(replace(remark, message=message))
    return found


def _named(revisions: Revisions, commit: str) -> Named:
    return Named(commit, commit, revisions.objects.commit(commit).tree)


def _between(revisions: Revisions, base: Named, head: Named) -> list[Remark]:
    files: dict[str, bytes] = {}
    only: dict[str, frozenset[int]] = {}
    for path, (old, new) in revisions.differing(base, head).items():
        if new is None or new[0] not in FILES:
            continue
        shown = path.encode("utf-8", "backslashreplace").decode()
        files[shown] = _content(revisions, new)
        only[shown] = _added(revisions, old, new)
    return find_secrets(files, only)


def _content(revisions: Revisions, leaf: Leaf) -> bytes:
    content = revisions.objects.read("blob", leaf[1], MAX_FILE)
    return b"\0" * (MAX_FILE + 1) if content is None else content


def _added(revisions: Revisions, old: Leaf | None, new: Leaf) -> frozenset[int]:
    data = revisions.objects.read("blob", new[1], MAX_FILE)
    return frozenset() if data is None else _differs(revisions, old, data)


def _differs(revisions: Revisions, old: Leaf | None, data: bytes) -> frozenset[int]:
    """Numbers of the lines that are new; every line where there was no file before."""
    before = None
    if old is not None and old[0] in FILES and revisions.objects.size("blob", old[1]) <= MAX_FILE:
        before = revisions.repository[old[1]]
    if not isinstance(before, pygit2.Blob):
        return frozenset(range(1, data.count(b"\n") + 2))
    patch = before.diff_to_buffer(data, DiffOption.FORCE_TEXT)
    return frozenset(
        line.new_lineno for hunk in patch.hunks for line in hunk.lines if line.origin == "+"
    )
