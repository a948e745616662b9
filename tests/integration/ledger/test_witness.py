"""A witness that looks at clones: what it vouches for, what it refuses, what it remembers."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.errors import Busy, EvidenceError, LedgerDamaged, LedgerMissing
from reconciler.evidence import note, sshsig
from reconciler.evidence.merkle import leaf_hash
from reconciler.evidence.merkle_tree import Tree
from reconciler.evidence.objection import Objection
from reconciler.evidence.statement import Kind
from reconciler.evidence.witnessing import Look, Refuse, Status, read_request, write_request
from reconciler.ledger.verify import load_signers, verify
from reconciler.ledger.witness import Witness
from reconciler.ledger.witness_memory import SNAPSHOT_EVERY, LedgerMemory
from tests.support.evidence_keys import test_key as key_of
from tests.support.key_site import KeyRig, key_rig
from tests.support.ledger_rig import Rig, filled
from tests.support.witness_rig import (
    NAME,
    ORIGIN,
    WITNESS_KEY,
    WitnessRig,
    checkpointed,
    clone_of,
    make_witness,
)

pytestmark = pytest.mark.integration
WITNESSES = {"witness/hub": sshsig.raw_public(WITNESS_KEY)}


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = filled(tmp_path)
    checkpointed(rig, 2)
    return rig


@pytest.fixture
def hub(rig: Rig) -> WitnessRig:
    return make_witness(rig.directory, rig)


def look(hub: WitnessRig, path: Path) -> Look:
    with hub.memory() as memory:
        (found,) = hub.witness(memory).look(path)
    return found


def reason(found: Look) -> str:
    assert found.objection is not None
    assert not found.cosigned
    return found.objection.reason


def test_honest_growth_is_cosigned_once_for_each_checkpoint(rig: Rig, hub: WitnessRig) -> None:
    first = look(hub, rig.path)
    assert first.cosigned
    assert first.seen is not None
    assert (first.seen.size, first.size, first.entries) == (8, 9, 9)
    again = look(hub, rig.path)
    assert (again.cosigned, again.seen, again.objection) == (False, first.seen, None)
    checkpointed(rig, 30)
    checkpointed(rig, 30)
    second = look(hub, rig.path)
    assert second.seen is not None
    assert second.cosigned
    assert second.seen.size == 70
    # What was vouched for is not examined again, down to the run before it.
    assert second.entries == 71 - 7
    kinds = [kind for kind, _ in hub.entries()]
    assert kinds == [Kind.GENESIS, Kind.COSIGNATURE, Kind.COSIGNATURE]


def test_a_cosignature_entry_says_what_the_format_says(rig: Rig, hub: WitnessRig) -> None:
    look(hub, rig.path)
    _, body = hub.entries()[-1]
    assert sorted(body) == ["note", "origin", "root", "size", "time"]
    text = str(body["note"])
    checkpoint = note.open_checkpoint(text, ORIGIN, sshsig.raw_public(rig.key))
    assert (body["origin"], body["size"]) == (ORIGIN, checkpoint.size)
    assert body["root"] == checkpoint.root.hex()
    assert note.cosignatures(text, WITNESSES) == {"witness/hub": body["time"]}
    # The witness's ledger is a ledger like any other.
    assert verify(hub.path, load_signers(hub.signers_file)).ok


def test_a_log_without_a_checkpoint_waits(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    found = look(make_witness(tmp_path, rig), rig.path)
    assert (found.cosigned, found.seen, found.objection, found.size) == (False, None, None, 6)


def test_two_clones_with_two_roots_of_one_size(rig: Rig, hub: WitnessRig) -> None:
    other = clone_of(rig, "other")
    checkpointed(rig, 3, found="this")
    checkpointed(other, 3, found="that")
    assert verify(other.path, other.signers).ok
    assert look(hub, rig.path).cosigned
    found = look(hub, other.path)
    assert reason(found) == "equivocation"
    # And it stays: a longer log on top of the other history is as wrong.
    checkpointed(other, 9)
    assert reason(look(hub, other.path)) == "equivocation"
    assert not look(hub, rig.path).cosigned
    kind, body = hub.entries()[2]
    assert kind is Kind.REFUSAL
    assert body["cosigned"] == {"size": 12, "root": found.seen and found.seen.root.hex()}
    shown = body["shown"]
    assert isinstance(shown, dict)
    assert shown["root"] != found.seen.root.hex()
    # The log's own signature on the other root proves it to others.
    signed = note.open_checkpoint(shown["note"], ORIGIN, sshsig.raw_public(rig.key))
    assert (signed.size, signed.root.hex()) == (12, shown["root"])


def test_a_shorter_log_is_refused_and_written_down_once(rig: Rig, hub: WitnessRig) -> None:
    old = clone_of(rig, "old")
    checkpointed(rig, 5)
    assert look(hub, rig.path).cosigned
    for _ in range(3):
        assert reason(look(hub, old.path)) == "shorter-than-witnessed"
    kind, body = hub.entries()[-1]
    assert (kind, len(hub.entries())) == (Kind.REFUSAL, 3)
    assert (body["origin"], body["reason"]) == (ORIGIN, "shorter-than-witnessed")
    assert "9 entries, and 14" in str(body["message"])


def test_what_is_written_down_quotes_nobody_who_wrote_into_a_log(hub: WitnessRig) -> None:
    shown = {"commit": "c" * 40, "size": None, "root": None, "note": None}
    said = f"statement at commit {'c' * 40}: {ORIGIN} holds Gonzalez, born 1950-03-04"
    with hub.memory() as memory:
        memory.object_to(Objection(ORIGIN, "statement", said, shown), hub.clock.now())

    message = str(hub.entries()[-1][1]["message"])
    assert "withheld" in message
    assert "Gonzalez" not in message


def test_a_log_that_is_gone_is_refused(rig: Rig, hub: WitnessRig) -> None:
    look(hub, rig.path)
    (rig.path / "refs/heads/smile/desk").rename(rig.path / "refs/heads/smile/other")
    with hub.memory() as memory:
        found = hub.witness(memory).look(rig.path)
    assert [reason(one) for one in found] == ["no-ledger", "principal"]


def test_a_rogue_continuation_is_not_vouched_for(rig: Rig, hub: WitnessRig) -> None:
    look(hub, rig.path)
    rogue = key_of("rogue")
    listed = f'smile/desk namespaces="git" {sshsig.public_text(sshsig.raw_public(rogue))}\n'
    both = rig.signers_file.read_text() + listed
    rig.signers_file.write_text(both)
    # Even where somebody got it listed: nothing in the ledger hands over to it.
    hub.signers = load_signers(rig.signers_file)
    from reconciler.ledger.writer import Writer  # the ledger itself refuses to open

    with rig.open() as ledger:
        ledger._writer.close()
        ledger._writer = Writer(rig.path, rogue)
        rig.run(ledger)
    assert reason(look(hub, rig.path)) == "key"
    hub.signers = load_signers(rig.signers_file)


def test_a_damaged_object_is_not_vouched_for(rig: Rig, hub: WitnessRig) -> None:
    look(hub, rig.path)
    checkpointed(rig, 2)
    tip = (rig.path / "refs/heads/smile/desk").read_text().strip()
    (rig.path / "objects" / tip[:2] / tip[2:]).unlink()
    assert reason(look(hub, rig.path)) == "object"


def test_a_checkpoint_over_another_root_is_not_vouched_for(rig: Rig, hub: WitnessRig) -> None:
    with rig.open() as ledger:
        size = ledger.tip.seq + 1
        lie = note.Checkpoint(ORIGIN, size, bytes(32))
        body = {"note": note.sign_checkpoint(lie, rig.key)}
        ledger.append(Kind.CHECKPOINT, body, at=rig.tick(), subject=None)
    found = look(hub, rig.path)
    assert reason(found) == "checkpoint"
    assert found.objection is not None
    assert found.objection.shown["note"] == body["note"]


@pytest.mark.parametrize("body", [{}, {"note": 7}, {"note": "x"}])
def test_a_checkpoint_without_a_note_is_not_vouched_for(
    rig: Rig, hub: WitnessRig, body: dict[str, object]
) -> None:
    with rig.open() as ledger:
        ledger.append(Kind.CHECKPOINT, body, at=rig.tick(), subject=None)
    assert reason(look(hub, rig.path)) == "checkpoint"


def test_a_checkpoint_of_another_size_is_not_vouched_for(rig: Rig, hub: WitnessRig) -> None:
    with rig.open() as ledger:
        late = {"note": ledger.note()}
        rig.run(ledger)
        ledger.append(Kind.CHECKPOINT, late, at=rig.tick(), subject=None)
    assert reason(look(hub, rig.path)) == "checkpoint"


def test_the_memory_outlives_many_entries(rig: Rig, hub: WitnessRig) -> None:
    look(hub, rig.path)
    with hub.memory() as memory:
        seen = memory.latest(ORIGIN)
        assert seen is not None
        for number in range(SNAPSHOT_EVERY + 3):
            other = f"reconciler/smile/desk-{number % 5}"
            memory.remember(other, memory.latest(other), seen, hub.clock.now())
    kinds = [kind for kind, _ in hub.entries()]
    assert kinds.count(Kind.HEARTBEAT) == 1
    with hub.memory() as memory:
        assert memory.latest(ORIGIN) == seen
        assert memory.origins() == (ORIGIN, *(f"reconciler/smile/desk-{n}" for n in range(5)))


def test_one_process_holds_the_memory(hub: WitnessRig) -> None:
    with hub.memory(), pytest.raises(Busy):
        hub.memory()
    hub.memory().close()


def test_a_memory_that_moved_is_not_written_over(rig: Rig, hub: WitnessRig) -> None:
    look(hub, rig.path)
    with hub.memory() as memory:
        seen = memory.latest(ORIGIN)
        assert seen is not None
        with pytest.raises(Busy):
            memory.remember(ORIGIN, None, seen, hub.clock.now())
        assert memory.latest(ORIGIN) == seen


def test_a_witness_that_lost_its_memory_stops(rig: Rig, hub: WitnessRig) -> None:
    look(hub, rig.path)
    shutil.rmtree(hub.path)
    with pytest.raises(LedgerMissing):
        hub.memory()
    assert not hub.path.exists()


def test_a_memory_that_does_not_verify_stops_the_witness(rig: Rig, hub: WitnessRig) -> None:
    look(hub, rig.path)
    with pytest.raises(LedgerDamaged):
        LedgerMemory.open(hub.path, NAME, key_of("another"))
    tip = hub.path / "refs/heads/witness" / NAME
    name = tip.read_text().strip()
    file = hub.path / "objects" / name[:2] / name[2:]
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(LedgerDamaged):
        hub.memory()


def test_what_is_no_evidence_repository_is_an_error(hub: WitnessRig, tmp_path: Path) -> None:
    with hub.memory() as memory:
        witness = hub.witness(memory)
        with pytest.raises(LedgerMissing):
            witness.look(tmp_path / "nowhere")
        # Its own ledger holds no appliance: a witness does not vouch for itself.
        with pytest.raises(EvidenceError, match="no branch of an appliance"):
            witness.look(hub.path)


def checkpoint_of(desk: KeyRig) -> None:
    with desk.open() as ledger:
        at = desk.rig.tick()
        ledger.append(Kind.CHECKPOINT, {"note": ledger.note()}, at=at, subject=None)


def test_a_rotated_and_a_replaced_key_go_on_being_vouched_for(tmp_path: Path) -> None:
    desk = key_rig(tmp_path)
    hub = make_witness(tmp_path, desk.rig)
    checkpoint_of(desk)
    assert look(hub, desk.rig.path).cosigned
    for change in (desk.rotate, lambda: desk.replace(desk.authorized())):
        change()
        desk.run(2)
        checkpoint_of(desk)
        hub.signers = load_signers(desk.rig.signers_file)
        found = look(hub, desk.rig.path)
        assert found.cosigned, found.objection
    # A witness that comes late sees the same.
    (tmp_path / "late").mkdir()
    late = look(make_witness(tmp_path / "late", desk.rig), desk.rig.path)
    assert late.seen is not None
    assert found.seen is not None
    assert replace(late.seen, note="") == replace(found.seen, note="")


def test_a_witness_that_does_not_know_the_new_key_yet_refuses(tmp_path: Path) -> None:
    desk = key_rig(tmp_path)
    hub = make_witness(tmp_path, desk.rig)
    checkpoint_of(desk)
    assert look(hub, desk.rig.path).cosigned
    desk.rotate()
    checkpoint_of(desk)
    assert reason(look(hub, desk.rig.path)) == "key"
    hub.signers = load_signers(desk.rig.signers_file)
    assert look(hub, desk.rig.path).cosigned


def test_over_http_a_key_is_bound_to_its_part_of_the_log(tmp_path: Path) -> None:
    desk = key_rig(tmp_path)
    hub = make_witness(tmp_path, desk.rig)
    old = desk.key
    last = desk.rotate().last
    hub.signers = load_signers(desk.rig.signers_file)
    log = Tree(leaf_hash(b"%d" % seq) for seq in range(last + 2))

    def asked(size: int, key: Ed25519PrivateKey, witness: Witness) -> str | Refuse:
        signed = note.sign_checkpoint(note.Checkpoint(ORIGIN, size, log.root(size)), key)
        return witness.answer(read_request(write_request(0, (), signed)))

    with hub.memory() as memory:
        witness = hub.witness(memory)
        late = asked(last + 1, old, witness)
        assert isinstance(late, Refuse)
        assert late.status is Status.NOT_SIGNED
        early = asked(last, desk.key, witness)
        assert isinstance(early, Refuse)
        assert isinstance(asked(last, old, witness), str)


def test_quiet_runs_and_late_ones_are_vouched_for(rig: Rig, hub: WitnessRig) -> None:
    look(hub, rig.path)
    for _ in range(2):
        with rig.open() as ledger:
            full = rig.run(ledger, promise_s=60)
            for _ in range(4):
                ledger.append_slim(Kind.RUN, {"like": full.seq}, at=rig.tick(1))
            rig.tick(600)
            for _ in range(4):
                ledger.append_slim(Kind.RUN, {"like": full.seq}, at=rig.tick(1))
            ledger.append_slim(Kind.CHECKPOINT, {"note": ledger.note()}, at=rig.tick(1))
        found = look(hub, rig.path)
        assert found.cosigned, found.objection
    # Ten hours without a run are the auditor's business.
    faults = verify(rig.path, rig.signers).faults
    assert {fault.code.value for fault in faults} == {"gap"}
