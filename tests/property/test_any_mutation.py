"""Any single change to a valid repository with every kind of entry in it is found.

By somebody who can write to the disk: a bit, a file, an object, a reference, a header. And by the
owner of the key, who can write any history that is sound in itself: then the auditor's note finds
it, as a witness would.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.evidence.commit import parents_of
from reconciler.evidence.statement import Kind
from reconciler.ledger.verify import Verification
from tests.support.attack_book import (
    MINUTE_MS,
    Book,
    Script,
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
from tests.support.attack_ledger import (
    HUB,
    NEW,
    OLD,
    START,
    STEP,
    XRAY,
    AttackLedger,
    lines,
    store,
    witness_script,
)
from tests.support.attack_stamps import Stamps
from tests.support.attacking import Scene, by_outsider, scene_of
from tests.support.forge import allowed
from tests.support.rigs import rig
from tests.support.tsa import missing

pytestmark = pytest.mark.integration

FREE = (quiet, heartbeat, checkpoint, refuse)
"""Steps that nothing after them refers to."""


def small_script(stamps: Stamps) -> Script:
    steps: list[Step] = [begin, look(), quiet, checkpoint, quiet, refuse, heartbeat]
    steps += [look("backup-fresh"), intend, conclude("healed"), look(), quiet, copied, quiet]
    steps += [checkpoint, stamps.dated, stamps.submitted, quiet, rotate(NEW), quiet, annotate(7)]
    steps += [asked, handed_over, switched]
    steps += [quiet, stamps.upgraded, seal([MINUTE_MS] * 4), quiet, checkpoint, quiet, quiet]
    made = [(START + number * STEP, step) for number, step in enumerate(steps)]
    late = made[-1][0] + timedelta(hours=3)
    return [*made, (late, gap), (late + STEP, look()), (late + 2 * STEP, checkpoint)]


@dataclass(frozen=True, repr=False)
class Rig:
    """The repository, and what the auditor was given when it was whole.

    Attributes:
        ledger: It.
        notes: A note about each of its logs.
        directory: Where copies may lie.
    """

    ledger: AttackLedger
    notes: tuple[str, ...]
    directory: Path

    def __repr__(self) -> str:
        return "the small ledger"

    def attack(self, change: Callable[[Scene], object]) -> Verification:
        """Verify a copy with a change in it."""
        scene = scene_of(self.ledger, self.directory / str(next(NUMBERS)))
        try:
            change(scene)
            return scene.verify(*self.notes)
        finally:
            shutil.rmtree(scene.path.parent)


NUMBERS = count()


@pytest.fixture(scope="module")
def rigged(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    rig("time stamping authority", missing())
    directory = tmp_path_factory.mktemp("small")
    stamps = Stamps(directory / "stamps")
    script = small_script(stamps)
    desk = Book("smile", "desk", OLD).play(script)
    xray = Book("smile", "xray", XRAY, desk.objects, desk.names)
    steps = (begin, look(), quiet, checkpoint, quiet)
    xray.play([(START + number * STEP, step) for number, step in enumerate(steps)])
    hub = Book("witness", "hub", HUB, desk.objects, desk.names)
    hub.play(witness_script(desk, xray, every=1))
    signers_file = directory / "allowed_signers"
    signers_file.write_text("".join(lines(desk)))
    path = directory / "smile.git"
    store(path, desk, (xray, hub), signers_file, (10, 3))
    ledger = AttackLedger(path, allowed(*lines(desk)), desk, xray, hub, script, stamps)
    return Rig(ledger, tuple(book.note() for book in (desk, xray, hub)), directory / "copies")


def gated(examples: int) -> settings:
    return settings(derandomize=True, max_examples=examples, deadline=None)


def located(result: Verification) -> bool:
    places = [fault.place for fault in result.faults]
    return bool(places) and all(str(place) for place in places)


def files(path: Path) -> list[Path]:
    """Everything that belongs to the store."""
    parts = [path / name for name in ("HEAD", "packed-refs", "refs", "objects")]
    found = [part for part in parts if part.is_file()]
    return sorted([*found, *(f for part in parts for f in part.rglob("*") if f.is_file())])


def test_unchanged_it_verifies(rigged: Rig) -> None:
    result = rigged.attack(lambda scene: None)
    assert result.ok, result.sentence
    kinds = {kind for report in result.branches for kind in report.counts}
    assert kinds == set(Kind)
    assert {file.suffix for file in files(rigged.ledger.path)} >= {".pack", ".idx", ""}


WHICH = st.integers(0, 2**32)


@gated(100)
@given(WHICH, WHICH, st.integers(0, 7))
def test_any_bit_of_any_file(rigged: Rig, which: int, at: int, bit: int) -> None:
    there = files(rigged.ledger.path)
    name = there[which % len(there)].relative_to(rigged.ledger.path)

    def change(scene: Scene) -> None:
        data = bytearray((scene.path / name).read_bytes())
        data[at % len(data)] ^= 1 << bit
        scene.write(scene.path / name, bytes(data))

    result = rigged.attack(change)
    assert not result.ok
    assert located(result)


@gated(45)
@given(WHICH, WHICH, st.sampled_from(["gone", "empty", "cut", "longer", "another", "link"]))
def test_any_file(rigged: Rig, which: int, other: int, how: str) -> None:
    there = files(rigged.ledger.path)
    name, source = (there[n % len(there)].relative_to(rigged.ledger.path) for n in (which, other))

    def change(scene: Scene) -> None:
        file, data = scene.path / name, (scene.path / name).read_bytes()
        made = {
            "empty": b"",
            "cut": data[: other % len(data)],
            "longer": data + bytes([other % 256]),
            "another": (scene.path / source).read_bytes(),
        }
        if how in made:
            assume(made[how] != data)
            scene.write(file, made[how])
            return
        file.unlink()
        if how == "link":
            file.symlink_to(there[which % len(there)])

    result = rigged.attack(change)
    assert not result.ok
    assert located(result)


STRANGE = st.sampled_from(
    [
        "refs/heads/{oid}",
        "refs/heads/smile/{oid}",
        "refs/tags/v1",
        "refs/replace/{oid}",
        "refs/notes/commits",
        "objects/info/alternates",
        "objects/info/http-alternates",
        "objects/{oid}",
        "objects/pack/pack-{oid}.keep",
        "shallow",
        "info/grafts",
    ]
)


@gated(25)
@given(STRANGE, WHICH)
def test_any_file_more(rigged: Rig, name: str, which: int) -> None:
    oid = sorted(rigged.ledger.desk.objects)[which % len(rigged.ledger.desk.objects)]

    def change(scene: Scene) -> None:
        file = scene.path / name.format(oid=oid)
        file.parent.mkdir(parents=True, exist_ok=True)
        scene.write(file, f"{oid}\n".encode())

    result = rigged.attack(change)
    assert not result.ok
    assert located(result)


@gated(35)
@given(st.sampled_from(["desk", "xray", "hub"]), WHICH, st.booleans())
def test_any_reference(rigged: Rig, branch: str, which: int, known: bool) -> None:
    book: Book = getattr(rigged.ledger, branch)
    objects = sorted(rigged.ledger.desk.objects)
    oid = objects[which % len(objects)] if known else f"{which:040x}"
    assume(oid != book.commits[-1])
    result = rigged.attack(lambda scene: scene.point(book.branch, oid))
    assert not result.ok
    assert located(result)


def inserted(raw: bytes, at: int) -> bytes:
    """One more header, somewhere among the headers."""
    head, _, message = raw.partition(b"\n\n")
    made = head.split(b"\n")
    made.insert(at % (len(made) + 1), b"x-note anything")
    return b"\n".join(made) + b"\n\n" + message


def rewritten(raw: bytes, at: int) -> bytes:
    changed = bytearray(raw)
    changed[at % len(raw)] ^= 1 << (at // len(raw)) % 8
    return bytes(changed)


@gated(45)
@given(WHICH, WHICH, st.sampled_from([inserted, rewritten]))
def test_any_commit(rigged: Rig, which: int, at: int, how: Callable[[bytes, int], bytes]) -> None:
    """Changed, under its new name, with all that follows put on top of it again."""
    desk = rigged.ledger.desk.fork(len(rigged.ledger.desk.commits))
    place = which % len(desk.commits)
    forged = desk.put("commit", how(desk.read(desk.commits[place])[1], at))
    later = desk.commits[place + 1 :]
    assume(all(parents_of(desk.read(oid)[1]) for oid in later))
    desk.names[desk.branch] = by_outsider(desk, forged, later)
    result = rigged.attack(lambda scene: scene.show(desk))
    assert not result.ok
    assert located(result)


@gated(40)
@given(WHICH, st.sampled_from(["dropped", "twice", "exchanged", "failing", "later"]))
def test_any_step_of_the_owner_of_the_key(rigged: Rig, which: int, how: str) -> None:
    script = list(rigged.ledger.script)
    # The newest one written twice is no attack: the log has grown.
    free = [place for place, (_, step) in enumerate(script[:-1]) if step in FREE]
    place = free[which % len(free)]
    at, step = script[place]
    if how == "dropped":
        del script[place]
    elif how == "twice":
        script.insert(place, (at, step))
    elif how == "exchanged":
        assume(place + 1 in free and script[place + 1][1] is not step)
        script[place] = (at, script[place + 1][1])
        script[place + 1] = (script[place + 1][0], step)
    else:
        script[place] = (at, refuse) if how == "failing" else (at + timedelta(seconds=1), step)
        assume(script[place] != (at, step))
    # No time stamps anew: a proof of another note is a fault of its own.
    anchors = {at for at, step in rigged.ledger.script if getattr(step, "__self__", None)}
    later = [one for one in script[place:] if one[0] not in anchors]
    forged = rigged.ledger.desk.fork(place).play(later)
    result = rigged.attack(lambda scene: scene.show(forged))
    assert not result.ok
    assert located(result)
