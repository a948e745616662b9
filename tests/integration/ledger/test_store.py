import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError, InputError, LedgerDamaged, LedgerMissing, MachineError
from reconciler.evidence.statement import Kind, Reference
from reconciler.ledger.store import Ledger
from tests.support.evidence_keys import test_key as key_of
from tests.support.ledger_rig import SUBJECT, filled, make_rig

pytestmark = pytest.mark.integration


def test_what_is_appended_comes_back_proven(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    with rig.create() as ledger:
        receipt = rig.run(ledger, fail=2)
        assert (receipt.seq, receipt.kind, receipt.ref) == (1, "run", "refs/heads/smile/desk")
        newest, first = ledger.entries()
        assert newest.entry.body == {"pass": 30, "fail": 2}
        assert newest.entry.subject == SUBJECT
        assert (newest.digest, newest.commit) == (receipt.digest, receipt.commit)
        assert newest.entry.previous == first.digest
        assert first.entry.kind is Kind.GENESIS


def test_a_ledger_goes_on_where_it_was(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    with rig.open() as ledger:
        assert ledger.tip.seq == 5
        assert rig.run(ledger).seq == 6
    assert rig.verify().ok


def test_entries_in_both_directions_and_from_a_number_on(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    with rig.open() as ledger:
        assert [record.entry.seq for record in ledger.entries()] == [5, 4, 3, 2, 1, 0]
        oldest_first = ledger.entries(newest_first=False, since_seq=3)
        assert [record.entry.seq for record in oldest_first] == [3, 4, 5]


def test_every_entry_names_boot_and_tools(tmp_path: Path) -> None:
    with make_rig(tmp_path).create() as ledger:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        assert ledger.tip.boot_id == boot
        assert {"reconciler", "python", "cryptography"} <= set(ledger.tip.tool)


def test_open_intents_survive_a_restart(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    with rig.create() as ledger:
        intent = ledger.append(Kind.INTENT, {}, at=rig.tick(), subject=SUBJECT)
        rig.run(ledger)
    with rig.open() as ledger:
        assert ledger.open_intents == (intent.reference,)
        ledger.append(Kind.OUTCOME, {}, at=rig.tick(), subject=SUBJECT, closes=intent.reference)
        assert ledger.open_intents == ()
    assert rig.verify().ok


@pytest.mark.parametrize("closes", [Reference(1, "a" * 64), Reference(9, "a" * 64)])
def test_an_outcome_needs_its_open_intent(tmp_path: Path, closes: Reference) -> None:
    rig = filled(tmp_path)
    with rig.open() as ledger:
        with pytest.raises(EvidenceError, match="is not open"):
            ledger.append(Kind.OUTCOME, {}, at=rig.tick(), subject=None, closes=closes)
        with pytest.raises(EvidenceError, match="without its intent"):
            ledger.append(Kind.OUTCOME, {}, at=rig.tick(), subject=None)
        assert rig.run(ledger).seq == 6


def test_the_clock_may_stand_still_but_not_go_back(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    with rig.create() as ledger:
        ledger.append(Kind.RUN, {}, at=rig.at, subject=None)
        with pytest.raises(EvidenceError, match="the clock says 2025-03-01") as caught:
            ledger.append(Kind.RUN, {}, at=rig.at - timedelta(days=365), subject=None)
        assert "timedatectl" in caught.value.hint
        with pytest.raises(EvidenceError, match="the clock says"):
            ledger.append(Kind.RUN, {}, at=rig.at - timedelta(milliseconds=1), subject=None)
        assert ledger.tip.seq == 1
    assert rig.verify().ok


@pytest.mark.parametrize("body", [{"load": 0.5}, {"é": 1}, {"x": (1,)}, {"x": b""}])
def test_what_has_no_canonical_form_is_not_appended(tmp_path: Path, body: dict) -> None:
    rig = make_rig(tmp_path)
    with rig.create() as ledger:
        with pytest.raises(EvidenceError):
            ledger.append(Kind.RUN, body, at=rig.tick(), subject=None)
        assert rig.run(ledger).seq == 1


def test_a_ledger_begins_once(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    with rig.open() as ledger, pytest.raises(EvidenceError, match="begins once"):
        ledger.append(Kind.GENESIS, {}, at=rig.tick(), subject=None)
    with pytest.raises(InputError, match="there is a ledger already"):
        rig.create()


def test_nothing_is_made_in_a_directory_that_is_used(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    rig.path.mkdir()
    (rig.path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="not empty"):
        rig.create()


def test_creation_is_finished_after_a_crash(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    rig.create().close()
    (rig.path / "refs/heads/smile/desk").unlink()
    rig.create().close()
    with rig.open() as ledger:
        assert ledger.tip.seq == 0


def test_a_missing_repository_is_not_made_up(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    with pytest.raises(LedgerMissing, match=str(rig.path)):
        rig.open()
    assert not rig.path.exists()


def test_a_missing_branch_fails_closed(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    with pytest.raises(LedgerMissing, match="no branch refs/heads/smile/xray"):
        Ledger.open(rig.path, "smile", "xray", rig.key)
    (rig.path / "refs/heads/smile/desk").unlink()
    with pytest.raises(LedgerMissing):
        rig.open()


def test_a_damaged_tip_fails_closed(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    tip = rig.git("rev-parse", "smile/desk").stdout.strip()
    file = rig.path / "objects" / tip[:2] / tip[2:]
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(LedgerDamaged, match=tip):
        rig.open()


def test_a_tip_by_another_key_fails_closed(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    with pytest.raises(LedgerDamaged, match="unknown-key"):
        Ledger.open(rig.path, "smile", "desk", key_of("other"))


def test_damage_below_the_tip_stops_reading_there(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    second = rig.git("rev-parse", "smile/desk~3").stdout.strip()
    (rig.path / "objects" / second[:2] / second[2:]).unlink()
    with rig.open() as ledger:
        read = []
        with pytest.raises(LedgerDamaged, match=second):
            read.extend(record.entry.seq for record in ledger.entries())
        with pytest.raises(LedgerDamaged):
            ledger.entries(newest_first=False)
        check = ledger.check_tail(64)
        assert not check.ok
        assert second in " ".join(check.faults)
        assert ledger.check_tail(2).ok


def test_the_tail_is_checked_as_it_is_on_the_disk_now(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    with rig.open() as ledger:
        list(ledger.entries())
        assert ledger.check_tail(4).checked == 4
        shutil.rmtree(rig.path / "objects")
        (rig.path / "objects").mkdir()
        assert not ledger.check_tail(4).ok


def test_somebody_else_moved_the_branch(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    with rig.open() as one, rig.open() as two:
        rig.run(one)
        with pytest.raises(EvidenceError, match="points to"):
            rig.run(two)
        assert rig.run(one).seq == 7
    assert rig.verify().ok


def test_a_lock_that_a_crash_left_does_not_block_for_ever(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    lock = rig.path / "refs/heads/smile/desk.lock"
    lock.write_text("")
    with rig.open() as ledger:
        assert rig.run(ledger).seq == 6
    assert not lock.exists()


def test_it_works_on_packed_references_and_objects(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    assert rig.git("gc", "-q").returncode == 0
    assert not (rig.path / "refs/heads/smile/desk").exists()
    with rig.open() as ledger:
        assert rig.run(ledger).seq == 6
    assert rig.verify().ok


def test_the_repository_is_set_up_for_stock_git(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    settings = rig.git("config", "--list", "--local").stdout.lower().splitlines()
    for setting in (
        "core.bare=true",
        "receive.denynonfastforwards=true",
        "receive.denydeletes=true",
        "receive.fsckobjects=true",
        "core.logallrefupdates=always",
        "gpg.format=ssh",
        f"gpg.ssh.allowedsignersfile={rig.signers_file}".lower(),
    ):
        assert setting in settings
    assert rig.path.stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    (tmp_path / "file").write_text("")
    rig.directory = tmp_path / "file"
    with pytest.raises(MachineError, match="file"):
        rig.create()
