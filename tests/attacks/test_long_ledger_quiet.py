"""Attacks by means of entries without a file, and false words about the log, on a long ledger.

A quiet run says nothing of its own: what it hides, repeats, seals or leaves out is judged by the
entries before it.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from reconciler.evidence import layout, slim
from reconciler.evidence.claims import State
from reconciler.evidence.fault import Code
from reconciler.evidence.merkle import Frontier, leaf_hash
from reconciler.evidence.statement import Kind, Reference
from tests.attacks.test_long_ledger_forms import looked, ready
from tests.support.attack_book import (
    MINUTE_MS,
    Book,
    annotate,
    checkpoint,
    conclude,
    gap,
    heartbeat,
    intend,
    look,
    quiet,
    seal,
)
from tests.support.attack_ledger import STEP
from tests.support.attacking import Scene, named
from tests.support.forge import Parts

pytestmark = pytest.mark.integration


def again(desk: Book, **body: Any) -> str:
    """A quiet run with something else in its body."""
    usual = {"like": desk.run, "reached": True, "took_ms": 1}
    return desk.append_slim(body={**usual, **body})


def test_honest_quiet_entries_pass(scene: Scene) -> None:
    desk = ready(scene)
    for step in (quiet, heartbeat, checkpoint, annotate(500), quiet, look("sshd-hardened"), quiet):
        step(desk)
        desk.at += STEP
    desk.at += 3 * STEP
    for step in (seal([5 * MINUTE_MS] * 4), intend, conclude("healed"), quiet):
        step(desk)
    result = looked(scene, desk)
    assert result.ok, result.sentence


class TestHiding:
    def test_an_open_intent(self, scene: Scene) -> None:
        desk = ready(scene)
        intend(desk)
        oid = quiet(desk)
        assert named(looked(scene, desk), Code.INTENT, commit=oid)

    @pytest.mark.parametrize("step", [heartbeat, checkpoint, seal([1000])])
    def test_an_open_intent_behind_something_else(self, scene: Scene, step) -> None:
        desk = ready(scene)
        intend(desk)
        oid = step(desk)
        assert named(looked(scene, desk), Code.INTENT, commit=oid)

    def test_a_failing_run_behind_an_older_one_that_passed(self, scene: Scene) -> None:
        desk = ready(scene)
        passed = desk.run
        look("disk-encrypted")(desk)
        oid = again(desk, like=passed)
        assert named(looked(scene, desk), Code.REPEATED, commit=oid)

    @pytest.mark.parametrize(
        "like",
        [
            lambda desk: 1,
            lambda desk: desk.run - 1,
            lambda desk: len(desk.commits),
            lambda desk: len(desk.commits) + 1,
            lambda desk: next(e.seq for e in desk.entries if e.kind is Kind.ANNOTATION),
        ],
        ids=["an older run", "no run", "itself", "the next one", "an annotation"],
    )
    def test_behind_another_run(self, scene: Scene, like) -> None:
        desk = ready(scene)
        oid = again(desk, like=like(desk))
        assert named(looked(scene, desk), Code.REPEATED, commit=oid)

    @pytest.mark.parametrize("like", [None, "500", True, [500], {"seq": 500}])
    def test_behind_nothing(self, scene: Scene, like) -> None:
        desk = ready(scene)
        oid = again(desk, like=like)
        assert named(looked(scene, desk), Code.BODY, commit=oid)

    @pytest.mark.parametrize("back", [1, 2, 700])
    def test_behind_another_base(self, scene: Scene, back: int) -> None:
        desk = ready(scene)
        body = {"like": desk.run, "reached": True, "took_ms": 1}
        oid = desk.append_slim(body=body, base=(desk.base or 0) - back)
        assert named(looked(scene, desk), Code.BASE, commit=oid)

    def test_behind_a_base_without_a_file(self, scene: Scene) -> None:
        desk = ready(scene)
        quiet(desk)
        body = {"like": desk.run, "reached": True, "took_ms": 1}
        oid = desk.append_slim(body=body, base=len(desk.commits) - 1)
        assert named(looked(scene, desk), Code.BASE, commit=oid)


class TestSealing:
    def test_more_runs_than_there_was_time_for(self, scene: Scene) -> None:
        """Twelve runs five minutes apart, five minutes after the entry before."""
        desk = ready(scene)
        oid = seal([5 * MINUTE_MS] * 12)(desk)
        assert named(looked(scene, desk), Code.TIME, commit=oid)

    @pytest.mark.parametrize("ago", [5 * MINUTE_MS + 1, 60 * MINUTE_MS])
    def test_a_run_before_the_entry_before(self, scene: Scene, ago: int) -> None:
        desk = ready(scene)
        oid = again(desk, ago_ms=ago)
        assert named(looked(scene, desk), Code.TIME, commit=oid)

    def test_over_a_hole(self, scene: Scene) -> None:
        desk = ready(scene)
        desk.at += timedelta(hours=2)
        seal([5 * MINUTE_MS, 2 * 60 * MINUTE_MS])(desk)
        assert named(looked(scene, desk), Code.GAP, seq=len(desk.commits) - 1)

    def test_silence(self, scene: Scene) -> None:
        desk = ready(scene)
        desk.at += timedelta(hours=2)
        quiet(desk)
        assert named(looked(scene, desk), Code.GAP, seq=len(desk.commits) - 1)

    def test_silence_after_the_promise_was_taken_back(self, scene: Scene) -> None:
        """It is the appliance that promises: without, no silence can be told, and that is said."""
        desk = ready(scene)
        desk.append(Kind.RUN, {"pass": 1})
        desk.at += timedelta(days=40)
        quiet(desk)
        result = looked(scene, desk)
        assert result.ok
        claims = {c.subject: c for c in result.claims if c.ref == desk.branch}
        assert claims["gaps"].state is State.NOT_PROVEN
        assert "2 other steps were under no promise" in claims["gaps"].sentence

    def test_a_gap_that_begins_elsewhere(self, scene: Scene) -> None:
        desk = ready(scene)
        desk.at += timedelta(hours=2)
        body = {"from": "2025-03-08T10:00:00.000Z", "promise_s": 300, "rebooted": True}
        oid = desk.append(Kind.GAP, {**body, "until": "2025-03-08T12:00:00.000Z"})
        assert named(looked(scene, desk), Code.GAP, commit=oid)

    @pytest.mark.parametrize("ticks", [[], [-1], [True], ["1"], [None], {}, 7, [1, [2]]])
    def test_times_that_are_none(self, scene: Scene, ticks) -> None:
        desk = ready(scene)
        oid = again(desk, ticks=ticks)
        assert named(looked(scene, desk), Code.BODY, commit=oid)

    @pytest.mark.parametrize("ago", [-1, True, "1", None, []])
    def test_an_age_that_is_none(self, scene: Scene, ago) -> None:
        desk = ready(scene)
        oid = again(desk, ago_ms=ago)
        assert named(looked(scene, desk), Code.BODY, commit=oid)

    def test_a_time_before_all_time(self, scene: Scene) -> None:
        desk = ready(scene)
        oid = again(desk, ticks=[2**52])
        assert named(looked(scene, desk), Code.BODY, commit=oid)

    @pytest.mark.parametrize("ago", [2**52, 2**53 - 1])
    def test_a_gap_after_a_time_before_all_time(self, scene: Scene, ago: int) -> None:
        desk = ready(scene)
        oid = again(desk, ago_ms=ago)
        desk.at += timedelta(hours=2)
        gap(desk)
        (fault,) = looked(scene, desk).faults
        assert (fault.code, fault.place.commit) == (Code.BODY, oid)


def worded(change: Callable[[bytes], bytes]) -> Callable[[Parts], None]:
    """Another line in the message than the statement, signed."""
    return lambda parts: setattr(parts, "payload", change)


class TestWords:
    @pytest.mark.parametrize(
        "change",
        [
            lambda line: line.replace(b'"base":', b'"base": ', 1),
            lambda line: line.replace(b'"seq":', b'"bootId":null,"seq":', 1),
            lambda line: line.replace(b'"seq":', b'"seq":0,"seq":', 1),
            lambda line: line.replace(b'"kind":"run"', b'"kind":"gap"', 1),
            lambda line: line.replace(b'"kind":"run"', b'"kind":"outcome"', 1),
            lambda line: line.replace(b'"kind":"run"', b'"kind":"intent"', 1),
            lambda line: line.replace(b'"kind":"run"', b'"kind":"run2"', 1),
            lambda line: line.replace(b'"took_ms":1', b'"took_ms":1.0', 1),
            lambda line: line.replace(b'"took_ms":1', b'"took_ms":1e3', 1),
            lambda line: line.replace(b'"took_ms":1', b'"took_ms":' + b"1" * 20_000, 1),
            lambda line: line + b"\n" + line,
            lambda line: line + b" ",
            lambda line: line[:-1],
            lambda line: b"{}",
        ],
    )
    def test_a_statement_that_is_not_strict(self, scene: Scene, change) -> None:
        desk = ready(scene)
        oid = desk.append_slim(
            body={"like": desk.run, "reached": True, "took_ms": 1}, spoil=worded(change)
        )
        assert named(looked(scene, desk), Code.STATEMENT, commit=oid)

    @pytest.mark.parametrize("more", [b"\n", b"x", b"\n\nand patient names\n", b"\0"])
    def test_more_behind_the_statement(self, scene: Scene, more: bytes) -> None:
        desk = ready(scene)
        spoil = lambda parts: setattr(parts, "message", parts.message + more)  # noqa: E731
        oid = desk.append_slim(body={"like": desk.run, "reached": True, "took_ms": 1}, spoil=spoil)
        assert named(looked(scene, desk), Code.STATEMENT, commit=oid)

    def test_a_title_that_says_otherwise(self, scene: Scene) -> None:
        desk = ready(scene)
        spoil = lambda parts: setattr(  # noqa: E731
            parts, "message", parts.message.replace(b"run ", b"heartbeat ", 1)
        )
        oid = desk.append_slim(body={"like": desk.run, "reached": True, "took_ms": 1}, spoil=spoil)
        assert named(looked(scene, desk), Code.COMMIT_CONTENT, commit=oid)


class TestDisguised:
    """What must have a file is written without one, or the other way round."""

    def test_an_entry_whose_file_is_left_out(self, scene: Scene) -> None:
        desk = ready(scene)
        tree = desk.fork(len(desk.commits))
        base = layout_tree(tree)
        oid = look("disk-encrypted", spoil=lambda parts: setattr(parts, "root", lambda _: base))(
            desk
        )
        assert named(looked(scene, desk), Code.NOT_APPEND_ONLY, commit=oid)

    def test_an_outcome_without_a_file(self, scene: Scene) -> None:
        """Its statement would be whole, but for the kinds that may do without one."""
        desk = ready(scene)
        intend(desk)
        closes = Reference(len(desk.commits) - 1, desk.digests[-1])

        def change(line: bytes) -> bytes:
            seq = b'"seq":%d' % closes.seq
            more = b',"closes":{%b,"sha256":"%b"}' % (seq, closes.digest.encode())
            return line.replace(b'"kind":"run"', b'"kind":"outcome"', 1).replace(
                b',"kind"', more + b',"kind"', 1
            )

        oid = desk.append_slim(body={"result": "healed"}, spoil=worded(change))
        assert named(looked(scene, desk), Code.STATEMENT, commit=oid)

    def test_a_file_whose_statement_is_a_slim_one(self, scene: Scene) -> None:
        desk = ready(scene)
        entry = desk.slim_entry(Kind.RUN, {"like": desk.run, "reached": True, "took_ms": 1})

        def spoil(parts: Parts) -> None:
            parts.payload = lambda _: slim.to_line(entry)
            parts.message = layout.commit_message(entry)

        oid = desk.append(Kind.RUN, {"pass": 1}, spoil)
        path = layout.entry_path(desk.entries[-1])
        assert named(looked(scene, desk), Code.STATEMENT, commit=oid, path=path)

    def test_a_slim_statement_beside_a_file(self, scene: Scene) -> None:
        desk = ready(scene)
        entry = desk.slim_entry(Kind.RUN, {"like": desk.run, "reached": True, "took_ms": 1})
        message = layout.commit_message(entry, slim.to_line(entry))
        oid = look("disk-encrypted", spoil=lambda parts: setattr(parts, "message", message))(desk)
        assert named(looked(scene, desk), Code.COMMIT_CONTENT, commit=oid)


def layout_tree(book: Book) -> str:
    """Object id of the newest tree."""
    from reconciler.evidence.commit import parse

    return parse(book.read(book.commits[-1])[1]).tree


class TestLog:
    """What an entry with a file says of all entries before it."""

    def other(self, size: int) -> Frontier:
        return Frontier.empty().extend(leaf_hash(bytes([n % 256])) for n in range(size))

    def test_another_root(self, scene: Scene) -> None:
        desk = ready(scene)
        oid = desk.append(Kind.RUN, {"pass": 1}, log=self.other(len(desk.commits)))
        assert named(looked(scene, desk), Code.LOG, commit=oid, seq=len(desk.commits) - 1)

    @pytest.mark.parametrize("size", [0, 1, 2000])
    def test_a_shorter_log(self, scene: Scene, size: int) -> None:
        desk = ready(scene)
        change = desk.log(size)
        honest = desk.log(len(desk.commits))

        def payload(made: bytes) -> bytes:
            words = (f'"root":"{honest.root().hex()}"', f'"root":"{change.root().hex()}"')
            sizes = (f'"size":{honest.size}', f'"size":{size}')
            for old, new in (words, sizes):
                made = made.replace(old.encode(), new.encode(), 1)
            return made

        oid = desk.append(Kind.RUN, {"pass": 1}, lambda parts: setattr(parts, "payload", payload))
        assert named(looked(scene, desk), Code.STATEMENT, commit=oid)

    def test_a_root_that_does_not_fit_its_subtrees(self, scene: Scene) -> None:
        desk = ready(scene)
        root = desk.log(len(desk.commits)).root().hex().encode()
        forged = lambda made: made.replace(root, b"ab" * 32, 1)  # noqa: E731
        oid = desk.append(Kind.RUN, {"pass": 1}, lambda parts: setattr(parts, "payload", forged))
        assert named(looked(scene, desk), Code.STATEMENT, commit=oid)

    def test_a_log_of_the_history_that_was_written_over(self, scene: Scene) -> None:
        """Entries were written anew, and an old entry with a file is signed again on top."""
        desk = scene.ledger.desk
        filed = next(e.seq for e in desk.entries if e.seq > 1000 and not e.slim)
        forged = desk.fork(filed - 3).play(
            [(desk.entries[filed - 3].time, heartbeat), *scene.ledger.script[filed - 2 : filed]]
        )
        forged.at = desk.entries[filed].time
        entry = desk.entries[filed]
        oid = forged.append(entry.kind, entry.body, log=entry.log)
        scene.show(forged)
        assert named(scene.verify(), Code.LOG, commit=oid, seq=filed)
