"""Attacks on the keys of a ledger: each is found at its entry, whatever the clock says."""

from dataclasses import replace

import pytest

from reconciler.evidence import key_change, signers, sshsig
from reconciler.evidence.entry import Kind, stamp
from reconciler.evidence.fault import Code, Fault
from reconciler.evidence.key_change import Action, Announcement
from reconciler.evidence.key_life import key_life
from reconciler.evidence.signer_lines import closed
from tests.support.evidence_keys import test_key as key_of
from tests.support.forge import KEY, Forge, allowed, honest, signer_line
from tests.support.key_records import (
    FIRST,
    OTHER_APPLIANCE,
    PERSON,
    RECOVERY,
    ROGUE,
    SECOND,
    START,
    THIRD,
    TRUSTED,
    WITNESS,
    Branch,
    line,
    public,
    rotation,
    trusted,
)


def faults_of(branch: Branch, who: signers.AllowedSigners | None = None) -> list[Fault]:
    return key_life(branch.records, who or trusted())[1]


def only_fault(branch: Branch, code: Code, who: signers.AllowedSigners | None = None) -> Fault:
    (fault,) = faults_of(branch, who)
    assert fault.code is code, fault
    assert fault.place == branch.records[-1].place
    return fault


def grown() -> Branch:
    branch = Branch()
    branch.add()
    branch.add()
    return branch


def test_the_old_key_signs_after_a_rotation() -> None:
    branch = grown()
    branch.rotate(SECOND)
    branch.add(key=FIRST)
    assert "after it was replaced" in only_fault(branch, Code.RETIRED_KEY).message


def test_the_old_key_signs_later_and_back_dated() -> None:
    branch = grown()
    branch.rotate(SECOND)
    branch.add()
    branch.add(key=FIRST, recorded_at=stamp(START))
    only_fault(branch, Code.RETIRED_KEY)


def test_the_old_key_signs_after_it_was_lost() -> None:
    branch = grown()
    branch.replace(SECOND)
    branch.add(key=FIRST)
    only_fault(branch, Code.RETIRED_KEY)


def test_the_old_key_rotates_once_more() -> None:
    """Who took the old key hands the branch over to a key of its own, too late."""
    branch = grown()
    branch.rotate(SECOND)
    branch.key = FIRST
    branch.rotate(ROGUE)
    only_fault(branch, Code.RETIRED_KEY)
    branch.add(key=SECOND)
    assert len(faults_of(branch)) == 1


@pytest.mark.parametrize("key", [ROGUE, SECOND, OTHER_APPLIANCE, WITNESS, PERSON])
def test_another_key_signs_without_being_announced(key) -> None:
    """A key that is listed, even for this appliance, signs nothing before its time."""
    branch = grown()
    branch.add(key=key)
    only_fault(branch, Code.KEY)


def test_the_announced_key_signs_its_own_rotation() -> None:
    branch = grown()
    proof = key_change.prove(branch.announcement(SECOND, Action.ROTATE), SECOND)
    branch.add(Kind.KEY_CHANGE, rotation(SECOND, proof), key=SECOND)
    only_fault(branch, Code.KEY)


def spoiled_rotation(announcement: Announcement, signer=SECOND) -> Branch:
    branch = grown()
    body = rotation(SECOND, key_change.prove(announcement, signer))
    branch.add(Kind.KEY_CHANGE, body)
    return branch


HONEST = grown().announcement(SECOND, Action.ROTATE)


def test_an_honest_announcement_passes() -> None:
    assert faults_of(spoiled_rotation(HONEST)) == []


def test_a_proof_by_another_key() -> None:
    """Else an appliance's branch could be given to a key whose owner knows nothing of it."""
    fault = only_fault(spoiled_rotation(HONEST, ROGUE), Code.KEY_CHANGE)
    assert "not by the key that is announced" in fault.message


@pytest.mark.parametrize(
    "moved",
    [
        Announcement("refs/heads/elm/back", 3, HONEST.previous, public(SECOND), Action.ROTATE),
        Announcement(HONEST.ref, 4, HONEST.previous, public(SECOND), Action.ROTATE),
        Announcement(HONEST.ref, 3, "e" * 64, public(SECOND), Action.ROTATE),
        Announcement(HONEST.ref, 3, HONEST.previous, public(THIRD), Action.ROTATE),
        Announcement(HONEST.ref, 3, HONEST.previous, public(SECOND), Action.REPLACE),
    ],
    ids=["branch", "position", "history", "key", "action"],
)
def test_a_proof_made_for_something_else(moved: Announcement) -> None:
    fault = only_fault(spoiled_rotation(moved), Code.KEY_CHANGE)
    assert "proof by the new key does not verify" in fault.message


@pytest.mark.parametrize("namespace", ["git", "file", key_change.RECOVERY_NAMESPACE])
def test_a_signature_for_something_else_is_no_proof(namespace: str) -> None:
    branch = grown()
    armor = sshsig.sign(SECOND, HONEST.to_bytes(), namespace)
    branch.add(Kind.KEY_CHANGE, rotation(SECOND, armor))
    only_fault(branch, Code.KEY_CHANGE)


@pytest.mark.parametrize("proof", ["", "armor", "-----BEGIN SSH SIGNATURE-----", "x" * 5000])
def test_a_proof_that_is_none(proof: str) -> None:
    branch = grown()
    branch.add(Kind.KEY_CHANGE, rotation(SECOND, proof))
    only_fault(branch, Code.KEY_CHANGE)


def test_after_a_refused_rotation_the_new_key_does_not_sign() -> None:
    branch = spoiled_rotation(HONEST, ROGUE)
    branch.add(key=SECOND)
    assert [fault.code for fault in faults_of(branch)] == [Code.KEY_CHANGE, Code.KEY]


def test_an_old_key_never_comes_back() -> None:
    branch = grown()
    branch.rotate(SECOND)
    branch.add()
    branch.rotate(FIRST)
    assert "brings back" in only_fault(branch, Code.RETIRED_KEY).message


def test_a_key_is_not_rotated_to_itself() -> None:
    branch = grown()
    branch.rotate(FIRST)
    assert "brings back" in only_fault(branch, Code.RETIRED_KEY).message


def test_a_lost_key_does_not_come_back_by_replacement() -> None:
    branch = grown()
    branch.replace(SECOND)
    branch.replace(FIRST)
    only_fault(branch, Code.RETIRED_KEY)


# Replacement: the new key signs, so somebody else must have agreed.


def test_a_replacement_without_authorization() -> None:
    branch = grown()
    branch.replace(SECOND, authorization=None)
    assert "carries an authorization" in faults_of(branch)[0].message
    assert faults_of(branch)[0].code is Code.KEY_CHANGE


@pytest.mark.parametrize("person", [ROGUE, FIRST, SECOND, OTHER_APPLIANCE, WITNESS])
def test_who_is_no_recovery_signer_authorizes_nothing(person) -> None:
    """Not the lost key, not the new one, not a witness whose line has no namespaces at all."""
    branch = grown()
    branch.replace(SECOND, person)
    only_fault(branch, Code.KEY_CHANGE)


def test_an_engineer_is_no_recovery_signer() -> None:
    engineer = key_of("engineer@msp.example")
    who = trusted(line("engineer@msp.example", engineer, 'namespaces="git"'))
    branch = grown()
    branch.replace(SECOND, engineer)
    only_fault(branch, Code.KEY_CHANGE, who)


def test_an_appliance_with_the_recovery_namespace_is_still_none() -> None:
    text = TRUSTED.replace(line("elm/back", OTHER_APPLIANCE, 'namespaces="git"'), "")
    text += line("elm/back", OTHER_APPLIANCE, f'namespaces="git,{key_change.RECOVERY_NAMESPACE}"')
    branch = grown()
    branch.replace(SECOND, OTHER_APPLIANCE)
    who = signers.parse(text.encode(), "f")
    assert "no recovery signer" in only_fault(branch, Code.KEY_CHANGE, who).message


@pytest.mark.parametrize("window", ['valid-before="20260228Z"', 'valid-after="20270101Z"'])
def test_a_recovery_signer_outside_its_window(window: str) -> None:
    text = TRUSTED.replace(RECOVERY, f"{RECOVERY},{window}")
    branch = grown()
    branch.replace(SECOND)
    only_fault(branch, Code.KEY_CHANGE, signers.parse(text.encode(), "f"))


def test_a_recovery_signer_that_is_bound_to_entries() -> None:
    text = TRUSTED.rstrip("\n") + " ledger:0-\n"
    branch = grown()
    branch.replace(SECOND)
    only_fault(branch, Code.KEY_CHANGE, signers.parse(text.encode(), "f"))


WANTED = grown().announcement(SECOND, Action.REPLACE)


@pytest.mark.parametrize(
    "changed",
    [{"seq": 9}, {"ref": "refs/heads/elm/back"}, {"public": public(THIRD)}, {"previous": "e" * 64}],
    ids=["position", "branch", "key", "history"],
)
def test_an_authorization_for_something_else(changed: dict[str, object]) -> None:
    branch = grown()
    armor = key_change.authorize(replace(WANTED, **changed), PERSON)  # type: ignore[arg-type]
    branch.replace(SECOND, authorization=armor)
    assert "authorization does not verify" in only_fault(branch, Code.KEY_CHANGE).message


def test_an_authorization_of_a_rotation_replaces_nothing() -> None:
    branch = grown()
    armor = key_change.authorize(replace(WANTED, action=Action.ROTATE), PERSON)
    branch.replace(SECOND, authorization=armor)
    only_fault(branch, Code.KEY_CHANGE)


def test_a_replacement_that_another_key_signs() -> None:
    """An authorized replacement does not let the thief of the old key write the entry."""
    branch = grown()
    honest_change = branch.replace(SECOND).entry.body
    branch.records.pop()
    branch.add(Kind.KEY_CHANGE, honest_change, key=FIRST)
    only_fault(branch, Code.RETIRED_KEY)


# The same through the whole audit, from raw bytes.

NEW = key_of("smile/desk 2027")
BOTH = signer_line("smile/desk", KEY) + signer_line("smile/desk", NEW)


def rotated() -> Forge:
    forge = honest(4)
    forge.rotate(NEW)
    forge.append()
    return forge


def found(forge: Forge, code: Code, oid: str, who: signers.AllowedSigners) -> bool:
    return any(f.code is code and f.place.commit == oid for f in forge.audit(who).faults)


def ranged(old: str, new: str) -> signers.AllowedSigners:
    one = signer_line("smile/desk", KEY).rstrip("\n")
    two = signer_line("smile/desk", NEW).rstrip("\n")
    return allowed(f"{one} {old}\n", f"{two} {new}\n")


def test_an_honest_rotation_passes_the_audit() -> None:
    assert rotated().audit(allowed(BOTH)).faults == ()
    assert rotated().audit(ranged("ledger:0-4", "ledger:5-")).faults == ()


def test_both_lines_are_needed() -> None:
    """A key that is announced in the ledger alone is not trusted: a stolen key could do that."""
    forge = rotated()
    assert found(forge, Code.KEY, forge.commits[-1], allowed(signer_line("smile/desk", KEY)))
    assert found(forge, Code.KEY, forge.commits[0], allowed(signer_line("smile/desk", NEW)))


def test_a_new_key_may_not_sign_the_past() -> None:
    forge = rotated()
    who = ranged("ledger:0-4", "ledger:6-")
    assert found(forge, Code.KEY, forge.commits[5], who)


def test_a_revoked_key_signs_after_its_last_entry() -> None:
    forge = honest(8)
    data = closed(signer_line("smile/desk", KEY).encode(), "f", sshsig.raw_public(KEY), 5, "stolen")
    who = signers.parse(data, "f")
    report = forge.audit(who)
    refused = {f.place.commit for f in report.faults if f.code is Code.KEY}
    assert refused == set(forge.commits[6:])
    assert "out-of-position" in str(report.faults[0])


def test_a_revoked_key_signs_back_dated() -> None:
    """The clock can be turned back; the number of the next entry cannot."""
    forge = honest(6)
    last = forge.last
    assert last is not None
    oid = forge.append(recorded_at=last.recorded_at)
    data = closed(signer_line("smile/desk", KEY).encode(), "f", sshsig.raw_public(KEY), 5)
    assert found(forge, Code.KEY, oid, signers.parse(data, "f"))


@pytest.mark.parametrize("principal", ["smile/chair", "witness/hub"])
def test_the_key_of_somebody_else_signs_here(principal: str) -> None:
    forge = honest(4)
    forge.key = key_of(principal)
    oid = forge.append()
    who = allowed(signer_line("smile/desk", KEY), signer_line(principal, forge.key))
    assert found(forge, Code.PRINCIPAL, oid, who)
    assert found(forge, Code.KEY, oid, who)


@pytest.mark.parametrize("goes_on", [False, True])
def test_the_old_key_signs_on_as_if_nothing_had_happened(goes_on: bool) -> None:
    forge = honest(4)
    forge.rotate(NEW)
    forge.key = KEY
    oid = forge.append()
    if goes_on:
        forge.key = NEW
        forge.append()
    assert found(forge, Code.RETIRED_KEY, oid, allowed(BOTH))
    assert found(forge, Code.KEY, oid, ranged("ledger:0-4", "ledger:5-"))


def test_the_old_key_comes_back_after_the_new_one() -> None:
    forge = rotated()
    forge.key = KEY
    oid = forge.append()
    assert found(forge, Code.RETIRED_KEY, oid, allowed(BOTH))


def test_a_genesis_that_names_another_key() -> None:
    forge = Forge()
    oid = forge.append(Kind.GENESIS, {"key": sshsig.public_text(sshsig.raw_public(NEW))})
    assert found(forge, Code.KEY, oid, allowed(BOTH))
