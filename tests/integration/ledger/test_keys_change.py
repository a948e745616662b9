"""Rotation and replacement of the key of a real ledger."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import ClockWrong, EvidenceError, KeyMissing, LedgerDamaged, MachineError
from reconciler.evidence import key_change, sshsig
from reconciler.evidence.key_change import Action, Reason
from reconciler.evidence.statement import Kind
from reconciler.ledger import key_changes, keys, sealed_keys
from reconciler.ledger.key_swap import rewrite
from reconciler.ledger.sealed_keys import Protection
from reconciler.ledger.store import Ledger
from tests.support.evidence_keys import test_key as key_of
from tests.support.key_site import PERSON, KeyRig, key_rig
from tests.support.tpm import FreshTpm, require_tpm

pytestmark = pytest.mark.integration


@pytest.fixture
def desk(tmp_path: Path) -> KeyRig:
    return key_rig(tmp_path)


def names(desk: KeyRig) -> list[str]:
    return sorted(file.name for file in desk.site.place.path.parent.iterdir())


def text(key: bytes) -> str:
    return sshsig.public_text(key)


def test_a_rotation_hands_over_and_the_history_verifies(desk: KeyRig) -> None:
    old = desk.key
    changed = desk.rotate()
    assert (changed.action, changed.seq, changed.last) == (Action.ROTATE, 5, 5)
    assert (changed.old, changed.new) == (keys.public(old), keys.public(desk.key))
    assert desk.verify().ok
    desk.run(2)
    result = desk.verify()
    assert (result.faults, result.branches[0].entries) == ((), 8)
    fingerprints = tuple(map(sshsig.fingerprint, (changed.old, changed.new)))
    assert result.branches[0].keys == fingerprints


def test_the_entry_says_which_key_follows_and_why(desk: KeyRig) -> None:
    old = desk.key
    changed = desk.rotate(reason=Reason.SUSPECTED)
    with desk.open() as ledger:
        entry = ledger.tip
        record = next(ledger.entries())
    assert entry.kind is Kind.KEY_CHANGE
    assert record.public == keys.public(old)
    assert (entry.body["action"], entry.body["reason"]) == ("rotate", "suspected")
    assert entry.body["key"] == text(changed.new)
    assert entry.body["authorization"] is None
    assert entry.subject is not None


def test_the_signers_file_names_both_keys_with_their_positions(desk: KeyRig) -> None:
    before = desk.signers_text
    changed = desk.rotate()
    old, recovery, new = desk.signers_text.splitlines()
    assert old == before.splitlines()[0].replace(" the desk", " ledger:0-5 the desk")
    assert recovery == before.splitlines()[1]
    assert new == f'smile/desk namespaces="git" {text(changed.new)} ledger:6-'


def test_the_old_key_goes_aside_and_nothing_else_is_left(desk: KeyRig) -> None:
    changed = desk.rotate()
    aside = ["appliance.until-5", "appliance.until-5.pub"]
    assert names(desk) == ["appliance", "appliance.pub", *aside]
    assert keys.public(keys.load(changed.aside.path)) == changed.old
    line = sshsig.public_line(changed.new, "smile/desk")
    assert desk.site.place.public.read_text() == f"{line}\n"


def test_the_old_key_cannot_open_the_ledger_any_more(desk: KeyRig) -> None:
    old = desk.key
    desk.rotate()
    for signers in (None, desk.rig.signers):
        with pytest.raises(LedgerDamaged):
            Ledger.open(desk.site.repository, "smile", "desk", old, signers=signers)


def test_rotating_twice(desk: KeyRig) -> None:
    first = desk.rotate()
    desk.run()
    second = desk.rotate()
    assert second.old == first.new
    desk.run()
    assert desk.verify().faults == ()
    positions = [signer.positions for signer in desk.rig.signers.signers]
    assert positions == [(0, 5), None, (6, 7), (8, None)]


def test_two_rotations_without_a_run_between(desk: KeyRig) -> None:
    desk.rotate()
    desk.rotate()
    desk.run()
    assert desk.verify().faults == ()


def test_a_key_that_is_not_the_ledgers_rotates_nothing(desk: KeyRig) -> None:
    desk.lose()
    keys.generate(desk.site.place.path, "smile/desk")
    before = names(desk)
    with pytest.raises(KeyMissing, match="the ledger goes on with key"):
        desk.rotate()
    assert names(desk) == before


def test_without_a_key_there_is_no_rotation(desk: KeyRig) -> None:
    desk.lose()
    with pytest.raises(KeyMissing, match="does not exist"):
        desk.rotate()


def test_a_clock_that_went_back_changes_nothing(desk: KeyRig) -> None:
    old = desk.key
    with pytest.raises(ClockWrong):
        at = desk.rig.at - timedelta(hours=1)
        key_changes.rotate(desk.site, Protection.FILE, Reason.SCHEDULED, at=at)
    assert keys.public(desk.key) == keys.public(old)
    assert desk.rotate().old == keys.public(old)
    assert "appliance.next" not in names(desk)


def test_a_key_that_cannot_be_sealed_changes_nothing(desk: KeyRig) -> None:
    before = desk.signers_text
    with pytest.raises(MachineError, match="cannot seal"):
        desk.rotate(Protection.TPM)
    assert names(desk) == ["appliance", "appliance.pub"]
    assert desk.signers_text == before
    with desk.open() as ledger:
        assert ledger.tip.kind is Kind.RUN


def test_a_rotation_can_move_the_key_into_the_tpm(tmp_path: Path) -> None:
    require_tpm()
    desk = key_rig(tmp_path, FreshTpm(tmp_path / "tpm"))
    changed = desk.rotate(Protection.TPM)
    aside = ["appliance.until-5", "appliance.until-5.pub"]
    assert names(desk) == ["appliance.cred", "appliance.pub", *aside]
    assert keys.public(desk.key) == changed.new
    desk.run()
    assert desk.rotate(Protection.FILE).old == changed.new
    assert names(desk)[:2] == ["appliance", "appliance.pub"]
    assert "appliance.until-7.cred" in names(desk)
    desk.run()
    assert desk.verify().faults == ()


def test_a_lost_key_is_replaced(desk: KeyRig) -> None:
    old = keys.public(desk.key)
    desk.lose()
    announcement = desk.request()
    assert (announcement.seq, announcement.action) == (5, Action.REPLACE)
    changed = desk.replace(key_change.authorize(announcement, PERSON))
    assert (changed.old, changed.new, changed.seq, changed.last) == (old, announcement.public, 5, 4)
    assert desk.verify().ok
    desk.run(2)
    assert desk.verify().faults == ()
    positions = [signer.positions for signer in desk.rig.signers.signers]
    assert positions == [(0, 4), None, (5, None)]
    assert names(desk) == ["appliance", "appliance.pub"]


def test_the_replacement_is_signed_by_the_new_key(desk: KeyRig) -> None:
    desk.lose()
    changed = desk.replace(desk.authorized())
    with desk.open() as ledger:
        record = next(ledger.entries())
    assert record.public == changed.new
    assert record.entry.body["reason"] == "lost"
    assert record.entry.body["authorization"].startswith("-----BEGIN SSH SIGNATURE-----")


def test_a_request_stays_the_same_until_the_ledger_grows(desk: KeyRig) -> None:
    assert desk.request() == desk.request()
    before = desk.authorized()
    desk.run()
    with pytest.raises(EvidenceError, match="authorization does not verify"):
        desk.replace(before)
    assert desk.request().seq == 6


def test_replacing_without_a_request_is_refused(desk: KeyRig) -> None:
    desk.lose()
    with pytest.raises(KeyMissing, match=r"appliance\.next does not exist"):
        desk.replace("armor")


@pytest.mark.parametrize("who", ["mallory", "smile/desk"])
def test_who_is_no_recovery_signer_authorizes_nothing(desk: KeyRig, who: str) -> None:
    person = desk.key if who == "smile/desk" else key_of(who)
    armor = desk.authorized(person)
    with pytest.raises(EvidenceError, match="authorization"):
        desk.replace(armor)
    assert desk.verify().branches[0].entries == 5


def test_a_key_that_is_here_but_does_not_open_is_replaced(tmp_path: Path) -> None:
    """A new mainboard: the sealed file is there, and its TPM is not."""
    require_tpm()
    desk = key_rig(tmp_path, FreshTpm(tmp_path / "tpm"))
    desk.rotate(Protection.TPM)
    moved = KeyRig(desk.rig, replace(desk.site, sealer=FreshTpm(tmp_path / "another")))
    with pytest.raises(MachineError, match="decrypt exited"):
        moved.rotate()
    changed = moved.replace(moved.authorized())
    assert keys.public(moved.key) == changed.new
    assert "appliance.until-5.cred" in names(desk)
    moved.run()
    assert moved.verify().faults == ()


def test_nothing_to_finish_is_cheap_and_says_so(desk: KeyRig) -> None:
    assert key_changes.finish(desk.site) is None
    desk.request()
    assert key_changes.finish(desk.site) is None


def test_a_rotation_takes_no_key_from_a_request(desk: KeyRig) -> None:
    asked = desk.request()
    assert desk.rotate().new != asked.public


def test_an_announced_key_that_waits_is_finished_first(desk: KeyRig) -> None:
    changed = desk.rotate()
    for new, back in zip(desk.site.place.files, desk.site.coming.files, strict=True):
        if new.exists():
            new.rename(back)
    for old, back in zip(changed.aside.files, desk.site.place.files, strict=True):
        if old.exists():
            old.rename(back)
    assert key_changes.finish(desk.site) == changed
    assert keys.public(desk.key) == changed.new
    assert desk.rotate().old == changed.new


def test_signers_that_cannot_be_written_stop_it_before_it_begins(desk: KeyRig, monkeypatch) -> None:
    monkeypatch.setattr("reconciler.ledger.key_site.os.access", lambda _path, _mode: False)
    with pytest.raises(MachineError, match="cannot write"):
        desk.rotate()
    assert names(desk) == ["appliance", "appliance.pub"]


def test_rewriting_keeps_the_mode(tmp_path: Path) -> None:
    file = tmp_path / "signers"
    file.write_text("old")
    file.chmod(0o640)
    rewrite(file, b"new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o640)
    assert [path.name for path in tmp_path.iterdir()] == ["signers"]


def test_stock_git_follows_a_rotation(desk: KeyRig) -> None:
    """Git knows nothing of positions; both keys are listed, so it calls every commit good."""
    desk.rotate()
    desk.run()
    marks = desk.rig.git("log", "--format=%G?", "smile/desk").stdout.split()
    assert marks == ["G"] * 7


def test_the_public_half_must_be_one(desk: KeyRig) -> None:
    desk.site.place.public.write_text("nothing\n")
    with pytest.raises(KeyMissing, match="no public key"):
        sealed_keys.read_public(desk.site.place)
