"""Two clones that sign on: whatever each adds, joining drops nothing and both end with the same."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pygit2
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired.attest.branch import AttestationsBranch
from reconciler.desired.attest.merge import counter_of
from tests.support.attested import AT
from tests.unit.desired.test_attesting import BEAT, OURS, THEIRS, beat

CONTENTS = st.sampled_from([b"%d" % number for number in range(12)])
FILES = st.dictionaries(
    st.sampled_from(["approvals/1", "approvals/2", "releases/1"]),
    st.sets(CONTENTS, max_size=4),
    max_size=3,
)
BEATS = st.none() | st.integers(1, 50)


def tree_of(repository: pygit2.Repository, commit: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    pending = [("", repository[commit].peel(pygit2.Tree))]
    while pending:
        path, tree = pending.pop()
        for node in tree:
            if isinstance(node, pygit2.Tree):
                pending.append((f"{path}{node.name}/", node))
            else:
                found[f"{path}{node.name}"] = node.data
    return found


def added(files: Mapping[str, set[bytes]], counter: int | None) -> dict[str, bytes]:
    named = {
        f"{folder}/{content.hex()}": content
        for folder, contents in files.items()
        for content in contents
    }
    return named | ({} if counter is None else {BEAT: beat(counter)})


@settings(derandomize=True, max_examples=40, deadline=None)
@given(FILES, FILES, FILES, BEATS, BEATS, st.booleans())
def test_joining_is_a_union(
    base, one, two, ours: int | None, theirs: int | None, common: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pygit2.init_repository(folder, bare=True)
        repository = pygit2.Repository(folder)
        branch = AttestationsBranch(repository, "attestations", "origin")
        beginning = {"start": b"0", **added(base, None)}

        def grown(files: dict[str, bytes], start: str | None) -> str:
            if repository.references.get(OURS):
                repository.references.delete(OURS)
            if start is not None:
                repository.references.create(OURS, start)
            return branch.add(beginning | files, AT, "m").commit

        start = grown({}, None) if common else None
        mine, other = grown(added(one, ours), start), grown(added(two, theirs), start)

        ends = []
        for here, there in ((mine, other), (other, mine)):
            repository.references.create(OURS, here, force=True)
            repository.references.create(THEIRS, there, force=True)
            ends.append(tree_of(repository, branch.add({}, AT, "Join").commit))
            repository.references.delete(THEIRS)

        assert ends[0] == ends[1]
        assert (
            ends[0].keys() == tree_of(repository, mine).keys() | tree_of(repository, other).keys()
        )
        assert counter_of(ends[0].get(BEAT, b"")) == max(ours or 0, theirs or 0)
        assert not list(Path(folder).glob("refs/**/*.lock"))
