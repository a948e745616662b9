"""What a power cut may leave of a ledger at each system call, and whether the ledger bears it."""

import shutil
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.engine.sealing import load_queue, newest_moment
from reconciler.errors import ReconcilerError
from reconciler.evidence.entry import Kind, stamp
from reconciler.evidence.history import Step
from reconciler.evidence.stretch import gather
from reconciler.ledger.reader import newest_first
from reconciler.ledger.ref_files import read_ref
from reconciler.ledger.remote.push import push
from reconciler.ledger.verify import verify
from tests.support import disk, power_cut
from tests.support.crash_driver import REF, checkpoint, close_intents
from tests.support.disk import EXTREMES, Chance, Fate, Image
from tests.support.evidence_server import outbox
from tests.support.ledger_rig import Rig
from tests.support.power_cut_driver import queue_run, seal
from tests.support.syscalls import Call


@dataclass(frozen=True)
class Recording:
    """What was done in a directory, system call by system call.

    Attributes:
        place: The directory as it is at the end.
        told: The file that says what was acknowledged.
        key: Of the ledger.
        calls: What was done.
        before: The directory as it was at the beginning.
    """

    place: Path
    told: Path
    key: Ed25519PrivateKey
    calls: Sequence[Call]
    before: Image

    def cuts(self) -> Iterator[power_cut.Replay]:
        """The disk at the beginning and after each change."""
        first = power_cut.Replay(self.place, self.told, root=disk.load(self.before))
        for _ in first.run(self.calls):
            pass
        mapped = dict(self._numbered(first.root, self.place))
        again = power_cut.Replay(self.place, self.told, mapped, disk.load(self.before))
        yield from again.run(self.calls)

    def _numbered(self, directory: disk.Directory, path: Path) -> Iterator[tuple[int, bytes]]:
        for name, node in directory.now.items():
            if isinstance(node, disk.Directory):
                yield from self._numbered(node, path / name)
            else:
                yield node.number, (path / name).read_bytes()


@dataclass(frozen=True)
class State:
    """What one power cut leaves.

    Attributes:
        cut: After which change the power went.
        stage: What was being done.
        fate: What became of what was not synced.
        said: What was acknowledged.
        image: What the disk holds.
    """

    cut: int
    stage: str
    fate: str
    said: tuple[str, ...]
    image: Image = field(repr=False)

    @property
    def newest(self) -> int:
        """The newest entry that was acknowledged, -1 if none was."""
        return max((int(line.split()[1]) for line in self.said if line[:5] == "entry"), default=-1)


def fates(cut: int) -> Iterator[tuple[str, Fate]]:
    """What may become of the unsynced at one point: by chance, and some extremes."""
    yield f"chance {cut}", Chance(Random(cut), shuffled=False)
    if cut % 3 == 0:
        yield f"chance {cut}, shuffled", Chance(Random(cut), shuffled=True)
    yield list(EXTREMES.items())[cut % len(EXTREMES)]


def states(recording: Recording) -> Iterator[State]:
    """Different states after a cut at every point; the extremes take turns."""
    seen: set[int] = set()
    for cut, now in enumerate(recording.cuts()):
        said = tuple(now.said)
        stage = next((line for line in reversed(said) if line.startswith("begin")), "")
        for name, fate in fates(cut):
            image = disk.image(now.root, fate)
            known = hash((said, tuple(image.items())))
            if known not in seen:
                seen.add(known)
                yield State(cut, stage.removeprefix("begin "), name, said, image)


@dataclass
class Trial(ABC):
    """Holds states to what was promised.

    Attributes:
        place: Where states are made real, one after the other.
        key: Of the ledger.
        tried: How many states of each stage.
        chances: How many of them were left to chance.
        wrong: What was not as promised.
        remains: How many states had something unfinished in them.
    """

    place: Path
    key: Ed25519PrivateKey
    tried: "Counter[str]" = field(default_factory=Counter)
    chances: int = 0
    wrong: list[str] = field(default_factory=list)
    remains: int = 0

    def run(self, state: State) -> None:
        """Make a state real, look at it, and go on from it."""
        self.tried[state.stage] += 1
        self.chances += state.fate.startswith("chance")
        disk.write(state.image, self.place)
        try:
            self.bear(Rig(self.place, self.key), state)
        except ReconcilerError as error:
            self.wrong.append(f"{state}: {error.message}")
        finally:
            shutil.rmtree(self.place)

    def check(self, good: bool, state: State, what: object) -> None:
        """Note what is not as promised."""
        if not good:
            self.wrong.append(f"{state}: {what}")

    @abstractmethod
    def bear(self, rig: Rig, state: State) -> None:
        """Look at what is there, and go on from it."""


class LedgerTrial(Trial):
    """The ledger of an appliance."""

    def bear(self, rig: Rig, state: State) -> None:
        entries = self._entries(rig, state)
        # Opening proves the newest part; all of it, and a root that was signed, sometimes.
        thorough = self.tried.total() % 8 == 0
        with rig.open() if entries else rig.create() as ledger:
            rig.at = ledger.tip.time
            closed = close_intents(rig, ledger)
            rig.run(ledger)
            if thorough:
                checkpoint(rig, ledger)
        after = max(entries, 1) + closed + 1 + thorough
        self.check(ledger.tip.seq == after - 1, state, f"went on to {ledger.tip.seq}")
        if thorough:
            found = rig.verify()
            self.check(found.ok, state, found.sentence)
            self.check(found.branches[0].entries == after, state, "number of entries")

    def _entries(self, rig: Rig, state: State) -> int:
        """How many entries there are; nothing may be wrong with them, and none may be missing."""
        if not (rig.path / REF).exists() and state.newest < 0:
            return 0
        found = rig.verify()
        entries = found.branches[0].entries if found.branches else 0
        self.check(found.ok, state, found.sentence)
        self.check(entries > state.newest, state, f"{entries} entries")
        self.remains += bool(found.sweep.leftovers or found.sweep.unreferenced)
        return entries


class PushTrial(Trial):
    """The repository that a ledger is pushed to."""

    def bear(self, rig: Rig, state: State) -> None:
        server = rig.directory / "server.git"
        acknowledged = any(line.startswith("pushed") for line in state.said)
        if (server / REF).exists():
            found = verify(server, rig.signers)
            self.check(found.ok, state, found.sentence)
            self.remains += bool(found.sweep.leftovers or found.sweep.unreferenced)
        result = push(outbox(rig, f"file://{server}"))
        self.check(result.done, state, result)
        self.check(not (acknowledged and result.pushed), state, "what was pushed is lost")
        found = verify(server, rig.signers)
        self.check(found.ok, state, found.sentence)
        self.check(read_ref(server, REF) == read_ref(rig.path, REF), state, "not all is there")


class SealTrial(Trial):
    """A ledger, and the file with the runs that wait to be sealed."""

    def bear(self, rig: Rig, state: State) -> None:
        found = rig.verify()
        self.check(found.ok, state, found.sentence)
        self.remains += bool(found.sweep.leftovers or found.sweep.unreferenced)
        queue = load_queue(rig.directory)
        with rig.open() as ledger:
            rig.at = newest_moment(ledger, queue)
            seal(rig, ledger, queue)
            new = queue_run(rig, ledger, queue)
            seal(rig, ledger, queue)
        told = [line.removeprefix("run ") for line in state.said if line.startswith("run ")]
        held = Counter(moments(rig))
        self.check(all(held[run] == 1 for run in (*told, new)), state, f"{told} {held}")
        self.check(set(held.values()) == {1}, state, f"sealed twice: {held}")
        found = rig.verify()
        self.check(found.ok, state, found.sentence)


def moments(rig: Rig) -> Iterator[str]:
    """When each run was that the ledger holds, as an auditor reads it."""
    records = newest_first(rig.path, "smile", "desk", rig.signers)
    runs = [Step(one.commit, one, ()) for one in records if one.entry.kind is Kind.RUN]
    for ms in gather(runs).times:
        yield stamp(datetime.fromtimestamp(ms / 1000, tz=UTC))
