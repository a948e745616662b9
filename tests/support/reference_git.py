"""History the slow way: every object in memory, whole trees as dictionaries, sets for reachability.

One process of stock git hands the objects over. `tests/property/test_trust_reference.py` holds what
is computed here against ``git rev-list``, ``git merge-base --all`` and ``git ls-tree -r``.
"""

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from tests.support.commands import MINIMAL_ENV

Files = dict[str, tuple[str, str]]
"""Mode and object id by path."""


@dataclass(frozen=True)
class RefCommit:
    """One commit.

    Attributes:
        oid: Its id.
        tree: Id of its tree.
        parents: Their ids.
        time: Committer time.
        armor: Its signature, None without one.
        payload: What the signature covers.
        raw: The whole object.
    """

    oid: str
    tree: str
    parents: tuple[str, ...]
    time: datetime
    armor: str | None
    payload: bytes
    raw: bytes


class History:
    """All objects of a repository."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.objects = _objects(path)

    @cached_property
    def commits(self) -> dict[str, RefCommit]:
        """Every commit by id."""
        return {
            oid: _commit(oid, raw) for oid, (kind, raw) in self.objects.items() if kind == "commit"
        }

    def blob(self, oid: str) -> bytes:
        """Content of a file."""
        return self.objects[oid][1]

    def reach(self, oid: str) -> set[str]:
        """A commit and all its ancestors."""
        found: set[str] = set()
        waiting = [oid]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.commits[one].parents
        return found

    def merge_bases(self, one: str, two: str) -> set[str]:
        """Common ancestors that no other common ancestor descends from."""
        common = self.reach(one) & self.reach(two)
        return {c for c in common if not any(c in self.reach(o) for o in common - {c})}

    def parents_first(self, commits: set[str]) -> list[str]:
        """The commits in an order in which each follows its parents."""
        done: list[str] = []
        while len(done) < len(commits):
            ready = (
                c
                for c in sorted(commits - set(done))
                if not (set(self.commits[c].parents) & commits) - set(done)
            )
            done += ready
        return done

    def line(self, head: str) -> list[str]:
        """The first-parent line, oldest first."""
        found = [head]
        while self.commits[found[-1]].parents:
            found.append(self.commits[found[-1]].parents[0])
        return found[::-1]

    def files(self, commit: str) -> Files:
        """Every path of a commit's whole tree."""
        return self.tree_files(self.commits[commit].tree)

    def tree_files(self, tree: str, above: str = "") -> Files:
        """Every path below a tree."""
        found: Files = {}
        raw = self.objects[tree][1]
        for mode, name, oid in re.findall(rb"([0-7]+) ([^\0]+)\0(.{20})", raw, re.DOTALL):
            path = above + name.decode("utf-8", "surrogateescape")
            if mode == b"40000":
                found |= self.tree_files(oid.hex(), path + "/")
            else:
                found[path] = (mode.decode(), oid.hex())
        return found


def _objects(path: Path) -> dict[str, tuple[str, bytes]]:
    argv = ["git", "-C", str(path), "cat-file", "--batch-all-objects", "--batch"]
    done = subprocess.run(argv, capture_output=True, check=True, env=dict(MINIMAL_ENV))
    out, at, found = done.stdout, 0, {}
    while at < len(out):
        end = out.index(b"\n", at)
        oid, kind, size = out[at:end].decode().split(" ")
        found[oid] = (kind, out[end + 1 : end + 1 + int(size)])
        at = end + 1 + int(size) + 1
    return found


def _commit(oid: str, raw: bytes) -> RefCommit:
    head, _, message = raw.partition(b"\n\n")
    armor, kept = None, []
    for line in re.split(rb"\n(?! )", head):
        if line.startswith(b"gpgsig "):
            armor = line[len(b"gpgsig ") :].replace(b"\n ", b"\n").decode()
        else:
            kept.append(line)
    names = [line.split(b" ", 1) for line in kept]
    seconds = int(re.findall(rb"(?m)^committer .*> (\d+) [+-]\d{4}$", head)[0])
    return RefCommit(
        oid=oid,
        tree=next(value for name, value in names if name == b"tree").decode(),
        parents=tuple(value.decode() for name, value in names if name == b"parent"),
        time=datetime.fromtimestamp(seconds, UTC),
        armor=armor,
        payload=b"\n".join(kept) + b"\n\n" + message,
        raw=raw,
    )
