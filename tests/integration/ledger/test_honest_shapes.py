"""Honest evidence repositories of every shape verify: a verifier that cries wolf is not believed.

Each shape is what appliances, witnesses and stock git make of a ledger; what is refused though it
may be honest (a shallow clone, borrowed objects) is refused with the reason.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.evidence.audit import AuditReport
from reconciler.evidence.claims import State
from reconciler.evidence.fault import Code
from reconciler.evidence.key_change import RECOVERY_NAMESPACE
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.statement import Kind
from reconciler.ledger.extra import Extra
from reconciler.ledger.packing.bundle import write_bundle
from reconciler.ledger.packing.repack import repack
from reconciler.ledger.packing.unpack import unpack_bundle
from reconciler.ledger.verify import Verification, verify
from tests.support.attack_book import (
    MINUTE_MS,
    Book,
    Step,
    annotate,
    asked,
    begin,
    checkpoint,
    conclude,
    copied,
    gap,
    handed_over,
    heartbeat,
    intend,
    look,
    quiet,
    refuse,
    rotate,
    seal,
    switched,
)
from tests.support.attack_ledger import HUB, NEW, OLD, START, STEP, XRAY, cosigned, store
from tests.support.evidence_keys import test_key
from tests.support.forge import allowed, signer_line
from tests.support.ledger_rig import SUBJECT, Rig, filled, git
from tests.support.long_history import git as any_git

pytestmark = pytest.mark.integration

THIRD, PERSON = test_key("smile/desk third"), test_key("recovery@msp.example")
RECOVERY = signer_line("recovery@msp.example", PERSON).replace('"git"', f'"{RECOVERY_NAMESPACE}"')
LISTED = (
    signer_line("smile/desk", OLD),
    signer_line("smile/desk", NEW),
    signer_line("smile/desk", THIRD),
    signer_line("smile/xray", XRAY),
    signer_line("witness/hub", HUB),
    RECOVERY,
)
USUAL: tuple[Step, ...] = (begin, look(), quiet, quiet, checkpoint, quiet, look(), quiet)


@dataclass
class Shape:
    """A repository and who may sign in it."""

    path: Path
    desk: Book
    signers: AllowedSigners

    def verify(self, path: Path | None = None, **extra: object) -> Verification:
        return verify(path or self.path, self.signers, extra=Extra(**extra))  # type: ignore[arg-type]

    @property
    def report(self) -> AuditReport:
        """The audit of the desk, which must hold, as must everything else."""
        result = self.verify()
        assert result.ok, result.sentence
        return next(report for report in result.branches if report.ref == self.desk.branch)


def written(*steps: Step | timedelta) -> Book:
    """A desk's ledger: one step every five minutes, or later after a time without any."""
    return go_on(Book("smile", "desk", OLD, at=START), *steps)


def go_on(book: Book, *steps: Step | timedelta) -> Book:
    for step in steps:
        if isinstance(step, timedelta):
            book.at += step
        else:
            step(book)
            book.at += STEP
    return book


def beside(desk: Book, client: str, host: str, key: object, *steps: Step) -> Book:
    """Another branch in the same repository."""
    book = Book(client, host, key, desk.objects, desk.names, at=START)  # type: ignore[arg-type]
    return go_on(book, *steps)


def shaped(
    directory: Path,
    desk: Book,
    *others: Book,
    listed: Sequence[str] = LISTED,
    newest: tuple[int, int] = (4, 2),
) -> Shape:
    signers_file = directory / "allowed_signers"
    signers_file.write_text("".join(listed))
    path = directory / "smile.git"
    store(path, desk, others, signers_file, newest)
    return Shape(path, desk, allowed(*listed))


def claims(result: Verification) -> dict[str, State]:
    return {one.subject: one.state for one in result.claims if one.ref == "refs/heads/smile/desk"}


def replace_key(key: object) -> Step:
    return lambda book: book.replace_key(key, PERSON)  # type: ignore[arg-type]


class TestLengths:
    def test_only_genesis(self, tmp_path: Path) -> None:
        report = shaped(tmp_path, written(begin)).report
        assert (report.entries, report.runs) == (1, 0)

    @pytest.mark.parametrize("count", range(2, 9))
    def test_a_few_entries(self, tmp_path: Path, count: int) -> None:
        assert shaped(tmp_path, written(*USUAL[:count])).report.entries == count

    def test_every_kind(self, tmp_path: Path) -> None:
        steps = (heartbeat, intend, conclude("healed"), refuse, rotate(NEW), annotate(1), copied)
        steps += (asked, handed_over, switched)
        desk = written(*USUAL, *steps, timedelta(hours=2), gap, look())
        hub = beside(desk, "witness", "hub", HUB, begin, cosigned(desk, 4))
        kinds = set(shaped(tmp_path, desk, hub).report.counts)
        assert set(Kind) - kinds == {Kind.ANCHOR, Kind.COSIGNATURE}

    def test_it_ends_in_an_open_intent(self, tmp_path: Path) -> None:
        """As after a crash; said, and no fault."""
        shape = shaped(tmp_path, written(*USUAL, look("sshd-hardened"), intend))
        assert [one.seq for one in shape.report.open_intents] == [9]
        assert claims(shape.verify())["intents"] is State.NOT_PROVEN

    def test_an_intent_that_stayed_open_for_long(self, tmp_path: Path) -> None:
        steps = (intend, look(), look(), conclude("interrupted"), quiet)
        assert shaped(tmp_path, written(*USUAL, *steps)).report.open_intents == ()

    def test_two_intents_at_once(self, tmp_path: Path) -> None:
        steps = (intend, intend, conclude("healed"), conclude("failed"), quiet)
        assert shaped(tmp_path, written(*USUAL, *steps)).report.open_intents == ()


class TestKeys:
    def test_a_rotation(self, tmp_path: Path) -> None:
        shape = shaped(tmp_path, written(*USUAL, rotate(NEW), quiet, look(), quiet))
        assert len(shape.report.keys) == 2

    def test_a_rotation_as_the_newest_entry(self, tmp_path: Path) -> None:
        assert len(shaped(tmp_path, written(*USUAL, rotate(NEW))).report.keys) == 1

    def test_two_rotations_and_nothing_between(self, tmp_path: Path) -> None:
        shape = shaped(tmp_path, written(*USUAL, rotate(NEW), rotate(THIRD), quiet))
        assert len(shape.report.keys) == 3

    def test_a_replaced_key(self, tmp_path: Path) -> None:
        shape = shaped(tmp_path, written(*USUAL, replace_key(NEW), quiet, look()))
        assert len(shape.report.keys) == 2

    def test_a_replaced_key_ends_a_gap(self, tmp_path: Path) -> None:
        """The old key is gone with the machine: nobody else could say why there was nothing."""
        away = timedelta(days=9)
        (found,) = shaped(tmp_path, written(*USUAL, away, replace_key(NEW), look())).report.gaps
        assert found.declared

    def test_a_rotated_key_is_replaced_and_rotated_again(self, tmp_path: Path) -> None:
        steps = (rotate(NEW), quiet, replace_key(THIRD), quiet, rotate(test_key("fourth")), look())
        listed = (*LISTED, signer_line("smile/desk", test_key("fourth")))
        desk = written(*USUAL, *steps)
        assert len(shaped(tmp_path, desk, listed=listed).report.keys) == 4

    def test_a_checkpoint_right_after_a_rotation(self, tmp_path: Path) -> None:
        desk = written(*USUAL, checkpoint, rotate(NEW), checkpoint, quiet)
        hub = beside(desk, "witness", "hub", HUB, begin, cosigned(desk, 8), cosigned(desk, 10))
        shape = shaped(tmp_path, desk, hub)
        assert len(shape.verify().testimonies[desk.branch].cosigned) == 2


class TestTimes:
    @pytest.mark.parametrize("away", [timedelta(minutes=6), timedelta(hours=5), timedelta(days=31)])
    def test_it_was_switched_off(self, tmp_path: Path, away: timedelta) -> None:
        report = shaped(tmp_path, written(*USUAL, away, gap, look(), quiet)).report
        # Two intervals and a minute are no gap yet; then a declaration is a courtesy.
        assert [one.declared for one in report.gaps] == ([True] if away > STEP * 2 else [])

    def test_it_was_without_network_for_a_month(self, tmp_path: Path) -> None:
        """It went on looking, and says that it reached nobody."""
        desk = written(*USUAL)
        for _ in range(31):
            go_on(desk, look())
            for _ in range(3):
                body = {"like": desk.run, "reached": False, "took_ms": 9}
                desk.append_slim(body=body)
                desk.at += STEP
            go_on(desk, seal([5 * MINUTE_MS] * 2))
            desk.at += timedelta(days=1)
            go_on(desk, gap)
        report = shaped(tmp_path, desk, newest=(80, 20)).report
        assert len(report.gaps) == 31
        assert report.runs == 6 + 31 * 6

    def test_without_a_promise_no_gap_can_be_told(self, tmp_path: Path) -> None:
        desk = written(begin, lambda book: book.append(Kind.RUN, {"pass": 1}), quiet)
        go_on(desk, timedelta(days=40), quiet)
        shape = shaped(tmp_path, desk)
        assert (shape.report.gaps, shape.report.promised) == ((), 0)
        assert claims(shape.verify())["gaps"] is State.NOT_PROVEN

    def test_a_longer_promise_comes_into_force(self, tmp_path: Path) -> None:
        def hourly(book: Book) -> str:
            return book.append(Kind.RUN, {"pass": 1, "promise_s": 3600})

        desk = written(*USUAL, hourly, timedelta(minutes=100), quiet)
        assert shaped(tmp_path, desk).report.gaps == ()

    def test_sealed_hours(self, tmp_path: Path) -> None:
        hour = [5 * MINUTE_MS] * 12
        steps = (timedelta(minutes=55), seal(hour), checkpoint, timedelta(minutes=50), seal(hour))
        report = shaped(tmp_path, written(*USUAL, *steps)).report
        assert report.gaps == ()
        assert report.runs == 6 + 24

    def test_runs_that_were_sealed_after_a_crash(self, tmp_path: Path) -> None:
        desk = written(*USUAL)
        late = 60 * MINUTE_MS
        desk.at += timedelta(milliseconds=late + 5 * MINUTE_MS)
        body = {"like": desk.run, "reached": True, "took_ms": 9, "ago_ms": late}
        desk.append_slim(body={**body, "ticks": [5 * MINUTE_MS] * 2})
        go_on(desk, gap, look())
        assert [one.declared for one in shaped(tmp_path, desk).report.gaps] == [True]

    def test_two_entries_in_the_same_millisecond(self, tmp_path: Path) -> None:
        assert (
            shaped(tmp_path, written(*USUAL, -STEP, quiet, -STEP, checkpoint)).report.entries == 10
        )

    @pytest.mark.parametrize("year", [1970, 2038, 2106, 5000])
    def test_a_clock_that_is_far_off(self, tmp_path: Path, year: int) -> None:
        """It may be wrong; it must not go back, and that is all that can be told."""
        desk = Book("smile", "desk", OLD, at=START.replace(year=year, month=1, day=2))
        assert shaped(tmp_path, go_on(desk, *USUAL)).report.entries == len(USUAL)


class TestBranches:
    def test_two_appliances(self, tmp_path: Path) -> None:
        desk = written(*USUAL)
        xray = beside(desk, "smile", "xray", XRAY, *USUAL)
        result = shaped(tmp_path, desk, xray).verify()
        assert result.ok, result.sentence
        assert [report.entries for report in result.branches] == [8, 8]

    def test_a_witness_of_both(self, tmp_path: Path) -> None:
        desk = written(*USUAL)
        xray = beside(desk, "smile", "xray", XRAY, *USUAL)
        steps = (begin, cosigned(xray, 4), heartbeat_of_a_witness, cosigned(desk, 4))
        result = shaped(tmp_path, desk, xray, beside(desk, "witness", "hub", HUB, *steps)).verify()
        assert result.ok, result.sentence
        assert {len(heard.cosigned) for heard in result.testimonies.values()} == {1}

    def test_a_witness_that_has_seen_nothing_yet(self, tmp_path: Path) -> None:
        desk = written(*USUAL)
        shape = shaped(tmp_path, desk, beside(desk, "witness", "hub", HUB, begin))
        assert shape.report.entries == 8
        assert claims(shape.verify())["witness"] is State.NOT_PROVEN

    def test_a_witness_that_objected(self, tmp_path: Path) -> None:
        """An old clone was shown to it: that is no proof against the log, and it is said."""
        desk = written(*USUAL)

        def objected(book: Book) -> str:
            shown = {"commit": "c" * 40, "size": 2, "root": "ab" * 32, "note": None}
            words = {"reason": "shorter-than-witnessed", "message": "log has 2 entries"}
            body = {"origin": "reconciler/smile/desk", **words, "shown": shown, "cosigned": None}
            return book.append(Kind.REFUSAL, body)

        hub = beside(desk, "witness", "hub", HUB, begin, cosigned(desk, 4), objected)
        result = shaped(tmp_path, desk, hub).verify()
        assert result.ok, result.sentence
        assert claims(result)["witness"] in (State.FALSE, State.PROVEN)
        assert State.FALSE in {one.state for one in result.claims}

    def test_a_witness_of_other_clients_too(self, tmp_path: Path) -> None:
        """What it vouched for of other clients is about other repositories."""
        desk = written(*USUAL)
        other = go_on(Book("molar", "chair", XRAY, at=START), *USUAL)
        hub = beside(desk, "witness", "hub", HUB, begin, cosigned(other, 4), cosigned(desk, 4))
        assert shaped(tmp_path, desk, hub).report.entries == 8

    def test_a_witness_whose_key_was_rotated(self, tmp_path: Path) -> None:
        desk = written(*USUAL, checkpoint, quiet)
        steps = (begin, cosigned(desk, 4), rotate(THIRD), cosigned(desk, 8))
        hub = beside(desk, "witness", "hub", HUB, *steps)
        listed = tuple(one for one in LISTED if one != signer_line("smile/desk", THIRD))
        shape = shaped(tmp_path, desk, hub, listed=(*listed, signer_line("witness/hub", THIRD)))
        assert [one.size for one in shape.verify().testimonies[desk.branch].cosigned] == [4, 8]
        assert shape.report.entries == 10

    def test_the_repository_of_a_witness_alone(self, tmp_path: Path) -> None:
        desk = written(*USUAL)
        hub = Book("witness", "hub", HUB, at=START)
        shape = shaped(tmp_path, go_on(hub, begin, cosigned(desk, 4)))
        result = shape.verify()
        assert result.ok, result.sentence
        assert "refs/heads/smile/desk" not in result.testimonies


def heartbeat_of_a_witness(book: Book) -> str:
    """The whole memory of a witness, repeated."""
    return book.append(Kind.HEARTBEAT, {"memory": {"seen": {}, "objections": {}}})


class TestStores:
    """The same ledger, after stock git or our own housekeeping."""

    @pytest.fixture
    def shape(self, tmp_path: Path) -> Shape:
        desk = written(*USUAL, intend, conclude("healed"), quiet, checkpoint, quiet)
        hub = beside(desk, "witness", "hub", HUB, begin, cosigned(desk, 4))
        return shaped(tmp_path, desk, hub)

    @pytest.mark.parametrize(
        "commands",
        [
            ["gc -q"],
            ["gc -q --aggressive --prune=now"],
            ["repack -q -a -d -f --depth=50 --window=50"],
            ["repack -q -d", "repack -q -A -d"],
            ["repack -q -a -d --write-bitmap-index"],
            ["pack-refs --all"],
            ["commit-graph write --reachable"],
            ["repack -q -a -d", "multi-pack-index write"],
            ["update-server-info"],
            ["prune-packed", "prune"],
            ["gc -q", "unpack-refs"],
            ["reflog expire --all --expire=now", "gc -q"],
        ],
        ids=lambda commands: commands[0].split(" -q")[0].replace(" ", "-"),
    )
    def test_stock_git_keeps_house(self, shape: Shape, commands: list[str]) -> None:
        for command in commands:
            if command != "unpack-refs":
                done = any_git(shape.path, *command.split())
                assert done.returncode == 0, done.stderr
        assert shape.report.entries == 13
        assert any_git(shape.path, "fsck", "--strict").returncode == 0

    @pytest.mark.parametrize("times", [1, 3])
    def test_our_own_repacking(self, shape: Shape, times: int) -> None:
        for _ in range(times):
            for branch in (shape.desk.branch, "refs/heads/witness/hub"):
                repack(shape.path, branch)
        assert shape.report.entries == 13
        assert not list((shape.path / "objects").glob("[0-9a-f][0-9a-f]/*"))

    @pytest.mark.parametrize(
        "options",
        [["--bare"], ["--mirror"], ["--bare", "--no-local"], ["--bare", "--no-hardlinks"]],
        ids=" ".join,
    )
    def test_a_clone(self, shape: Shape, tmp_path: Path, options: list[str]) -> None:
        done = any_git(tmp_path, "clone", "-q", *options, str(shape.path), "copy.git")
        assert done.returncode == 0, done.stderr
        result = shape.verify(tmp_path / "copy.git")
        assert result.ok, result.sentence
        assert len(result.branches) == 2

    def test_a_clone_with_files_in_it(self, shape: Shape, tmp_path: Path) -> None:
        """As somebody makes it who knows nothing: the witness is a remote-tracking name there."""
        done = any_git(tmp_path, "clone", "-q", str(shape.path), "copy")
        assert done.returncode == 0, done.stderr
        result = shape.verify(tmp_path / "copy")
        assert result.ok, result.sentence
        assert [report.entries for report in result.branches] == [13, 2]
        assert len(result.testimonies[shape.desk.branch].cosigned) == 1

    def test_a_fetched_copy(self, shape: Shape, tmp_path: Path) -> None:
        assert any_git(tmp_path, "init", "-q", "--bare", "copy.git").returncode == 0
        copy = tmp_path / "copy.git"
        done = any_git(copy, "fetch", "-q", str(shape.path), "+refs/heads/*:refs/heads/*")
        assert done.returncode == 0, done.stderr
        shutil.copy(shape.path / "HEAD", copy / "HEAD")
        assert shape.verify(copy).ok

    def test_from_bundles(self, shape: Shape, tmp_path: Path) -> None:
        ref, middle = shape.desk.branch, shape.desk.commits[6]
        one, two = tmp_path / "one.bundle", tmp_path / "two.bundle"
        write_bundle(shape.path, ref, None, middle, one)
        write_bundle(shape.path, ref, middle, shape.desk.commits[-1], two)
        unpack_bundle((one, two), tmp_path / "made")
        result = shape.verify(tmp_path / "made")
        assert result.ok, result.sentence
        assert result.branches[0].entries == 13

    def test_on_several_cores(self, shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("reconciler.ledger.gather.STRETCH", 3)
        assert shape.verify(jobs=2).ok

    def test_a_shallow_clone_is_refused(self, shape: Shape, tmp_path: Path) -> None:
        source = f"file://{shape.path}"
        done = any_git(tmp_path, "clone", "-q", "--bare", "--depth=3", source, "copy.git")
        assert done.returncode == 0, done.stderr
        result = shape.verify(tmp_path / "copy.git")
        assert not result.ok
        named = {(fault.code, fault.place.path): fault.message for fault in result.faults}
        assert "what history looks like" in named[Code.STRAY_FILE, "shallow"]
        assert Code.OBJECT in {fault.code for fault in result.faults}

    def test_borrowed_objects_are_refused(self, shape: Shape, tmp_path: Path) -> None:
        done = any_git(tmp_path, "clone", "-q", "--bare", "--shared", str(shape.path), "copy.git")
        assert done.returncode == 0, done.stderr
        faults = shape.verify(tmp_path / "copy.git").faults
        assert Code.STRAY_FILE in {
            f.code for f in faults if f.place.path == "objects/info/alternates"
        }


class TestRestored:
    """A real appliance's ledger that was lost, taken up again and continued."""

    def test_from_a_bundle(self, tmp_path: Path) -> None:
        rig = filled(tmp_path, runs=4)
        tip = git(rig.path, "rev-parse", "refs/heads/smile/desk").stdout.strip()
        bundle = tmp_path / "all.bundle"
        write_bundle(rig.path, "refs/heads/smile/desk", None, tip, bundle)
        shutil.rmtree(rig.path)
        unpack_bundle((bundle,), rig.path)
        assert go_on_with(rig).entries == 7 + 3

    def test_from_a_clone(self, tmp_path: Path) -> None:
        rig = filled(tmp_path, runs=4)
        moved = rig.path.rename(tmp_path / "moved.git")
        assert any_git(tmp_path, "clone", "-q", "--bare", str(moved), "smile.git").returncode == 0
        assert go_on_with(rig).entries == 7 + 3

    def test_repacked_while_it_goes_on(self, tmp_path: Path) -> None:
        rig = filled(tmp_path, runs=4)
        for _ in range(3):
            repack(rig.path, "refs/heads/smile/desk")
            report = go_on_with(rig)
        assert report.entries == 7 + 9


def go_on_with(rig: Rig) -> AuditReport:
    """Some more entries; the audit of all."""
    with rig.open() as ledger:
        run = rig.run(ledger)
        ledger.append_slim(
            Kind.RUN, {"like": run.reference.seq, "reached": True, "took_ms": 1}, at=rig.tick()
        )
        ledger.append(Kind.CHECKPOINT, {"note": ledger.note()}, at=rig.tick(), subject=SUBJECT)
    result = rig.verify()
    assert result.ok, result.sentence
    return result.branches[0]
