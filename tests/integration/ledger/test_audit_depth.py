"""The audit in depth: on several cores, from a cache, against another clone, from bundles."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.evidence.claims import State
from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code
from reconciler.evidence.fault import Place as At
from reconciler.evidence.note import cosign
from reconciler.evidence.testimony import Saying
from reconciler.ledger import gather
from reconciler.ledger.audit_cache import AuditCache
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.store import Ledger
from reconciler.ledger.verify import Extra, Known, Verification, verify
from tests.support.evidence_keys import test_key as key_of
from tests.support.forge import signer_line
from tests.support.ledger_rig import SUBJECT, Rig, filled

pytestmark = pytest.mark.integration


def quiet(rig: Rig, ledger: Ledger, runs: int) -> None:
    like = ledger.tip.seq
    for _ in range(runs):
        ledger.append_slim(Kind.RUN, {"like": like, "reached": True, "took_ms": 9}, at=rig.tick())


def grown(directory: Path, days: int = 4) -> Rig:
    """A ledger of full and slim runs, with a checkpoint every day."""
    directory.mkdir(parents=True, exist_ok=True)
    rig = filled(directory, runs=0)
    with rig.open() as ledger:
        for _ in range(days):
            grow(rig, ledger)
    return rig


def grow(rig: Rig, ledger: Ledger) -> None:
    rig.run(ledger, promise_s=1300)
    quiet(rig, ledger, 5)
    ledger.append_slim(Kind.CHECKPOINT, {"note": ledger.note()}, at=rig.tick())


def codes(result: Verification) -> set[Code]:
    return {fault.code for fault in result.faults}


@pytest.fixture
def cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "STRETCH", 3)


def seen_by(result: Verification) -> dict[str, Any]:
    (report,) = result.branches
    fields = {name: getattr(report, name) for name in type(report).__slots__ if name != "end"}
    return {**fields, "claims": result.claims, "faults": result.faults}


def test_it_finds_the_same_however_the_history_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = grown(tmp_path)
    whole = rig.verify()
    assert whole.ok, whole.sentence
    assert whole.branches[0].runs == 4 * 6
    for length in (1, 2, 5, 9):
        monkeypatch.setattr(gather, "STRETCH", length)
        assert seen_by(rig.verify()) == seen_by(whole), length


def test_two_processes_find_what_one_finds(tmp_path: Path, cut_short: None) -> None:
    rig = grown(tmp_path)
    told: list[tuple[int, int]] = []
    extra = Extra(jobs=2, progress=lambda _ref: lambda done, total: told.append((done, total)))
    apart = verify(rig.path, rig.signers, extra=extra)

    assert seen_by(apart) == seen_by(rig.verify())
    assert told[0] == (0, 31)
    assert told[-1] == (31, 31)
    assert apart.sweep.unreferenced == 0


def cached(rig: Rig, tmp_path: Path) -> tuple[Verification, AuditCache]:
    cache = AuditCache.load(tmp_path / "cache", rig.signers_file.read_bytes())
    result = verify(rig.path, rig.signers, extra=Extra(cache=cache))
    if result.ok:
        cache.store()
    return result, cache


def test_a_later_audit_reads_only_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut_short: None
) -> None:
    rig = grown(tmp_path, days=30)
    first, _ = cached(rig, tmp_path)
    assert first.ok, first.sentence
    assert first.earlier == 0
    with rig.open() as ledger:
        rig.at = ledger.tip.time
        grow(rig, ledger)
    rig.git("repack", "-adq")
    read: list[str] = []
    raw = ObjectStore.read
    monkeypatch.setattr(
        ObjectStore, "read", lambda self, oid: (read.append(oid), raw(self, oid))[1]
    )
    second, _ = cached(rig, tmp_path)
    monkeypatch.undo()

    assert second.ok, second.sentence
    assert second.earlier == first.branches[0].entries == 213
    whole = rig.verify()
    assert [c for c in second.claims if c.subject != "earlier-audit"] == list(whole.claims)
    assert [c.state for c in second.claims if c.subject == "earlier-audit"] == [State.NOT_PROVEN]
    third, _ = cached(rig, tmp_path)
    assert third.ok, third.sentence
    assert third.earlier == 220
    assert third.sweep.skipped == 2 or third.sweep.skipped == 3, "pack, index, reverse index"


def test_a_history_that_was_rewritten_since_is_found(tmp_path: Path) -> None:
    rig = grown(tmp_path)
    _, cache = cached(rig, tmp_path)
    shutil.rmtree(rig.path)
    again = grown(tmp_path / "again", days=9)
    shutil.copytree(again.path, rig.path)
    rig.signers_file.write_bytes(again.signers_file.read_bytes())
    cache = AuditCache(cache.path, cache.signers, cache.branches, cache.files)
    result = verify(rig.path, rig.signers, extra=Extra(cache=cache))

    assert not result.ok
    assert Code.CACHE in codes(result)


def test_entries_cut_off_since_are_found(tmp_path: Path) -> None:
    rig = grown(tmp_path)
    cached(rig, tmp_path)
    rig.git("update-ref", "refs/heads/smile/desk", "refs/heads/smile/desk~3")
    result, _ = cached(rig, tmp_path)

    assert Code.CACHE in codes(result)
    assert rig.verify().ok, "without a memory nobody could tell"


@pytest.mark.parametrize("change", ["flip", "cut", "signers", "log"])
def test_a_cache_that_does_not_fit_is_not_believed(tmp_path: Path, change: str) -> None:
    rig = grown(tmp_path)
    _, cache = cached(rig, tmp_path)
    with rig.open() as ledger:
        rig.at = ledger.tip.time
        grow(rig, ledger)
    file = tmp_path / "cache"
    data = bytearray(file.read_bytes())
    if change == "flip":
        data[len(data) // 2] ^= 1
    elif change == "cut":
        del data[-9:]
    elif change == "signers":
        rig.signers_file.write_text(rig.signers_file.read_text() + "# more\n")
    file.write_bytes(data)
    if change == "log":
        (proven,) = cache.branches.values()
        log = dict(proven.state["log"])
        log["subtrees"] = ["00" * 32, *log["subtrees"][1:]]
        cache.branches = {
            ref: replace(one, state={**one.state, "log": log})
            for ref, one in cache.branches.items()
        }
        cache.store()
    result, _ = cached(rig, tmp_path)

    if change == "log":
        assert codes(result) >= {Code.LOG}
    else:
        assert result.ok, result.sentence
        assert result.earlier == 0


def test_another_clone_shows_what_was_cut_off_here(tmp_path: Path) -> None:
    rig = grown(tmp_path)
    (full,) = rig.verify().branches
    assert full.log is not None
    known = (Known(full.ref, full.log.size, full.log.root(), "the other clone"),)
    assert verify(rig.path, rig.signers, extra=Extra(known=known)).ok
    rig.git("update-ref", full.ref, f"{full.ref}~2")
    short = verify(rig.path, rig.signers, extra=Extra(known=known))

    assert [fault.code for fault in short.faults] == [Code.SHORTER]
    assert "the other clone has 31 entries, 29 are here" in short.faults[0].message


def test_two_histories_by_one_key_are_found(tmp_path: Path) -> None:
    rig = grown(tmp_path, days=1)
    fork = Rig(tmp_path / "fork", rig.key, rig.at)
    fork.directory.mkdir()
    shutil.copytree(rig.path, fork.path)
    shutil.copy(rig.signers_file, fork.signers_file)
    for one, word in ((rig, "this"), (fork, "that")):
        with one.open() as ledger:
            one.at = ledger.tip.time
            one.run(ledger, said=word)
    (other,) = fork.verify().branches
    assert other.log is not None
    known = (Known(other.ref, other.log.size, other.log.root(), "the fork"),)
    result = verify(rig.path, rig.signers, extra=Extra(known=known))

    assert [fault.code for fault in result.faults] == [Code.EQUIVOCATION]


def test_a_cosigned_note_that_the_auditor_kept(tmp_path: Path) -> None:
    rig = grown(tmp_path)
    hub = key_of("witness/hub")
    with rig.open() as ledger:
        note = cosign(ledger.note(), "witness/hub", hub, 1_800_000_000)
    rig.signers_file.write_text(rig.signers_file.read_text() + signer_line("witness/hub", hub))
    extra = Extra(said=(Saying(At(path="kept.note"), note),))
    result = verify(rig.path, rig.signers, extra=extra)
    assert result.ok, result.sentence
    (claim,) = [claim for claim in result.claims if claim.subject == "witness"]
    assert claim.state is State.PROVEN
    assert "last for its first 31 entries at 2027-01-15T08:00:00Z" in claim.sentence

    rig.git("update-ref", "refs/heads/smile/desk", "refs/heads/smile/desk~1")
    cut = verify(rig.path, rig.signers, extra=extra)
    assert [(fault.code, fault.place.path) for fault in cut.faults] == [(Code.SHORTER, "kept.note")]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    result = rig.verify()

    assert result.ok
    missing = {claim.subject for claim in result.unproven}
    assert missing == {"gaps", "witness", "time", "not-before", "copies"}
    assert {claim.subject for claim in result.claims} >= {"runs", "order", "keys", "intents"}
    assert json.dumps([claim.sentence for claim in result.claims])


def test_a_subject_is_named(tmp_path: Path) -> None:
    rig = filled(tmp_path)

    assert rig.verify().branches[0].policies == (SUBJECT.commit,)


def test_an_old_state_that_the_cache_does_not_know_is_looked_up(tmp_path: Path) -> None:
    rig = grown(tmp_path)
    with rig.open() as ledger:
        old = ledger.head.log
    cached(rig, tmp_path)
    with rig.open() as ledger:
        rig.at = ledger.tip.time
        grow(rig, ledger)
    cached(rig, tmp_path)
    for root, code in ((old.root(), None), (b"\0" * 32, Code.EQUIVOCATION)):
        cache = AuditCache.load(tmp_path / "cache", rig.signers_file.read_bytes())
        known = (Known("refs/heads/smile/desk", old.size, root, "a note"),)
        result = verify(rig.path, rig.signers, extra=Extra(cache=cache, known=known))
        assert codes(result) == ({code} if code else set())
        assert result.earlier == 0
