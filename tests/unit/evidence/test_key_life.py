from typing import Any

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import key_change, sshsig
from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code, Fault
from reconciler.evidence.key_change import Action, Announcement, KeyChange, Reason
from reconciler.evidence.key_life import KeyLife, change_of, key_life, next_key, succession
from tests.support.key_records import (
    FIRST,
    PERSON,
    RECOVERY,
    SECOND,
    THIRD,
    Branch,
    line,
    public,
    trusted,
)

PREVIOUS = "a" * 64
REF = "refs/heads/elm/front"


def life_of(branch: Branch) -> KeyLife:
    life, faults = key_life(branch.records, trusted())
    assert life is not None
    assert faults == []
    return life


def faults_of(branch: Branch) -> list[Fault]:
    return key_life(branch.records, trusted())[1]


def test_nothing_has_no_life() -> None:
    assert key_life([], trusted()) == (None, [])


def test_one_key_signs_everything() -> None:
    branch = Branch()
    for _ in range(3):
        branch.add()
    life = life_of(branch)
    assert life.current == public(FIRST)
    (use,) = life.uses
    assert (use.by, use.reason, use.until) == ("genesis", None, None)
    assert use.first is branch.records[0]
    assert use.last is branch.records[3]


def test_genesis_names_the_key_that_signs_it() -> None:
    branch = Branch()
    branch.records = []
    branch.add(Kind.GENESIS, {"key": sshsig.public_text(public(SECOND))})
    assert [fault.code for fault in faults_of(branch)] == [Code.KEY]


@pytest.mark.parametrize("body", [{"memory": {}}, {"key": None}, {"key": "ssh-ed25519"}])
def test_genesis_without_a_key_is_a_fault(body: dict[str, Any]) -> None:
    branch = Branch()
    branch.records = []
    branch.add(Kind.GENESIS, body)
    assert [fault.code for fault in faults_of(branch)] == [Code.GENESIS]


def test_after_a_rotation_only_the_new_key_signs() -> None:
    branch = Branch()
    change = branch.rotate(SECOND)
    assert change.public == public(FIRST)
    after = branch.add()
    life = life_of(branch)
    old, new = life.uses
    assert (old.until, old.last, new.by, new.reason) == (1, change, "rotate", "scheduled")
    assert (new.first, new.last, life.current) == (after, after, public(SECOND))


def test_two_rotations() -> None:
    branch = Branch()
    branch.rotate(SECOND)
    branch.rotate(THIRD)
    branch.add()
    assert [use.public for use in life_of(branch).uses] == list(map(public, (FIRST, SECOND, THIRD)))


def test_a_replacement_is_signed_by_the_new_key() -> None:
    branch = Branch()
    branch.add()
    change = branch.replace(SECOND)
    branch.add()
    old, new = life_of(branch).uses
    assert (old.until, old.last, new.first) == (2, branch.records[1], change)
    assert (new.by, new.reason) == ("replace", "lost")


def test_entries_inside_an_unbroken_use_may_be_left_out() -> None:
    branch = Branch()
    for _ in range(4):
        branch.add()
    branch.rotate(SECOND)
    for _ in range(4):
        branch.add()
    whole = life_of(branch)
    branch.records = [branch.records[at] for at in (0, 5, 6, 9)]
    assert life_of(branch) == whole


def test_which_key_signs_next_is_known_from_one_entry() -> None:
    branch = Branch()
    assert next_key(branch.records[0]) == public(FIRST)
    assert next_key(branch.rotate(SECOND)) == public(SECOND)
    assert next_key(branch.add()) == public(SECOND)
    assert next_key(branch.replace(THIRD)) == public(THIRD)


def test_an_entry_that_is_no_change_is_none() -> None:
    branch = Branch()
    assert change_of(branch.records[0]) is None
    assert change_of(branch.add(Kind.KEY_CHANGE, {"action": "rotate"})) is None


def test_an_announcement_is_read_as_it_is_written() -> None:
    announcement = Announcement(REF, 7, PREVIOUS, public(SECOND), Action.REPLACE)
    data = announcement.to_bytes()
    assert Announcement.from_bytes(data) == announcement
    assert data.startswith(b'{"action":"replace","key":"ssh-ed25519 AAAA')
    assert data.endswith(b'"ref":"refs/heads/elm/front","seq":7}')


GOOD = Announcement(REF, 7, PREVIOUS, public(SECOND), Action.REPLACE).to_bytes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"seq":7', b'"seq":0'),
        (b'"seq":7', b'"seq":"7"'),
        (b'"seq":7', b'"seq":true'),
        (b'"seq":7', b'"seq":7,"spare":1'),
        (b"refs/heads/elm/front", b"refs/heads/elm"),
        (b"refs/heads/elm/front", b"refs/tags/elm/front"),
        (b"replace", b"revoke"),
        (b"aaaa", b"AAAA"),
        (b"ssh-ed25519", b"ssh-rsa"),
        (b'"action"', b' "action"'),
        (b"}", b"}\n"),
        (b"{", b"["),
    ],
)
def test_a_malformed_announcement_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(EvidenceError):
        Announcement.from_bytes(GOOD.replace(old, new, 1))


def test_a_huge_announcement_is_not_parsed() -> None:
    with pytest.raises(EvidenceError, match="larger"):
        Announcement.from_bytes(b"[" * (key_change.MAX_ANNOUNCEMENT + 1))


ROTATION = KeyChange(Action.ROTATE, public(SECOND), "proof", None, Reason.SCHEDULED)


def test_a_body_is_read_as_it_is_written() -> None:
    assert KeyChange.from_body(ROTATION.to_body()) == ROTATION


@pytest.mark.parametrize(
    "spoiled",
    [
        {"action": "revoke"},
        {"action": None},
        {"action": "replace"},
        {"authorization": "armor"},
        {"authorization": 1},
        {"proof": None},
        {"reason": "because"},
        {"reason": []},
        {"key": "ssh-ed25519"},
        {"key": sshsig.public_line(public(SECOND), "a comment")},
        {"key": 5},
        {"spare": 1},
    ],
)
def test_a_malformed_body_is_refused(spoiled: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError):
        KeyChange.from_body({**ROTATION.to_body(), **spoiled})


def test_a_body_that_lacks_a_field_is_refused() -> None:
    for name in ROTATION.to_body():
        body = ROTATION.to_body()
        del body[name]
        with pytest.raises(EvidenceError):
            KeyChange.from_body(body)


def test_who_authorized_is_named() -> None:
    branch = Branch()
    announcement = branch.announcement(SECOND, Action.REPLACE)
    armor = key_change.authorize(announcement, PERSON)
    at = branch.records[0].entry.time
    assert key_change.check_authorization(armor, announcement, trusted(), at) == (
        "recovery@msp.example"
    )


def test_a_second_recovery_signer_counts_as_well() -> None:
    branch = Branch()
    branch.replace(SECOND, THIRD)
    signers = trusted()
    assert key_life(branch.records, signers)[1] != []
    text = line("recovery@msp.example", PERSON, RECOVERY)
    text += line("second@msp.example", THIRD, RECOVERY)
    from reconciler.evidence.signers import parse

    assert key_life(branch.records, parse(text.encode(), "f"))[1] == []


def neighbours(branch: Branch) -> list[Code]:
    pairs = zip(branch.records[1:], branch.records, strict=False)
    return [fault.code for pair in pairs for fault in succession(*pair)]


def test_neighbours_alone_show_who_may_sign() -> None:
    branch = Branch()
    branch.add()
    branch.rotate(SECOND)
    branch.add()
    branch.replace(THIRD)
    branch.add()
    assert neighbours(branch) == []
    branch.add(key=SECOND)
    assert neighbours(branch) == [Code.KEY]


def test_neighbours_show_an_old_key_that_goes_on() -> None:
    branch = Branch()
    branch.rotate(SECOND)
    branch.add(key=FIRST)
    assert neighbours(branch) == [Code.RETIRED_KEY]
