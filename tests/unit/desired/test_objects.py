"""Commits are read once as long as what is kept of them is small."""

from pathlib import Path

import pytest

from reconciler.desired import objects
from reconciler.desired.limits import READ_LIMITS
from reconciler.desired.objects import MirrorDamaged, Objects
from tests.support.trust_fleet import TrustFleet


class Counting(Objects):
    """Says how often it read."""

    reads = 0

    def read(self, kind: str, oid: str, limit: int) -> bytes | None:
        self.reads += 1
        return super().read(kind, oid, limit)


@pytest.fixture
def fleet(tmp_path: Path) -> TrustFleet:
    made = TrustFleet(tmp_path / "fleet.git")
    made.begin()
    return made


def test_neighbours_share_what_was_read(fleet: TrustFleet) -> None:
    line = [fleet.head, *(fleet.commit("alice", {"README.md": str(n)}) for n in range(20))]
    found = Counting(fleet.repository, READ_LIMITS)

    for _ in range(3):
        assert [found.commit(oid).tree for oid in line] == [fleet.tree_id(oid) for oid in line]

    assert found.reads == len(line)


def test_what_is_kept_is_bounded_by_bytes(
    fleet: TrustFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = [fleet.head, *(fleet.commit("alice", {"README.md": str(n)}) for n in range(20))]
    monkeypatch.setattr(objects, "_KEPT_BYTES", 5 * len(fleet.read(line[-1])))
    found = Counting(fleet.repository, READ_LIMITS)

    for _ in range(2):
        assert [found.commit(oid).tree for oid in line] == [fleet.tree_id(oid) for oid in line]

    assert found.reads == 2 * len(line)
    assert found.commit(line[-1]).tree
    assert found.reads == 2 * len(line), "the newest is not kept"


def test_a_commit_that_is_not_there_is_damage(fleet: TrustFleet) -> None:
    with pytest.raises(MirrorDamaged):
        Objects(fleet.repository, READ_LIMITS).commit("0" * 40)
