from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.history import Step
from reconciler.evidence.key_use import BranchKeys, uses_of
from tests.support.key_records import FIRST, ROGUE, SECOND, THIRD, Branch, public


def used(branch: Branch) -> BranchKeys:
    return uses_of(Step(record.commit, record, ()) for record in reversed(branch.records))


def test_nothing_was_used() -> None:
    assert uses_of([]) == BranchKeys((), 0)


def test_one_key_from_genesis_on() -> None:
    branch = Branch()
    branch.add()
    (use,) = used(branch).uses
    assert (use.public, use.by, use.entries, use.current) == (public(FIRST), "genesis", 2, True)
    assert use.first is branch.records[0].entry
    assert use.last is branch.records[1].entry


def test_a_key_that_is_announced_has_signed_nothing() -> None:
    branch = Branch()
    branch.rotate(SECOND)
    old, new = used(branch).uses
    assert (old.entries, old.current) == (2, False)
    assert (new.by, new.reason, new.entries, new.current) == ("rotate", "scheduled", 0, True)
    assert (new.first, new.last) == (None, None)


def test_keys_come_in_their_order() -> None:
    branch = Branch()
    branch.rotate(SECOND)
    branch.add()
    branch.replace(THIRD)
    branch.add()
    uses = used(branch).uses
    assert [use.public for use in uses] == list(map(public, (FIRST, SECOND, THIRD)))
    assert [use.by for use in uses] == ["genesis", "rotate", "replace"]
    assert [use.entries for use in uses] == [2, 1, 2]
    assert [use.current for use in uses] == [False, False, True]


def test_a_key_that_nobody_announced_shows() -> None:
    branch = Branch()
    branch.add(key=ROGUE)
    branch.add()
    rogue = next(use for use in used(branch).uses if use.public == public(ROGUE))
    assert (rogue.by, rogue.reason, rogue.entries) == ("unannounced", None, 1)


def test_faults_are_counted_and_holes_passed_over() -> None:
    branch = Branch()
    fault = Fault(Code.OBJECT, Place(commit="a" * 40), "is missing")
    steps = [Step("a" * 40, None, (fault, fault))]
    steps += [Step(record.commit, record, ()) for record in branch.records]
    found = uses_of(steps)
    assert found.faults == 2
    assert [use.by for use in found.uses] == [Kind.GENESIS.value]
