"""Tricks with the form of the newest commit of a long ledger: headers, parents, trees, paths, keys.

Whoever does this holds the key, or does not; the audit names the commit and what is wrong with it.
An auditor who proved the ledger before looks only at what is new and finds the same.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.evidence import layout
from reconciler.evidence.fault import Code
from reconciler.evidence.key_change import Action, KeyChange, Reason, authorize, prove
from reconciler.evidence.statement import Kind, stamp
from reconciler.ledger.verify import Verification
from tests.attacks.test_evidence_forgeries import (
    SMUGGLED,
    dot_git,
    emptied,
    empty_directory,
    executable,
    extra,
    link,
    regrown,
    submodule,
    twice,
)
from tests.support.attack_book import Book, quiet
from tests.support.attack_ledger import HUB, NEW, OLD, REVOKED, STEP, XRAY
from tests.support.attacking import Scene, codes, named, path_of
from tests.support.evidence_keys import test_key
from tests.support.forge import Parts

pytestmark = pytest.mark.integration

Spoil = Callable[[Parts], None]
ROGUE = test_key("mallory")


def raw(*change: bytes) -> Spoil:
    """Put something else into the finished commit, outside of what is signed."""
    return lambda parts: setattr(parts, "raw", lambda made: made.replace(*change, 1))


SIGNED_END = b"SIGNATURE-----\n\n"
HEADERS: dict[str, Spoil] = {
    "a second gpgsig before": raw(b"\ngpgsig ", b"\ngpgsig smuggled\n content\ngpgsig "),
    "a second gpgsig after": raw(SIGNED_END, b"SIGNATURE-----\ngpgsig smuggled\n\n"),
    "a gpgsig-sha256 before": raw(b"\ngpgsig ", b"\n" + SMUGGLED + b"\ngpgsig "),
    "a gpgsig-sha256 after": raw(SIGNED_END, b"SIGNATURE-----\n" + SMUGGLED + b"\n\n"),
    "an encoding": raw(b"\ngpgsig ", b"\nencoding UTF-8\ngpgsig "),
    "a mergetag": raw(b"\ngpgsig ", b"\nmergetag object\n anything\ngpgsig "),
    "a header that nobody knows": raw(SIGNED_END, b"SIGNATURE-----\nnote-to-self x\n\n"),
    "an OpenPGP signature": raw(b"BEGIN SSH SIGNATURE", b"BEGIN PGP SIGNATURE"),
    "a second committer": raw(b"\ngpgsig ", b"\ncommitter A <a@b> 1 +0000\ngpgsig "),
    "an empty line in the signature": raw(b"\n -----END", b"\n \n -----END"),
    "Windows line ends": raw(b"\ngpgsig ", b"\r\ngpgsig "),
}


def ready(scene: Scene) -> Book:
    """The desk's ledger, ready for one more entry."""
    desk = scene.ledger.desk.fork(len(scene.ledger.desk.commits))
    desk.at += STEP
    return desk


def looked(scene: Scene, *books: Book) -> Verification:
    scene.show(*books)
    return scene.verify_again()


def full(desk: Book, spoil: Spoil) -> str:
    return desk.append(Kind.RUN, {"pass": 1, "fail": 0}, spoil)


def slim(desk: Book, spoil: Spoil) -> str:
    body = {"like": desk.run, "reached": True, "took_ms": 1}
    return desk.append_slim(body=body, spoil=spoil)


def test_without_a_trick_it_passes(scene: Scene) -> None:
    desk = ready(scene)
    slim(desk, lambda parts: None)
    full(desk, lambda parts: None)
    result = looked(scene, desk)
    assert result.ok, result.sentence
    assert result.earlier > 2000


class TestHeaders:
    @pytest.mark.parametrize("append", [full, slim])
    @pytest.mark.parametrize("spoil", HEADERS.values(), ids=HEADERS)
    def test_something_in_the_header(self, scene: Scene, append, spoil: Spoil) -> None:
        desk = ready(scene)
        oid = append(desk, spoil)
        quiet(desk)
        result = looked(scene, desk)
        (fault,) = result.faults
        assert (fault.code, fault.place.commit) == (Code.COMMIT_FORM, oid)

    def test_all_of_them_one_after_the_other(self, scene: Scene) -> None:
        desk = ready(scene)
        forged = [append(desk, s) for s in HEADERS.values() for append in (full, slim)]
        scene.show(desk)
        result = scene.verify()
        found = named(result, Code.COMMIT_FORM)
        assert [fault.place.commit for fault in found] == list(reversed(forged))

    @pytest.mark.parametrize("append", [full, slim])
    def test_a_merge(self, scene: Scene, append) -> None:
        desk = ready(scene)

        def merge(parts: Parts) -> None:
            parts.parents = (*parts.parents, scene.ledger.xray.commits[-1])

        oid = append(desk, merge)
        (fault,) = looked(scene, desk).faults
        assert (fault.code, fault.place.commit) == (Code.COMMIT_FORM, oid)
        assert "2 parents" in fault.message

    def test_no_parent_at_all(self, scene: Scene) -> None:
        desk = ready(scene)
        oid = full(desk, lambda parts: setattr(parts, "parents", ()))
        result = looked(scene, desk)
        assert named(result, Code.GENESIS, commit=oid)
        assert named(result, Code.CACHE, path=desk.branch)

    @pytest.mark.parametrize("append", [full, slim])
    @pytest.mark.parametrize(
        "change",
        [
            lambda message: message + b"and patient names\n",
            lambda message: message.replace(b"run ", b"outcome ", 1),
            lambda message: b"x" + message,
        ],
    )
    def test_another_message(self, scene: Scene, append, change) -> None:
        desk = ready(scene)
        oid = append(desk, lambda parts: setattr(parts, "message", change(parts.message)))
        result = looked(scene, desk)
        wanted = Code.STATEMENT if append is slim and b"names" in change(b"") else None
        assert named(result, wanted or Code.COMMIT_CONTENT, commit=oid)

    @pytest.mark.parametrize("append", [full, slim])
    @pytest.mark.parametrize("field", ["name", "email", "seconds"])
    def test_another_committer(self, scene: Scene, append, field: str) -> None:
        desk = ready(scene)

        def rename(parts: Parts) -> None:
            other = 1 if field == "seconds" else "Alice"
            parts.person = replace(parts.person, **{field: other})

        oid = append(desk, rename)
        assert named(looked(scene, desk), Code.COMMIT_CONTENT, commit=oid)

    def test_not_signed(self, scene: Scene) -> None:
        desk = ready(scene)

        def bare(made: bytes) -> bytes:
            return made[: made.index(b"gpgsig ")] + made[made.index(b"\n\n") + 1 :]

        oid = full(desk, lambda parts: setattr(parts, "raw", bare))
        assert named(looked(scene, desk), Code.COMMIT_SIGNATURE, commit=oid)


class TestTrees:
    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (extra, Code.NOT_APPEND_ONLY),
            (executable, Code.TREE),
            (link, Code.TREE),
            (submodule, Code.TREE),
            (dot_git, Code.TREE),
            (twice, Code.TREE),
            (emptied, Code.TREE),
            (empty_directory, Code.TREE),
        ],
    )
    @pytest.mark.parametrize("append", [full, slim])
    def test_something_beside_the_entry(self, scene: Scene, append, change, code: Code) -> None:
        desk = ready(scene)
        oid = append(desk, regrown(desk, change))
        result = looked(scene, desk)
        # Beside a slim entry there must be nothing: a file is then taken for the entry.
        assert named(
            result, Code.ENVELOPE if append is slim and change is extra else code, commit=oid
        )

    @pytest.mark.parametrize(
        "path",
        [
            "entries/2025/03/09/00000001.dsse.json",
            "entries/2025/03/08/{seq:08d}.json",
            "entries/{seq:08d}.dsse.json",
            "other/2025/03/08/{seq:08d}.dsse.json",
        ],
    )
    def test_another_path(self, scene: Scene, path: str) -> None:
        desk = ready(scene)
        path = path.format(seq=len(desk.commits))
        oid = full(desk, lambda parts: setattr(parts, "path", path))
        assert named(looked(scene, desk), Code.PATH, commit=oid, path=path)

    def test_an_older_file_is_written_over(self, scene: Scene) -> None:
        desk = ready(scene)
        seq = next(entry.seq for entry in desk.entries if entry.kind is Kind.ANNOTATION)
        path = path_of(desk, seq)
        oid = full(desk, lambda parts: setattr(parts, "path", path))
        result = looked(scene, desk)
        assert named(result, Code.NOT_APPEND_ONLY, commit=oid, path=path)

    def test_older_files_are_removed(self, scene: Scene) -> None:
        desk = ready(scene)
        oid = full(desk, lambda parts: setattr(parts, "base", None))
        result = looked(scene, desk)
        assert named(result, Code.NOT_APPEND_ONLY, commit=oid, path="entries/2025/02")

    def test_a_removed_anchor(self, scene: Scene) -> None:
        desk = ready(scene)
        seq = next(entry.seq for entry in desk.entries if entry.kind is Kind.ANCHOR)
        path = path_of(desk, seq)
        oid = full(
            desk, lambda parts: setattr(parts, "root", lambda root: without(desk, root, path))
        )
        result = looked(scene, desk)
        assert named(result, Code.NOT_APPEND_ONLY, commit=oid, path=path)


def without(desk: Book, root: str, path: str) -> str:
    """A tree without one of its files."""
    from reconciler.evidence.tree import DIRECTORY, encode, parse

    name, _, rest = path.partition("/")
    nodes = dict(parse(desk.read(root)[1]))
    if rest:
        inner = without(desk, nodes[name.encode()][1].hex(), rest)
        nodes[name.encode()] = (DIRECTORY, bytes.fromhex(inner))
    else:
        del nodes[name.encode()]
    return desk.put("tree", encode(nodes))


class TestKeys:
    @pytest.mark.parametrize(
        ("key", "code"),
        [
            (ROGUE, Code.KEY),
            (test_key(REVOKED), Code.KEY),
            (OLD, Code.RETIRED_KEY),
            (OLD, Code.KEY),
            (XRAY, Code.PRINCIPAL),
            (HUB, Code.PRINCIPAL),
        ],
        ids=["rogue", "revoked", "old", "old, bound", "another appliance", "witness"],
    )
    @pytest.mark.parametrize("append", [full, slim])
    def test_signed_by_another_key(self, scene: Scene, append, key, code: Code) -> None:
        desk = ready(scene)
        desk.key = key
        oid = append(desk, lambda parts: None)
        desk.key = NEW
        quiet(desk)
        assert named(looked(scene, desk), code, commit=oid)

    def test_the_commit_by_one_key_and_the_file_by_another(self, scene: Scene) -> None:
        desk = ready(scene)
        oid = full(desk, lambda parts: setattr(parts, "dsse_key", ROGUE))
        assert named(looked(scene, desk), Code.ENVELOPE, commit=oid)

    @pytest.mark.parametrize("key", [OLD, test_key(REVOKED)], ids=["old", "revoked"])
    def test_back_dated_by_an_old_key(self, scene: Scene, key) -> None:
        """The clock has no say: what counts is the place in the log."""
        desk = ready(scene)
        desk.key, desk.at = key, desk.entries[90].time
        oid = desk.append(Kind.RUN, {"pass": 1, "fail": 0})
        result = looked(scene, desk)
        assert named(result, Code.KEY, commit=oid)
        assert named(result, Code.TIME, commit=oid)

    def test_a_committer_date_of_the_time_of_the_old_key(self, scene: Scene) -> None:
        desk = ready(scene)
        desk.key, past = OLD, layout.committer(desk.entries[90])
        oid = full(desk, lambda parts: setattr(parts, "person", past))
        result = looked(scene, desk)
        assert named(result, Code.KEY, commit=oid)
        assert named(result, Code.COMMIT_CONTENT, commit=oid)

    @pytest.mark.parametrize("append", [full, slim])
    def test_back_dated_by_the_right_key(self, scene: Scene, append) -> None:
        desk = ready(scene)
        desk.at = desk.entries[-2].time
        oid = append(desk, lambda parts: None)
        seq = len(desk.commits) - 1
        assert named(looked(scene, desk), Code.TIME, commit=oid, seq=seq)


class TestKeyChanges:
    def change(self, desk: Book, action: Action, prover, person=None, said=None) -> str:
        """A key change to mallory's key, with a proof of what it is or of something else."""
        announcement = replace(desk.announcement(ROGUE, action), **(said or {}))
        by = None if person is None else authorize(announcement, person)
        change = KeyChange(
            action, announcement.public, prove(announcement, prover), by, Reason.SCHEDULED
        )
        return desk.append(Kind.KEY_CHANGE, change.to_body())

    def test_a_key_that_nobody_listed(self, scene: Scene) -> None:
        """Who stole the key can announce another one; the auditor's list does not know it."""
        desk = ready(scene)
        self.change(desk, Action.ROTATE, ROGUE)
        desk.key = ROGUE
        oid = quiet(desk)
        assert named(looked(scene, desk), Code.KEY, commit=oid)

    @pytest.mark.parametrize(
        "spoilt",
        [
            {"seq": 7},
            {"previous": "ab" * 32},
            {"ref": "refs/heads/smile/xray"},
            {"action": Action.REPLACE},
        ],
    )
    def test_a_proof_of_something_else(self, scene: Scene, spoilt) -> None:
        desk = ready(scene)
        oid = self.change(desk, Action.ROTATE, ROGUE, said=spoilt)
        assert named(looked(scene, desk), Code.KEY_CHANGE, commit=oid)

    def test_a_proof_by_the_old_key(self, scene: Scene) -> None:
        desk = ready(scene)
        oid = self.change(desk, Action.ROTATE, NEW)
        assert named(looked(scene, desk), Code.KEY_CHANGE, commit=oid)

    @pytest.mark.parametrize("person", [None, ROGUE, NEW, HUB])
    def test_a_replacement_that_nobody_may_authorize(self, scene: Scene, person) -> None:
        desk = ready(scene)
        desk.key = ROGUE
        if person is None:
            body = {
                "action": "replace",
                "authorization": None,
                "key": desk.genesis_body()["key"],
                "proof": prove(desk.announcement(ROGUE, Action.REPLACE), ROGUE),
                "reason": "lost",
            }
            oid = desk.append(Kind.KEY_CHANGE, body)
        else:
            oid = self.change(desk, Action.REPLACE, ROGUE, person)
        result = looked(scene, desk)
        assert named(result, Code.KEY_CHANGE, commit=oid)
        assert named(result, Code.KEY, commit=oid)

    def test_the_old_key_is_announced_again(self, scene: Scene) -> None:
        desk = ready(scene)
        announcement = desk.announcement(OLD, Action.ROTATE)
        change = KeyChange(
            Action.ROTATE, announcement.public, prove(announcement, OLD), None, Reason.SCHEDULED
        )
        oid = desk.append(Kind.KEY_CHANGE, change.to_body())
        assert named(looked(scene, desk), Code.RETIRED_KEY, commit=oid)

    def test_the_owner_of_the_current_key_writes_everything_anew(self, scene: Scene) -> None:
        """From the first entry on, by the new key alone: it may sign only after the change."""
        ledger = scene.ledger
        desk = ledger.desk.fork(0)
        desk.key = NEW
        desk.play(ledger.script[:40])
        scene.show(desk)
        result = scene.verify()
        assert len(named(result, Code.KEY)) == 40
        assert named(result, Code.KEY, commit=desk.commits[0])
        assert codes(result) == {Code.KEY, Code.SHORTER, Code.EQUIVOCATION}

    def test_the_owner_of_the_current_key_writes_its_part_anew(self, scene: Scene) -> None:
        ledger = scene.ledger
        at = next(e.seq for e in ledger.desk.entries if e.kind is Kind.KEY_CHANGE) + 1
        desk = ledger.desk.fork(at).play([ledger.script[at], *ledger.script[at + 2 :]])
        scene.show(desk)
        result = scene.verify()
        assert codes(result) == {Code.EQUIVOCATION}
        assert named(scene.verify_again(), Code.CACHE, path=desk.branch)


def test_the_same_time_is_no_step_back(scene: Scene) -> None:
    desk = ready(scene)
    desk.at = desk.entries[-1].time
    quiet(desk)
    assert stamp(desk.at) == desk.entries[-2].recorded_at
    assert looked(scene, desk).ok
