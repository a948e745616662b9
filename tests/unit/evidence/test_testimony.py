"""What is said of a log besides its entries, held against the log."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.evidence import testimony
from reconciler.evidence.audit import AuditReport
from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.history import history
from reconciler.evidence.note import cosign
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.testimony import Cosigned, Objected, Saying
from tests.support.evidence_cases.witnesses import AT, HUB, vouched, witness_of
from tests.support.evidence_keys import test_key as key_of
from tests.support.forge import KEY, Forge, allowed, honest, signer_line

ORIGIN = "reconciler/smile/desk"
FAR = key_of("witness/far")
SIGNERS = allowed(
    signer_line("smile/desk", KEY),
    signer_line("witness/hub", HUB),
    signer_line("witness/far", FAR),
)
FILE = Place(path="kept.note")
EVERY_SIZE = frozenset(range(20))


def report_of(forge: Forge) -> AuditReport:
    return forge.audit(SIGNERS, other_refs=frozenset(forge.names), sizes=EVERY_SIZE)


def records_of(forge: Forge) -> list[Record]:
    branch = Branch(forge.client, forge.host, SIGNERS)
    steps = history(forge, branch, forge.names[forge.branch])
    return [step.record for step in steps if step.record is not None]


def hear(forge: Forge, *said: Saying, objections: list[Record] | None = None) -> Any:
    report = report_of(forge)
    return testimony.hear(report, "smile", "desk", SIGNERS, said, objections or [])


def found(heard: Any) -> list[tuple[Code, Place]]:
    return [(fault.code, fault.place) for fault in heard.faults]


def entry_said(forge: Forge, note: str, **changes: Any) -> list[Saying]:
    """What the entry of a witness says."""
    return testimony.sayings(records_of(witness_of(forge, note, **changes)))


# Who says what


def test_a_witness_vouches_by_the_name_it_is_listed_with() -> None:
    note = vouched(honest(4).note())
    assert testimony.vouchers(note, SIGNERS) == {"witness/hub": AT}
    assert testimony.vouchers(note, allowed(signer_line("witness/far", FAR))) == {}


def test_what_a_witness_vouched_for_with_an_older_key_still_counts() -> None:
    note = vouched(honest(4).note())
    newer = signer_line("witness/hub", key_of("witness/hub 2027"))
    older = signer_line("witness/hub", HUB)
    for listed in (allowed(newer, older), allowed(older, newer)):
        assert testimony.vouchers(note, listed) == {"witness/hub": AT}
    assert testimony.vouchers(note, allowed(newer)) == {}


def test_only_cosignature_entries_say_something() -> None:
    forge = honest(4)
    note = vouched(forge.note())
    witness = witness_of(forge, note)
    (saying,) = testimony.sayings(records_of(witness))
    assert (saying.note, saying.witness) == (note, "witness/hub")
    assert saying.place == Place(witness.commits[1], 1)
    assert saying.body is not None
    assert saying.body["size"] == 4


def test_a_cosignature_in_the_ledger_of_an_appliance_is_of_whoever_is_known() -> None:
    forge = honest(4)
    note = vouched(forge.note())
    body = {"note": note, "origin": ORIGIN, "root": forge.log(4).root().hex(), "size": 4}
    forge.append(Kind.COSIGNATURE, {**body, "time": AT})
    (saying,) = testimony.sayings(records_of(forge))
    assert saying.witness is None
    assert hear(forge, saying).cosigned == (Cosigned("witness/hub", 4, AT),)


def test_sizes_are_those_of_checkpoints_and_of_what_is_said_of_this_log() -> None:
    forge = honest(4)
    forge.append_slim(Kind.CHECKPOINT, {"note": forge.note()})
    other = honest(2, host="xray").note()
    said = [Saying(FILE, forge.note(3)), Saying(FILE, other), Saying(FILE, "no note")]
    assert testimony.sizes_of(ORIGIN, records_of(forge), said) == {3, 4}


# Own checkpoints


def test_checkpoints_that_hold_are_known_by_their_number() -> None:
    forge = honest(4)
    oid = forge.append_slim(Kind.CHECKPOINT, {"note": forge.note()})
    heard = hear(forge)
    assert {seq: one.commit for seq, one in heard.checkpoints.items()} == {4: oid}
    assert heard.faults == ()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"note": None},
        {"note": "no note"},
        {"note": honest(4).note(size=3)},
        {"note": honest(4).note(size=5)},
        {"note": honest(4).note(root=bytes(32))},
        {"note": honest(4).note().replace("desk", "xray")},
        {"note": honest(4, key=key_of("mallory")).note()},
    ],
    ids=lambda body: repr(body)[-70:-20],
)
def test_a_checkpoint_that_does_not_hold(body: dict[str, Any]) -> None:
    forge = honest(4)
    oid = forge.append_slim(Kind.CHECKPOINT, body)
    heard = hear(forge)
    assert found(heard) == [(Code.CHECKPOINT, Place(oid, 4))]
    assert heard.checkpoints == {}


def test_of_a_log_with_holes_no_checkpoint_holds_and_none_is_blamed() -> None:
    forge = honest(4)
    forge.append_slim(Kind.CHECKPOINT, {"note": forge.note()})
    note = vouched(forge.note())
    del forge.objects[forge.commits[1]]
    heard = hear(forge, Saying(FILE, note))
    assert (heard.checkpoints, heard.cosigned, heard.faults) == ({}, (), ())


# Cosigned notes


def test_a_cosignature_holds_while_the_log_only_grew() -> None:
    forge = honest(4)
    note = vouched(forge.note())
    for _ in range(3):
        assert hear(forge, *entry_said(forge, note)).cosigned == (Cosigned("witness/hub", 4, AT),)
        forge.append()


def test_a_kept_note_speaks_for_every_witness_that_is_known() -> None:
    forge = honest(4)
    note = cosign(vouched(forge.note()), "witness/far", FAR, AT + 5)
    note = cosign(note, "witness/unknown", key_of("mallory"), AT)
    heard = hear(forge, Saying(FILE, note), Saying(FILE, note))
    assert heard.cosigned == (Cosigned("witness/hub", 4, AT), Cosigned("witness/far", 4, AT + 5))
    assert heard.faults == ()


def test_cosigned_states_are_in_order_of_size_and_time() -> None:
    forge = honest(4)
    notes = [vouched(forge.note(size)) for size in (4, 2, 3)]
    heard = hear(forge, *(Saying(FILE, note) for note in notes))
    assert [one.size for one in heard.cosigned] == [2, 3, 4]


def test_a_note_that_nobody_known_cosigned_still_contradicts() -> None:
    forge, other = honest(4), honest(3)
    other.append(body={"pass": 0})
    assert hear(forge, Saying(FILE, forge.note(2))).cosigned == ()
    heard = hear(forge, Saying(FILE, other.note()))
    assert found(heard) == [(Code.EQUIVOCATION, FILE)]
    assert "the log itself vouched" in heard.faults[0].message


def test_what_is_said_of_another_log_is_not_for_this_one() -> None:
    forge, other = honest(4), honest(2, host="xray")
    heard = hear(forge, Saying(FILE, vouched(other.note(9))))
    assert (heard.cosigned, heard.faults) == ((), ())


@pytest.mark.parametrize("note", ["", "no note", "a\n1\nb\n\n— x y\n"])
def test_a_note_that_cannot_be_read(note: str) -> None:
    assert found(hear(honest(2), Saying(FILE, note))) == [(Code.COSIGNATURE, FILE)]


def test_a_note_that_the_log_did_not_sign() -> None:
    forge = honest(4)
    note = vouched(honest(4, key=key_of("mallory")).note())
    heard = hear(forge, Saying(FILE, note))
    assert found(heard) == [(Code.COSIGNATURE, FILE)]
    assert ORIGIN in heard.faults[0].message


def test_a_forged_cosignature_of_a_known_witness() -> None:
    forge = honest(4)
    first, second = (cosign(forge.note(), "witness/hub", HUB, at) for at in (AT, AT + 1))
    made, other = (text.rstrip("\n").rsplit(" ", 1)[1] for text in (first, second))
    forged = first.replace(made, made[:16] + other[16:])
    assert found(hear(forge, Saying(FILE, forged))) == [(Code.COSIGNATURE, FILE)]


def test_an_entry_of_a_witness_without_its_own_cosignature() -> None:
    forge = honest(4)
    for note in (forge.note(), vouched(forge.note(), FAR, "witness/far")):
        (saying,) = entry_said(forge, note)
        heard = hear(forge, saying)
        assert found(heard) == [(Code.COSIGNATURE, saying.place)]
        assert "witness/hub" in heard.faults[0].message


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "reconciler/smile/xray"},
        {"origin": None},
        {"size": 3},
        {"size": "4"},
        {"size": None},
        {"root": "0" * 64},
        {"root": None},
        {"time": AT + 1},
        {"time": None},
    ],
    ids=repr,
)
def test_an_entry_that_says_something_else_than_its_note(changes: dict[str, Any]) -> None:
    forge = honest(4)
    (saying,) = entry_said(forge, vouched(forge.note()), **changes)
    assert found(hear(forge, saying)) == [(Code.COSIGNATURE, saying.place)]


def test_a_log_that_is_shorter_than_what_a_witness_saw() -> None:
    forge = honest(4)
    note = vouched(forge.note())
    forge.names[forge.branch] = forge.commits[2]
    heard = hear(forge, Saying(FILE, note))
    assert found(heard) == [(Code.SHORTER, FILE)]
    assert heard.faults[0].message == "witness/hub saw 4 entries; 3 are shown here"
    assert heard.cosigned == ()


def test_a_log_with_another_root_than_what_a_witness_saw() -> None:
    forge, other = honest(4), honest(3)
    other.append(body={"pass": 0})
    heard = hear(forge, Saying(FILE, vouched(other.note())))
    assert found(heard) == [(Code.EQUIVOCATION, FILE)]
    assert other.log(4).root().hex() in heard.faults[0].message
    assert forge.log(4).root().hex() in heard.faults[0].message


def test_a_root_that_nobody_asked_the_audit_for_is_not_taken_for_right() -> None:
    forge = honest(4)
    report = replace(report_of(forge), roots={})
    said = [Saying(FILE, vouched(forge.note(3)))]
    heard = testimony.hear(report, "smile", "desk", SIGNERS, said)
    assert [fault.code for fault in heard.faults] == [Code.EQUIVOCATION]
    assert heard.cosigned == ()


# Logs that are not there


def faults_of(said: list[Saying], *origins: str) -> list[Fault]:
    return testimony.gone(said, set(origins))


def test_a_log_that_is_gone_is_shorter_than_any() -> None:
    forge = honest(4)
    note = vouched(forge.note())
    (entry,) = entry_said(forge, note)
    kept = Saying(FILE, note)
    assert faults_of([entry, kept], ORIGIN) == []
    assert [f.place for f in faults_of([entry], "reconciler/smile/xray")] == [entry.place]
    # The witness's entries are of all its clients, whose repositories are not here.
    assert faults_of([entry], "reconciler/bright/desk", "reconciler/witness/hub") == []
    (fault,) = faults_of([kept], "reconciler/bright/desk")
    assert (fault.code, fault.place) == (Code.SHORTER, FILE)


def test_of_a_note_that_cannot_be_read_nobody_knows_which_log_it_names() -> None:
    assert [f.code for f in faults_of([Saying(FILE, "no note")], ORIGIN)] == [Code.COSIGNATURE]


# Objections


def objecting(forge: Forge, client: str = "witness", **changes: Any) -> list[Record]:
    body = {"origin": ORIGIN, "reason": "equivocation", "message": "two roots", **changes}
    witness = Forge(client, "hub", HUB, forge.objects, forge.names)
    witness.append(Kind.GENESIS)
    witness.append(Kind.REFUSAL, body)
    return records_of(witness)


def test_an_objection_of_a_witness_is_listed_and_no_fault() -> None:
    forge = honest(2)
    heard = hear(forge, objections=objecting(forge))
    at = "2026-03-01T23:20:00.000Z"
    assert heard.objected == (Objected("witness/hub", "equivocation", "two roots", at),)
    assert heard.faults == ()


def test_refusals_of_others_and_about_others_are_no_objections() -> None:
    forge = honest(2)
    assert hear(forge, objections=objecting(forge, "smile")).objected == ()
    about_another = objecting(forge, origin="reconciler/smile/xray")
    assert hear(forge, objections=about_another).objected == ()


def test_words_of_an_objection_have_an_end() -> None:
    forge = honest(2)
    records = objecting(forge, reason="r" * 500, message="m" * 500)
    (one,) = hear(forge, objections=records).objected
    assert (len(one.reason), len(one.message)) == (80, 300)


def test_the_word_of_a_witness_that_is_not_listed_is_kept_and_counts_for_nobody() -> None:
    forge = honest(4)
    note = vouched(forge.note())
    root = forge.log(4).root().hex()
    origin = "reconciler/smile/desk"
    body = {"origin": origin, "size": 4, "root": root, "time": AT, "note": note}
    forge.append(Kind.COSIGNATURE, body)
    unlisted = allowed(signer_line("smile/desk", KEY))
    report = forge.audit(unlisted, sizes=EVERY_SIZE)
    said = testimony.sayings(report.marks)
    heard = testimony.hear(report, "smile", "desk", unlisted, said, [])

    assert (heard.faults, heard.cosigned) == ((), ())
    listed = testimony.hear(report, "smile", "desk", SIGNERS, said, [])
    assert [one.witness for one in listed.cosigned] == ["witness/hub"]
