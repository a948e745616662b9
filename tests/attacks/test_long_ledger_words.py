"""False words of others about a long ledger: checkpoints, cosignatures, anchors.

What a checkpoint, a witness or an authority says is held against the log that was recomputed; it
is named by the entry in which it stands, or by the file that the auditor brought.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.evidence.fault import Code
from reconciler.evidence.note import Checkpoint, cosign, sign_checkpoint
from reconciler.evidence.statement import Kind
from reconciler.ledger.extra import Extra
from tests.attacks.test_long_ledger_forms import looked, ready
from tests.support.attack_book import Book, checkpoint, quiet
from tests.support.attack_ledger import HUB, NEW, OLD, STEP, XRAY, AttackLedger, cosigned
from tests.support.attack_stamps import Stamps
from tests.support.attacking import Scene, codes, named
from tests.support.evidence_keys import test_key

pytestmark = pytest.mark.integration

ROGUE = test_key("mallory")
ORIGIN = "reconciler/smile/desk"


def honest_words(scene: Scene) -> tuple[Book, Book]:
    """A new checkpoint of the desk, and the witness, ready to vouch for it."""
    desk = ready(scene)
    checkpoint(desk)
    hub = scene.ledger.hub.fork(len(scene.ledger.hub.commits))
    hub.at = desk.at
    return desk, hub


def test_honest_words_pass(scene: Scene) -> None:
    desk, hub = honest_words(scene)
    cosigned(desk, desk.checkpoints[-1])(hub)
    stamps = scene.ledger.stamps
    for step in (stamps.dated, stamps.submitted, stamps.upgraded, quiet):
        step(desk)
    result = looked(scene, desk, hub)
    assert result.ok, result.sentence
    assert result.testimonies[desk.branch].cosigned[-1].size == desk.checkpoints[-1]
    assert result.anchored[desk.branch].weighed[-1].size == desk.checkpoints[-1]


class TestCheckpoints:
    def signed(self, scene: Scene, note: Callable[[Book], str]) -> None:
        for slim in (True, False):
            desk = ready(scene)
            body = {"note": note(desk)}
            append = desk.append_slim if slim else desk.append
            oid = append(Kind.CHECKPOINT, body)
            seq = len(desk.commits) - 1
            assert named(looked(scene, desk), Code.CHECKPOINT, commit=oid, seq=seq)

    @pytest.mark.parametrize("fewer", [1, 2, 100, -1, -100])
    def test_of_another_size(self, scene: Scene, fewer: int) -> None:
        self.signed(scene, lambda desk: desk.note(len(desk.commits) - fewer))

    def test_of_another_root(self, scene: Scene) -> None:
        self.signed(scene, lambda desk: desk.note(root=b"r" * 32))

    def test_of_a_shorter_log_as_if_it_were_this_one(self, scene: Scene) -> None:
        size = scene.ledger.desk.checkpoints[-1]
        root = scene.ledger.desk.log(size).root()
        self.signed(scene, lambda desk: desk.note(root=root))

    @pytest.mark.parametrize("key", [OLD, XRAY, HUB, ROGUE])
    def test_by_another_key(self, scene: Scene, key) -> None:
        self.signed(scene, lambda desk: sign_checkpoint(state_of(desk), key))

    @pytest.mark.parametrize("origin", ["reconciler/smile/xray", "reconciler/smile", "x"])
    def test_of_another_log(self, scene: Scene, origin: str) -> None:
        self.signed(
            scene, lambda desk: sign_checkpoint(replace(state_of(desk), origin=origin), NEW)
        )

    @pytest.mark.parametrize("note", ["", "reconciler/smile/desk\n", 7, None, ["x"]])
    def test_that_is_none(self, scene: Scene, note: Any) -> None:
        self.signed(scene, lambda _desk: note)

    def test_whose_text_was_changed(self, scene: Scene) -> None:
        self.signed(scene, lambda desk: desk.note().replace("\n2", "\n3", 1))


def state_of(desk: Book) -> Checkpoint:
    return Checkpoint(ORIGIN, len(desk.commits), desk.log(len(desk.commits)).root())


class TestWitness:
    """Entries of the witness's own ledger, by its key or not."""

    def vouched(self, scene: Scene, change: Callable[[dict[str, Any], Book], object]) -> None:
        desk, hub = honest_words(scene)
        cosigned(desk, desk.checkpoints[-1])(hub)
        body = dict(hub.entries[-1].body)
        change(body, desk)
        hub = scene.ledger.hub.fork(len(scene.ledger.hub.commits))
        hub.at = desk.at
        oid = hub.append(Kind.COSIGNATURE, body)
        result = looked(scene, desk, hub)
        assert named(result, Code.COSIGNATURE, commit=oid, seq=len(hub.commits) - 1)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("size", 7),
            ("size", None),
            ("root", "ab" * 32),
            ("root", None),
            ("origin", "reconciler/smile/xray"),
            ("time", 7),
            ("time", "then"),
        ],
    )
    def test_an_entry_that_says_something_else_than_its_note(
        self, scene: Scene, name: str, value: Any
    ) -> None:
        self.vouched(scene, lambda body, _desk: body.__setitem__(name, value))

    @pytest.mark.parametrize("key", [ROGUE, NEW, XRAY])
    def test_a_cosignature_by_another_key(self, scene: Scene, key) -> None:
        def forge(body: dict[str, Any], desk: Book) -> None:
            note = desk.note_of(desk.checkpoints[-1])
            body["note"] = cosign(note, "witness/hub", key, body["time"])

        self.vouched(scene, forge)

    @pytest.mark.parametrize("at", [0, 4, 12, 50, -1])
    def test_a_cosignature_with_another_byte(self, scene: Scene, at: int) -> None:
        def forge(body: dict[str, Any], _desk: Book) -> None:
            head, _, last = body["note"].rstrip("\n").rpartition(" ")
            payload = bytearray(b64decode(last))
            payload[at] ^= 1
            body["note"] = f"{head} {b64encode(payload).decode()}\n"

        self.vouched(scene, forge)

    def test_a_cosignature_under_another_name(self, scene: Scene) -> None:
        def forge(body: dict[str, Any], desk: Book) -> None:
            note = desk.note_of(desk.checkpoints[-1])
            body["note"] = cosign(note, "witness/backup", HUB, body["time"])

        self.vouched(scene, forge)

    def test_no_cosignature(self, scene: Scene) -> None:
        self.vouched(
            scene,
            lambda body, desk: body.__setitem__("note", desk.note_of(desk.checkpoints[-1])),
        )

    def test_a_note_that_the_log_did_not_sign(self, scene: Scene) -> None:
        def forge(body: dict[str, Any], desk: Book) -> None:
            seq = desk.checkpoints[-1]
            state = Checkpoint(ORIGIN, seq, desk.log(seq).root())
            body["note"] = cosign(sign_checkpoint(state, ROGUE), "witness/hub", HUB, body["time"])

        self.vouched(scene, forge)

    @pytest.mark.parametrize("note", [None, 7, "", "x"])
    def test_a_note_that_is_none(self, scene: Scene, note: Any) -> None:
        self.vouched(scene, lambda body, _desk: body.__setitem__("note", note))

    def test_a_true_cosignature_of_another_history(self, scene: Scene) -> None:
        desk, hub = honest_words(scene)
        other = ready(scene)
        quiet(other)
        size = len(desk.commits) - 1
        note = other.note(size, other.log(size - 1).root())
        at = int(hub.at.timestamp())
        body = {
            "note": cosign(note, "witness/hub", HUB, at),
            "origin": ORIGIN,
            "root": other.log(size - 1).root().hex(),
            "size": size,
            "time": at,
        }
        oid = hub.append(Kind.COSIGNATURE, body)
        result = looked(scene, desk, hub)
        assert named(result, Code.EQUIVOCATION, commit=oid, seq=len(hub.commits) - 1)

    @pytest.mark.parametrize("key", [ROGUE, NEW, XRAY])
    def test_an_entry_by_another_key(self, scene: Scene, key) -> None:
        desk, hub = honest_words(scene)
        hub.key = key
        oid = cosigned(desk, desk.checkpoints[-1])(hub)
        found = looked(scene, desk, hub)
        # The desk's key is bound to later numbers than those of the witness's ledger.
        wanted = Code.PRINCIPAL if key is XRAY else Code.KEY
        assert named(found, wanted, commit=oid)

    def test_an_entry_that_was_altered(self, scene: Scene) -> None:
        """Somebody without the witness's key lowers what it vouched for."""
        ledger = scene.ledger
        hub = ledger.hub.fork(len(ledger.hub.commits) - 1)
        last = ledger.hub.entries[-1]
        hub.at = last.time
        low = dict(ledger.hub.entries[-2].body)
        hub.key = ROGUE
        oid = hub.append(Kind.COSIGNATURE, low)
        scene.show(hub)
        assert named(scene.verify(), Code.KEY, commit=oid)
        assert named(scene.verify_again(), Code.CACHE, path=hub.branch)

    def test_a_witness_that_nobody_listed(self, scene: Scene) -> None:
        """The branch of a witness that the auditor does not know vouches for nothing."""
        desk, _ = honest_words(scene)
        other = Book("witness", "shadow", ROGUE, desk.objects, dict(desk.names), at=desk.at)
        other.append(Kind.GENESIS)
        oid = cosigned(desk, desk.checkpoints[-1])(other)
        result = looked(scene, desk, other)
        assert named(result, Code.KEY, commit=oid)
        assert named(result, Code.COSIGNATURE, commit=oid)

    def test_a_log_that_vouches_for_itself(self, scene: Scene) -> None:
        desk, hub = honest_words(scene)
        cosigned(desk, desk.checkpoints[-1])(hub)
        oid = desk.append(Kind.COSIGNATURE, {**hub.entries[-1].body, "time": 5})
        assert named(looked(scene, desk), Code.COSIGNATURE, commit=oid)


class TestKept:
    """Notes that an auditor kept or was given."""

    def test_with_another_byte(self, long_ledger: AttackLedger, scene: Scene) -> None:
        note = long_ledger.desk.note_of(long_ledger.desk.checkpoints[-1])
        body = str(long_ledger.hub.entries[-1].body["note"])
        for kept in (note.replace("\n2", "\n1", 1), body[:-3] + "\n", "anything", ""):
            result = scene.verify_again(kept)
            assert named(result, Code.COSIGNATURE, path="kept/0.note")

    def test_each_false_one_is_named(self, long_ledger: AttackLedger, scene: Scene) -> None:
        good = long_ledger.desk.note_of(long_ledger.desk.checkpoints[-1])
        bad = sign_checkpoint(Checkpoint(ORIGIN, 500, b"r" * 32), OLD)
        strange = sign_checkpoint(Checkpoint(ORIGIN, 500, b"r" * 32), ROGUE)
        longer = long_ledger.desk.fork(2000).note(5000, b"r" * 32)
        result = scene.verify(good, bad, strange, longer)
        named_at = {fault.place.path: fault.code for fault in result.faults}
        assert named_at == {
            "kept/1.note": Code.EQUIVOCATION,
            "kept/2.note": Code.COSIGNATURE,
            "kept/3.note": Code.SHORTER,
        }


Body = dict[str, Any]


class TestAnchors:
    def anchored(
        self,
        scene: Scene,
        spoil: Callable[[Body, Book, Stamps], object],
        which: str = "dated",
        *,
        whole: bool = False,
    ) -> None:
        desk, _ = honest_words(scene)
        quiet(desk)
        stamps = scene.ledger.stamps
        probe = desk.fork(len(desk.commits))
        for step in {"upgraded": ("submitted", "upgraded")}.get(which, (which,)):
            getattr(stamps, step)(probe)
        body = dict(probe.entries[-1].body)
        spoil(body, desk, stamps)
        oid = desk.append(Kind.ANCHOR, body)
        seq = len(desk.commits) - 1
        scene.show(desk)
        # Of what was proven earlier not every checkpoint is at hand: then it is the whole again.
        result = scene.verify() if whole else scene.verify_again()
        assert named(result, Code.ANCHOR, commit=oid, seq=seq)

    @pytest.mark.parametrize("which", ["dated", "submitted", "upgraded"])
    def test_of_another_note(self, scene: Scene, which: str) -> None:
        self.anchored(scene, lambda b, *_: b.__setitem__("note_sha256", "ab" * 32), which)

    @pytest.mark.parametrize("which", ["dated", "upgraded"])
    def test_of_another_checkpoint(self, scene: Scene, which: str) -> None:
        """A true proof of an older checkpoint is laid beside the newest one."""

        def borrow(body: Body, desk: Book, _stamps: Stamps) -> None:
            older = desk.checkpoints[-2]
            body["checkpoint"] = {"seq": older, "sha256": desk.digests[older]}
            note = desk.note_of(older).encode()
            body["note_sha256"] = hashlib.sha256(note).hexdigest()

        self.anchored(scene, borrow, which)

    @pytest.mark.parametrize("which", ["dated", "submitted", "upgraded"])
    def test_of_no_checkpoint(self, scene: Scene, which: str) -> None:
        def move(body: Body, desk: Book, _stamps: Stamps) -> None:
            body["checkpoint"] = {"seq": 500, "sha256": desk.digests[500]}

        self.anchored(scene, move, which, whole=True)

    def test_of_a_checkpoint_that_was_another(self, scene: Scene) -> None:
        def other(body: Body, *_: object) -> None:
            body["checkpoint"] = {**body["checkpoint"], "sha256": "cd" * 32}

        self.anchored(scene, other)

    @pytest.mark.parametrize("which", ["dated", "submitted", "upgraded"])
    @pytest.mark.parametrize("at", [20, 60, -3])
    def test_a_proof_with_another_byte(self, scene: Scene, which: str, at: int) -> None:
        def flip(body: Body, *_: object) -> None:
            proof = bytearray(b64decode(body["proof"]))
            proof[at] ^= 0x10
            body["proof"] = b64encode(proof).decode()

        self.anchored(scene, flip, which)

    def test_by_an_authority_of_that_name_with_another_root(
        self, scene: Scene, tmp_path: Path
    ) -> None:
        stranger = Stamps(tmp_path / "stranger")

        def forge(body: Body, desk: Book, _stamps: Stamps) -> None:
            note = desk.note_of(desk.checkpoints[-1]).encode()
            body["proof"] = b64encode(stranger.authority(note)).decode()

        self.anchored(scene, forge)

    def test_by_another_chain(self, scene: Scene, tmp_path: Path) -> None:
        stranger = Stamps(tmp_path / "stranger")

        def forge(body: Body, desk: Book, _stamps: Stamps) -> None:
            proof = stranger.kept(stranger.promised(desk.note_of(desk.checkpoints[-1]).encode()))
            body["proof"] = b64encode(proof).decode()

        self.anchored(scene, forge, "upgraded")

    def test_pending_that_says_it_is_complete(self, scene: Scene) -> None:
        self.anchored(scene, lambda b, *_: b.__setitem__("state", "complete"), "submitted")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("method", "notary"),
            ("method", "opentimestamps"),
            ("state", "pending"),
            ("state", None),
            ("proof", ""),
            ("proof", 7),
            ("authority", "Alpha!"),
            ("checkpoint", None),
            ("more", 1),
        ],
    )
    def test_of_another_form(self, scene: Scene, name: str, value: Any) -> None:
        self.anchored(scene, lambda body, *_: body.__setitem__(name, value))

    def test_without_trust_it_proves_no_time(self, scene: Scene) -> None:
        result = scene.ledger.verify(scene.path, Extra())
        assert result.ok
        claims = {c.subject: c.state for c in result.claims if c.ref.endswith("/desk")}
        assert claims["time"] == "not-proven"

    def test_anchors_of_a_history_that_was_written_over(
        self, long_ledger: AttackLedger, scene: Scene
    ) -> None:
        """The owner of the key drops a run and keeps the old proofs: they are of other notes."""
        desk = long_ledger.desk
        at = 1500
        old = [entry for entry in desk.entries if entry.kind is Kind.ANCHOR]
        script = [
            (when, step)
            for when, step in long_ledger.script[at + 1 :]
            if when not in {entry.time for entry in old}
        ]
        forged = desk.fork(at).play(script)
        forged.at += STEP
        oids = [forged.append(Kind.ANCHOR, entry.body) for entry in old]
        scene.show(forged)
        result = scene.verify()
        for oid in oids:
            assert named(result, Code.ANCHOR, commit=oid)
        assert codes(result) == {Code.ANCHOR, Code.EQUIVOCATION}

    def test_anchors_that_are_left_out(self, long_ledger: AttackLedger, scene: Scene) -> None:
        """They are entries: without them every later number is another."""
        old = {entry.time for entry in long_ledger.desk.entries if entry.kind is Kind.ANCHOR}
        at = min(e.seq for e in long_ledger.desk.entries if e.kind is Kind.ANCHOR)
        script = [(when, step) for when, step in long_ledger.script[at:] if when not in old]
        forged = long_ledger.desk.fork(at).play(script)
        scene.show(forged)
        assert codes(scene.verify()) == {Code.EQUIVOCATION}
