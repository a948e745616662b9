import pytest

from reconciler.errors import EvidenceError
from reconciler.ledger.remote.standing import Relation, Standing, compare
from tests.support.forge import honest


def test_equal() -> None:
    forge = honest()
    assert compare(forge, forge.commits[5], forge.commits[5]) == Standing(Relation.EQUAL)


@pytest.mark.parametrize("held", [None, 0, 2, 4])
def test_behind_names_what_is_missing_oldest_first(held: int | None) -> None:
    forge = honest()
    remote = None if held is None else forge.commits[held]
    missing = forge.commits[0 if held is None else held + 1 :]
    assert compare(forge, forge.commits[5], remote) == Standing(Relation.BEHIND, tuple(missing))


def test_ahead() -> None:
    forge = honest()
    assert compare(forge, forge.commits[2], forge.commits[5]) == Standing(Relation.AHEAD)


def test_diverged_and_unknown() -> None:
    forge, other = honest(4), honest(4)
    ours = forge.append()
    theirs = other.append(body={"pass": 31, "fail": 0})
    assert compare(forge, ours, theirs) == Standing(Relation.UNKNOWN)
    forge.objects |= other.objects
    assert compare(forge, ours, theirs) == Standing(Relation.DIVERGED)


def test_own_history_that_cannot_be_read_or_is_not_linear() -> None:
    forge = honest()
    tip = forge.append(
        spoil=lambda parts: setattr(parts, "parents", (*parts.parents, forge.commits[0]))
    )
    with pytest.raises(EvidenceError, match="2 parents"):
        compare(forge, tip, forge.commits[1])
    broken = honest()
    del broken.objects[broken.commits[3]]
    with pytest.raises(EvidenceError, match="missing"):
        compare(broken, broken.commits[5], broken.commits[0])
