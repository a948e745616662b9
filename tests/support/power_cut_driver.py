"""What is done under strace, so that the power can be cut at each of its system calls.

``python -m tests.support.power_cut_driver DIRECTORY TOLD life|push`` says in TOLD what was begun
(``begin NAME``) and what was acknowledged (``entry SEQ``, ``pushed COMMIT``).
"""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from reconciler.ledger import keys
from reconciler.ledger.packing.repack import repack
from reconciler.ledger.remote.push import push
from reconciler.ledger.store import Receipt
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


WAYS: dict[str, Callable[[Rig, Path], None]] = {"life": lead, "push": send}

if __name__ == "__main__":
    place = Path(sys.argv[1])
    WAYS[sys.argv[3]](Rig(place, keys.load(place / "key")), Path(sys.argv[2]))
