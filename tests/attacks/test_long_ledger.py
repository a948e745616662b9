"""Attacks on the history of a ledger of more than 2,000 runs: drop, reorder, cut, splice, rewrite.

Each is found, located and named. What only somebody who remembers can find is found by the
witness, or by a note that the auditor kept; without either it is said to be not proven.
"""

from collections.abc import Callable

import pytest

from reconciler.evidence.claims import State
from reconciler.evidence.fault import Code
from reconciler.evidence.statement import Kind
from reconciler.ledger.extra import Extra, Known
from reconciler.ledger.verify import Verification
from tests.support.attack_book import Book, Script, begin, look, quiet
from tests.support.attack_ledger import STEP, AttackLedger
from tests.support.attacking import Scene, as_if_after, by_outsider, codes, named, path_of
from tests.support.evidence_keys import test_key

pytestmark = pytest.mark.integration

LATE = 25
"""So many of the newest entries are behind the place of an attack."""


def claimed(result: Verification, ref: str = "refs/heads/smile/desk") -> dict[str, State]:
    return {claim.subject: claim.state for claim in result.claims if claim.ref == ref}


def rewritten(ledger: AttackLedger, at: int, change: Callable[[Script], Script]) -> Book:
    """The ledger as who holds its key would write it anew from an entry on."""
    return ledger.desk.fork(at).play(change(ledger.script[at:]))


def sound(book: Book) -> bool:
    """Whether a forged history has nothing wrong in itself."""
    return len(book.commits) == len(book.digests) == book.entries[-1].seq + 1


def vouched_at(ledger: AttackLedger, size: int) -> list[int]:
    """Numbers of the witness's entries about the desk's log at that size or later."""
    origin = f"reconciler/smile/{ledger.desk.host}"
    bodies = [(entry.seq, entry.body) for entry in ledger.hub.entries]
    return [n for n, body in bodies if body.get("origin") == origin and body["size"] >= size]


class TestHonest:
    def test_everything_is_proven(self, long_ledger: AttackLedger, scene: Scene) -> None:
        result = scene.verify()
        assert result.ok, result.sentence
        desk, xray, hub = result.branches
        assert desk.runs > 2000
        assert set(desk.counts) == set(Kind) - {Kind.COSIGNATURE}
        assert (xray.entries, hub.entries) == (120, len(long_ledger.hub.entries))
        assert result.sweep.unreferenced == 0
        (away,) = desk.gaps
        assert away.declared
        assert len(desk.keys) == 2
        heard = result.testimonies[desk.ref]
        assert len(heard.cosigned) == len(vouched_at(long_ledger, 1))
        weighed = result.anchored[desk.ref].weighed
        assert [one.proof.proven for one in weighed] == [True, False, True]
        not_proven = {subject for subject, state in claimed(result).items() if state != "proven"}
        assert not_proven == {"unwitnessed", "time-pending", "not-before", "copies"}

    def test_a_kept_note_agrees(self, long_ledger: AttackLedger, scene: Scene) -> None:
        seq = long_ledger.desk.checkpoints[-1]
        assert scene.verify(long_ledger.desk.note_of(seq)).ok

    def test_playing_the_script_again_gives_the_same_ledger(
        self, long_ledger: AttackLedger
    ) -> None:
        again = rewritten(long_ledger, 2100, lambda script: script)
        assert again.commits == long_ledger.desk.commits


class TestDropped:
    def test_by_somebody_without_the_key(self, long_ledger: AttackLedger, scene: Scene) -> None:
        desk = long_ledger.desk.fork(len(long_ledger.desk.commits))
        at = len(desk.commits) - LATE
        tip = by_outsider(desk, desk.commits[at - 1], desk.commits[at + 1 :])
        desk.names[desk.branch] = tip
        scene.show(desk)
        result = scene.verify()
        assert len(named(result, Code.COMMIT_SIGNATURE)) == LATE - 1
        assert not codes(result) - {Code.COMMIT_SIGNATURE}

    def test_an_object_is_gone(self, long_ledger: AttackLedger, scene: Scene) -> None:
        gone = long_ledger.desk.commits[-LATE]
        (scene.path / "objects" / gone[:2] / gone[2:]).unlink()
        result = scene.verify()
        assert named(result, Code.OBJECT, commit=gone)

    def test_signed_on_top_of_an_older_one(self, long_ledger: AttackLedger, scene: Scene) -> None:
        desk = long_ledger.desk.fork(len(long_ledger.desk.commits))
        desk.at += STEP
        oid = desk.append_slim(
            body={"like": desk.run, "reached": True, "took_ms": 1},
            spoil=as_if_after(len(desk.commits) - LATE)(desk),
        )
        scene.show(desk)
        result = scene.verify_again()
        assert named(result, Code.SEQUENCE, commit=oid)
        assert named(result, Code.CHAIN, commit=oid)

    @pytest.mark.parametrize("at", [500, 2150])
    def test_by_the_owner_of_the_key(
        self, long_ledger: AttackLedger, scene: Scene, at: int
    ) -> None:
        desk = rewritten(long_ledger, at, lambda script: script[1:])
        assert sound(desk)
        scene.show(desk)
        result = scene.verify()
        hub = long_ledger.hub
        for seq in vouched_at(long_ledger, at + 1):
            assert named(result, Code.EQUIVOCATION, commit=hub.commits[seq], seq=seq)
        assert len(named(result, Code.EQUIVOCATION)) == len(vouched_at(long_ledger, at + 1))


class TestReordered:
    def test_by_somebody_without_the_key(self, long_ledger: AttackLedger, scene: Scene) -> None:
        desk = long_ledger.desk.fork(len(long_ledger.desk.commits))
        one, two, *rest = desk.commits[-LATE:]
        desk.names[desk.branch] = by_outsider(desk, desk.commits[-LATE - 1], [two, one, *rest])
        scene.show(desk)
        assert len(named(scene.verify(), Code.COMMIT_SIGNATURE)) == LATE

    def test_two_statements_change_places(self, long_ledger: AttackLedger, scene: Scene) -> None:
        desk = long_ledger.desk.fork(len(long_ledger.desk.commits))
        size, first = len(desk.commits), desk.digests[-1]
        desk.at += STEP
        body = {"like": desk.run, "reached": True, "took_ms": 1}
        two = desk.append_slim(body=body, seq=size + 1, previous="ab" * 32)
        one = desk.append_slim(body=body, seq=size, previous=first)
        scene.show(desk)
        result = scene.verify_again()
        assert named(result, Code.SEQUENCE, commit=two, seq=size + 1)
        assert named(result, Code.SEQUENCE, commit=one, seq=size)
        assert named(result, Code.CHAIN, commit=one, seq=size)

    def test_by_the_owner_of_the_key(self, long_ledger: AttackLedger, scene: Scene) -> None:
        at = next(
            seq
            for seq in range(2100, 2200)
            if [long_ledger.desk.entries[seq + n].kind for n in (0, 1)]
            == [Kind.CHECKPOINT, Kind.RUN]
        )

        def swap(script: Script) -> Script:
            (when, one), (later, two), *rest = script
            return [(when, two), (later, one), *rest]

        desk = rewritten(long_ledger, at, swap)
        scene.show(desk)
        assert len(named(scene.verify(), Code.EQUIVOCATION)) == len(vouched_at(long_ledger, at))


class TestDuplicated:
    def test_by_somebody_without_the_key(self, long_ledger: AttackLedger, scene: Scene) -> None:
        desk = long_ledger.desk.fork(len(long_ledger.desk.commits))
        desk.names[desk.branch] = by_outsider(desk, desk.commits[-1], [desk.commits[-1]])
        scene.show(desk)
        tip = desk.names[desk.branch]
        assert named(scene.verify_again(), Code.COMMIT_SIGNATURE, commit=tip)

    def test_by_the_owner_of_the_key(self, long_ledger: AttackLedger, scene: Scene) -> None:
        desk = long_ledger.desk.fork(len(long_ledger.desk.commits))
        last = desk.entries[-1]
        oid = desk.append_slim(
            body=dict(last.body), seq=last.seq, previous=last.previous, base=last.base
        )
        scene.show(desk)
        result = scene.verify_again()
        assert named(result, Code.SEQUENCE, commit=oid, seq=last.seq)
        assert named(result, Code.CHAIN, commit=oid, seq=last.seq)


class TestCut:
    def cut(self, long_ledger: AttackLedger, scene: Scene, entries: int) -> int:
        desk = long_ledger.desk
        scene.point(desk.branch, desk.commits[-1 - entries])
        return len(desk.commits) - entries

    def without_witness(self, scene: Scene) -> None:
        packed = scene.path / "packed-refs"
        lines = packed.read_text().splitlines(keepends=True)
        scene.write(packed, "".join(x for x in lines if "witness" not in x).encode())

    def test_the_witness_saw_more(self, long_ledger: AttackLedger, scene: Scene) -> None:
        left = self.cut(long_ledger, scene, LATE)
        result = scene.verify()
        seqs = vouched_at(long_ledger, left + 1)
        assert seqs
        for seq in seqs:
            assert named(result, Code.SHORTER, commit=long_ledger.hub.commits[seq], seq=seq)
        assert codes(result) == {Code.SHORTER}

    def test_the_auditor_kept_a_note(self, long_ledger: AttackLedger, scene: Scene) -> None:
        self.cut(long_ledger, scene, LATE)
        self.without_witness(scene)
        note = long_ledger.desk.note_of(long_ledger.desk.checkpoints[-1])
        result = scene.verify(note)
        assert named(result, Code.SHORTER, path="kept/0.note")

    def test_nobody_remembers(self, long_ledger: AttackLedger, scene: Scene) -> None:
        self.cut(long_ledger, scene, LATE)
        self.without_witness(scene)
        result = scene.verify()
        # Nothing can be found; and it is said that this is not proven.
        assert result.ok
        assert claimed(result)["witness"] is State.NOT_PROVEN

    def test_what_no_witness_has_seen_yet(self, long_ledger: AttackLedger, scene: Scene) -> None:
        last = long_ledger.desk.checkpoints[-1]
        left = self.cut(long_ledger, scene, len(long_ledger.desk.commits) - last - 2)
        result = scene.verify()
        assert result.ok
        assert claimed(result)["unwitnessed"] is State.NOT_PROVEN
        (said,) = [claim for claim in result.claims if claim.subject == "unwitnessed"][:1]
        assert f"newest {left - last} entries" in said.sentence

    def test_the_witness_is_cut_as_well(self, long_ledger: AttackLedger, scene: Scene) -> None:
        self.cut(long_ledger, scene, 1000)
        hub = long_ledger.hub
        keep = vouched_at(long_ledger, 1100)[0]
        scene.point(hub.branch, hub.commits[keep])
        assert claimed(scene.verify())["unwitnessed"] is State.NOT_PROVEN
        kept = hub.entries[vouched_at(long_ledger, 2000)[0]].body["note"]
        assert named(scene.verify(str(kept)), Code.SHORTER, path="kept/0.note")

    def test_the_beginning(self, long_ledger: AttackLedger, scene: Scene) -> None:
        desk = long_ledger.desk.fork(len(long_ledger.desk.commits))
        parts = desk.fork(0)
        parts.at = desk.at
        oid = parts.append(Kind.RUN, {"pass": 1}, seq=len(desk.commits), previous=desk.digests[-1])
        scene.show(parts)
        result = scene.verify()
        assert named(result, Code.GENESIS, commit=oid)

    def test_a_whole_branch_is_gone(self, long_ledger: AttackLedger, scene: Scene) -> None:
        packed = scene.path / "packed-refs"
        lines = packed.read_text().splitlines(keepends=True)
        scene.write(packed, "".join(x for x in lines if "xray" not in x).encode())
        result = scene.verify()
        for entry in long_ledger.hub.entries:
            if entry.body.get("origin") == "reconciler/smile/xray":
                hub = long_ledger.hub.commits[entry.seq]
                assert named(result, Code.SHORTER, commit=hub, seq=entry.seq)
        assert codes(result) == {Code.SHORTER}
        self.without_witness(scene)
        assert scene.verify().ok
        note = long_ledger.xray.note_of(long_ledger.xray.checkpoints[-1])
        assert named(scene.verify(note), Code.SHORTER, path="kept/0.note")


class TestSpliced:
    def test_the_branch_of_another_appliance(self, long_ledger: AttackLedger, scene: Scene) -> None:
        xray = long_ledger.xray
        scene.point(long_ledger.desk.branch, xray.commits[-1])
        result = scene.verify()
        for seq in (0, 1, len(xray.commits) - 1):
            assert named(result, Code.BRANCH, commit=xray.commits[seq], seq=seq)
            assert named(result, Code.PRINCIPAL, commit=xray.commits[seq])

    def test_an_entry_of_another_appliance(self, long_ledger: AttackLedger, scene: Scene) -> None:
        desk = long_ledger.desk.fork(len(long_ledger.desk.commits))
        xray = long_ledger.xray
        tip = by_outsider(desk, desk.commits[-1], [xray.commits[-1]])
        desk.names[desk.branch] = tip
        scene.show(desk)
        assert named(scene.verify_again(), Code.COMMIT_SIGNATURE, commit=tip)

    def test_signed_again_by_the_right_key(self, long_ledger: AttackLedger, scene: Scene) -> None:
        desk = long_ledger.desk.fork(len(long_ledger.desk.commits))
        desk.at += STEP
        branch = long_ledger.xray.branch
        oid = desk.append(Kind.RUN, {"pass": 3}, ref=branch, host="xray")
        scene.show(desk)
        assert named(scene.verify_again(), Code.BRANCH, commit=oid)


class TestRelabelled:
    def failing(self, ledger: AttackLedger) -> int:
        return next(
            entry.seq
            for entry in ledger.desk.entries
            if any(one["status"] == "fail" for one in entry.body.get("findings", ()))
        )

    def test_in_the_file(self, long_ledger: AttackLedger, scene: Scene) -> None:
        desk, seq = long_ledger.desk, self.failing(long_ledger)
        forged = desk.fork(seq)
        forged.play([(desk.entries[seq].time, look())])
        tip = by_outsider(forged, forged.commits[-1], desk.commits[seq + 1 : seq + 30])
        forged.names[forged.branch] = tip
        scene.show(forged)
        result = scene.verify()
        assert len(named(result, Code.COMMIT_SIGNATURE)) == 29
        assert named(result, Code.NOT_APPEND_ONLY, path=path_of(desk, seq))

    def test_by_the_owner_of_the_key(self, long_ledger: AttackLedger, scene: Scene) -> None:
        seq = self.failing(long_ledger)

        def relabel(script: Script) -> Script:
            return [(script[0][0], look()), *script[1:]]

        desk = rewritten(long_ledger, seq, relabel)
        assert sound(desk)
        scene.show(desk)
        result = scene.verify()
        assert len(named(result, Code.EQUIVOCATION)) == len(vouched_at(long_ledger, seq + 1))

    def test_the_object_under_its_name(self, long_ledger: AttackLedger, scene: Scene) -> None:
        desk, seq = long_ledger.desk, self.failing(long_ledger)
        other = desk.fork(seq).play([(desk.entries[seq].time, look())])
        honest, forged = (blob_of(book, seq) for book in (desk, other))
        scene.write_loose(honest, *other.objects[forged])
        result = scene.verify()
        name = f"objects/{honest[:2]}/{honest[2:]}"
        # A sound copy lies in a pack; whichever of the two is read, the forged one is named.
        assert named(result, Code.FILE, path=name)


def blob_of(book: Book, seq: int) -> str:
    """Object id of the file of an entry."""
    from reconciler.evidence.commit import parse
    from reconciler.evidence.tree import parse as nodes

    oid = parse(book.read(book.commits[seq])[1]).tree
    for name in path_of(book, seq).split("/"):
        oid = nodes(book.read(oid)[1])[name.encode()][1].hex()
    return oid


class TestTwoHistories:
    """The owner of the key shows one history here and another one there."""

    def fork(self, ledger: AttackLedger) -> Book:
        """From the last entry that the witness saw on, everything is different."""
        at = ledger.desk.checkpoints[-1] + 1
        begin_at = ledger.desk.entries[at].time
        more = [(begin_at + n * STEP, quiet) for n in range(1, 12)]
        return ledger.desk.fork(at).play([(begin_at, look("sshd-hardened")), *more])

    def test_the_checkpoint_of_the_other_clone(
        self, long_ledger: AttackLedger, scene: Scene
    ) -> None:
        other = self.fork(long_ledger)
        size = len(long_ledger.desk.commits)
        note = other.note(size, other.log(size).root())
        assert scene.verify().ok
        result = scene.verify(note)
        assert named(result, Code.EQUIVOCATION, path="kept/0.note")
        assert codes(result) == {Code.EQUIVOCATION}

    def test_the_other_clone_passes_by_itself(
        self, long_ledger: AttackLedger, scene: Scene
    ) -> None:
        scene.show(self.fork(long_ledger))
        result = scene.verify()
        assert result.ok
        assert claimed(result)["unwitnessed"] is State.NOT_PROVEN

    @pytest.mark.parametrize("signed", [True, False])
    def test_what_a_witness_was_shown(
        self, long_ledger: AttackLedger, scene: Scene, signed: bool
    ) -> None:
        """It kept the other root, which the log's key signed, or somebody who has no such key."""
        other = self.fork(long_ledger)
        if not signed:
            other.key = test_key("mallory")
        size = len(long_ledger.desk.commits)
        root = other.log(size).root()
        hub = long_ledger.hub.fork(len(long_ledger.hub.commits))
        hub.at = long_ledger.desk.at
        shown = {"commit": None, "size": size, "root": root.hex(), "note": other.note(size, root)}
        body = {
            "origin": "reconciler/smile/desk",
            "reason": "equivocation",
            "message": "log signed another root than was vouched for",
            "shown": shown,
            "cosigned": None,
        }
        oid = hub.append(Kind.REFUSAL, body)
        scene.show(hub)
        for result in (scene.verify(), scene.verify_again()):
            found = [(fault.code, fault.place.commit) for fault in result.faults]
            assert found == ([(Code.EQUIVOCATION, oid)] if signed else [])
            said = {(claim.subject, claim.state) for claim in result.claims}
            assert ("witness", State.FALSE) in said

    @pytest.mark.parametrize("branch", ["desk", "hub"])
    def test_another_clone_has_more(
        self, long_ledger: AttackLedger, scene: Scene, branch: str
    ) -> None:
        book: Book = getattr(long_ledger, branch)
        size = len(book.commits)
        known = Known(book.branch, size, book.log(size).root(), "another clone")
        assert long_ledger.verify(scene.path, Extra(known=(known,))).ok
        scene.point(book.branch, book.commits[-2])
        result = long_ledger.verify(scene.path, Extra(known=(known,)))
        assert named(result, Code.SHORTER, path=book.branch)
        (scene.path / book.branch).unlink()
        (scene.path / "packed-refs").unlink()
        result = long_ledger.verify(scene.path, Extra(known=(known,)))
        assert named(result, Code.SHORTER, path=book.branch)

    def test_the_sequence_begins_again(self, long_ledger: AttackLedger, scene: Scene) -> None:
        desk = long_ledger.desk.fork(0)
        desk.key = long_ledger.desk.keys[0]
        desk.play([(long_ledger.desk.at, begin), (long_ledger.desk.at + STEP, look())])
        scene.show(desk)
        result = scene.verify()
        assert len(named(result, Code.SHORTER)) == len(vouched_at(long_ledger, 3))

    def test_the_sequence_begins_again_in_the_middle(
        self, long_ledger: AttackLedger, scene: Scene
    ) -> None:
        desk = long_ledger.desk.fork(len(long_ledger.desk.commits))
        oid = desk.append(Kind.GENESIS, seq=0, previous=None, open=())
        scene.show(desk)
        result = scene.verify_again()
        for code in (Code.GENESIS, Code.SEQUENCE, Code.CHAIN):
            assert named(result, code, commit=oid, seq=0)

    def test_everything_is_written_anew(self, long_ledger: AttackLedger, scene: Scene) -> None:
        def with_another_beginning(script: Script) -> Script:
            return [script[0], (script[1][0], look("disk-encrypted")), *script[2:]]

        desk = rewritten(long_ledger, 0, with_another_beginning)
        assert len(desk.commits) == len(long_ledger.desk.commits)
        scene.show(desk)
        result = scene.verify()
        assert len(named(result, Code.EQUIVOCATION)) == len(vouched_at(long_ledger, 2))
