"""What is done under strace, so that the power can be cut at each of its system calls.

``python -m tests.support.power_cut_driver DIRECTORY TOLD life|push|seal`` says in TOLD what was
begun (``begin NAME``) and what was acknowledged (``entry SEQ``, ``pushed COMMIT``, ``run TIME``).
"""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from reconciler.engine import sealing
from reconciler.engine.facts import Facts
from reconciler.engine.past import Past
from reconciler.evidence.entry import stamp
from reconciler.guard.memory import Memory
from reconciler.ledger import keys
from reconciler.ledger.packing.repack import repack
from reconciler.ledger.remote.push import push
from reconciler.ledger.store import Ledger, Receipt
from tests.support.crash_driver import REF, checkpoint, in_child, slim_run
from tests.support.evidence_server import outbox
from tests.support.ledger_rig import Rig


class Life:
    """A ledger from its first entry on; says what it does and what it has acknowledged."""

    def __init__(self, rig: Rig, told: Path) -> None:
        self.rig = rig
        self.said = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def say(self, line: str) -> None:
        os.write(self.said, f"{line}\n".encode())

    def tell(self, *receipts: Receipt) -> None:
        for receipt in receipts:
            self.say(f"entry {receipt.seq}")

    def lead(self) -> None:
        """All kinds of appends, and repacks of all kinds."""
        self.say("begin create")
        with self.rig.create() as ledger:
            self.say("entry 0")
            self.say("begin append")
            self.tell(self.rig.run(ledger))
            self.say("begin repack")
            repack(self.rig.path, REF)
            list_packs(self.rig.path / "objects")
            self.say("begin midnight")
            self.tell(self.rig.run(ledger), self.rig.run(ledger))
            self.say("begin slim")
            self.tell(slim_run(self.rig, ledger), checkpoint(self.rig, ledger))
            self.say("begin killed repack")
            assert in_child(partial(killed_repack, self.rig)) == signal.SIGKILL
            assert repack(self.rig.path, REF).merged
            self.say("begin heal")
            intent, outcome = self.rig.heal(ledger)
            self.tell(intent, outcome)


def list_packs(objects: Path) -> None:
    """What ``git update-server-info`` writes, as durable as it is."""
    names = sorted(pack.name for pack in objects.glob("pack/*.pack"))
    beside = objects / "info/tmp_pack_list"
    with beside.open("w") as file:
        file.write("".join(f"P {name}\n" for name in names) + "\n")
        file.flush()
        os.fsync(file.fileno())
    beside.rename(objects / "info/packs")
    directory = os.open(objects / "info", os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def killed_repack(rig: Rig) -> None:
    """Die when the new pack has its names, and nothing is synced."""
    rename = os.rename

    def last(*arguments: Any) -> None:
        rename(*arguments)
        if str(arguments[1]).endswith(".idx"):
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(os, "rename", last)  # noqa: B010 - a name of another module
    repack(rig.path, REF)


def lead(rig: Rig, told: Path) -> None:
    Life(rig, told).lead()


def send(rig: Rig, told: Path) -> None:
    """Push a ledger to a path, in slices."""
    life = Life(rig, told)
    there = outbox(rig, f"file://{rig.directory / 'server.git'}", slice=3)
    life.say("begin push")
    result = push(there)
    assert result.done
    life.say(f"pushed {result.shown}")


def seal_runs(rig: Rig, told: Path) -> None:
    """Runs that wait in a file, become one entry, and others that wait again."""
    life = Life(rig, told)
    life.say("begin seal")
    queue = sealing.load_queue(rig.directory)
    with rig.open() as ledger:
        rig.at = ledger.tip.time
        for count in (4, 2):
            for _ in range(count):
                life.say(f"run {queue_run(rig, ledger, queue)}")
            seal(rig, ledger, queue)
        life.say(f"run {queue_run(rig, ledger, queue)}")


def queue_run(rig: Rig, ledger: Ledger, queue: sealing.Queue) -> str:
    """One run that found what the newest one with findings found; when it was."""
    at, like = rig.tick(1), ledger.head.base.seq
    sealing.enqueue(queue, ledger, at, like=like, reached=True, took_ms=90)
    return stamp(at)


def seal(rig: Rig, ledger: Ledger, queue: sealing.Queue) -> Receipt | None:
    """Make an entry of the runs that wait."""
    at = rig.tick(1)
    facts = Facts(at, 1000, "", None, None)
    past = Past(Memory.empty())
    return sealing.seal(ledger, past, queue, facts, at, lambda _: None)


WAYS: dict[str, Callable[[Rig, Path], None]] = {"life": lead, "push": send, "seal": seal_runs}

if __name__ == "__main__":
    place = Path(sys.argv[1])
    WAYS[sys.argv[3]](Rig(place, keys.load(place / "key")), Path(sys.argv[2]))
