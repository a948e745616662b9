"""What a person reads of the system of a NixOS host."""

import json
from dataclasses import replace

from reconciler.model.run import IntentStatus
from reconciler.model.system import ClosureDiff, SystemStatus, VersionChange
from reconciler.report import intent
from reconciler.report import trusted_system as system
from tests.support.releases import in_force, store_path

HELD = in_force(store_path("one"))
WELL = SystemStatus(trusted=HELD.system, in_force=HELD)
RING = "ring rest is not open for it"
WAITS = replace(WELL, trusted=replace(HELD.system, waiting="d" * 40), ring=RING)
REFUSED = replace(
    WELL, refused="release-conflict", refused_release="e" * 40, message="fleet commit e says two"
)
NONE = SystemStatus(trusted=None, in_force=None)
DIFF = ClosureDiff(
    store_path("zero"),
    (
        VersionChange("a", (), ("1",)),
        VersionChange("b", ("1",), ()),
        VersionChange("c", ("1",), ("1",)),
        VersionChange("d", ("1",), ("1", "2")),
        VersionChange("e", ("",), ("1",)),
        *(VersionChange(f"p{number:02}", ("1",), ("2",)) for number in range(10)),
    ),
    7,
)


def test_what_is_trusted_is_said_and_why_a_newer_one_waits() -> None:
    assert system.lines(None) == []
    assert system.lines(WELL) == [f"system: {store_path('one')} (release of cccccccccccc)"]
    assert system.lines(WAITS)[1] == f"  release of dddddddddddd waits: {RING}"
    assert system.lines(REFUSED)[0].startswith("release refused (release-conflict): fleet commit e")
    assert system.lines(NONE) == ["system: no release that counts names one"]
    assert system.lines(replace(NONE, ring=RING))[1] == f"  a release waits: {RING}"


def test_a_difference_says_what_comes_goes_and_changes() -> None:
    said = list(system.changes(DIFF))
    assert said[:5] == [
        "a 1 comes",
        "b 1 goes",
        "c 1 built anew",
        "d 1 -> 1, 2",
        "e (no version) -> 1",
    ]
    assert said[-1] == "10 more"
    assert list(system.changes(ClosureDiff(None, (), 0))) == []


def test_a_plan_shows_the_difference_of_the_trusted_system() -> None:
    said = system.planned(replace(WELL, diff=DIFF))
    assert said[:2] == [f"  changed since {store_path('zero')}:", "    a 1 comes"]
    same = ClosureDiff(store_path("zero"), (), 0)
    assert system.planned(replace(WELL, diff=same))[1:] == ["    no package changed"]
    for nothing in (None, WELL, replace(WELL, diff=ClosureDiff(None, (), 0))):
        assert system.planned(nothing) == []


def test_machines_are_told_all_of_it() -> None:
    status = IntentStatus(commit="c" * 40, counter=3, fetched=True, system=WAITS)
    assert system.lines(WAITS)[0] in intent.lines(status)
    document = json.loads(json.dumps(intent.as_document(status)))["system"]
    assert document["trusted"]["waiting"] == "d" * 40
    assert document["in_force"]["path"] == store_path("one")
    said = system.as_document(replace(REFUSED, diff=DIFF))
    assert said["refused"] == {"reason": "release-conflict", "release": "e" * 40}
    assert said["diff"]["left_out"] == 7
    assert system.as_document(None) is None
