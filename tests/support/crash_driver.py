"""Kills a writer at every step of an append; run as a process of its own, because it forks.

``python -m tests.support.crash_driver DIRECTORY steps|moments|growing`` prints JSON lines.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from reconciler.evidence.statement import Kind
from tests.support.ledger_rig import Rig, filled

STEPS = ("open", "fsync", "rename", "unlink", "mkdir", "pwrite", "close")


def dies_at(number: int) -> None:
    """Make this process kill itself before its n-th system call of `STEPS`; 0 is never."""
    lock, count = Lock(), 0

    def wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            with lock:
                count += 1
                if count == number:
                    os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **options)

        return step

    for name in STEPS:
        setattr(os, name, wrapped(getattr(os, name)))


def in_child(act: Callable[[], None]) -> int:
    """Run something in a fork; its wait status."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def append_and_tell(rig: Rig, told: Path, number: int) -> None:
    ledger = rig.open()
    rig.at = ledger.tip.time
    dies_at(number)
    receipt = rig.run(ledger)
    told.write_text(str(receipt.seq))
    os._exit(0)


def append_for_ever(rig: Rig, told: Path) -> None:
    ledger = rig.open()
    rig.at = ledger.tip.time
    with told.open("a") as file:
        while True:
            _, outcome = rig.heal(ledger)
            file.write(f"{outcome.seq}\n")
            file.flush()


def go_on(rig: Rig) -> None:
    ledger = rig.open()
    rig.at = ledger.tip.time
    for intent in ledger.open_intents:
        ledger.append(
            Kind.OUTCOME,
            {"result": "interrupted"},
            at=rig.tick(),
            subject=None,
            closes=intent,
        )
    rig.run(ledger)
    os._exit(0)


def state(rig: Rig, told: Path) -> dict[str, Any]:
    """What is there after a kill, and after going on."""
    found = rig.verify()
    before = {
        "faults": [str(fault) for fault in found.faults],
        "entries": found.branches[0].entries,
        "leftovers": len(found.sweep.leftovers),
        "unreferenced": found.sweep.unreferenced,
        "told": [int(line) for line in told.read_text().split()] if told.exists() else [],
    }
    went_on = in_child(partial(go_on, rig))
    after = rig.verify()
    return {
        **before,
        "went_on": went_on,
        "faults_after": [str(fault) for fault in after.faults],
        "entries_after": after.branches[0].entries,
        "open_after": len(after.branches[0].open_intents),
    }


def at_every_step(base: Path) -> None:
    rig = filled(base, runs=0)
    number, status = 0, -1
    while status != 0:
        number += 1
        copy = base / f"kill{number}"
        shutil.copytree(rig.path, copy / "smile.git")
        shutil.copy(rig.signers_file, copy)
        killed = Rig(copy, rig.key)
        status = in_child(partial(append_and_tell, killed, copy / "told", number))
        print(json.dumps({"kill": number, "status": status, **state(killed, copy / "told")}))
        shutil.rmtree(copy)


def at_any_moment(base: Path, rounds: int = 12) -> None:
    rig = filled(base, runs=0)
    source = random.Random(7)
    for number in range(rounds):
        told = base / f"told{number}"
        child = os.fork()
        if child == 0:
            append_for_ever(rig, told)
        while not told.exists():
            time.sleep(0.001)
        time.sleep(source.uniform(0.001, 0.08))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"kill": number, "status": status, **state(rig, told)}))


def while_it_grows(base: Path) -> None:
    rig = filled(base, runs=0)
    child = os.fork()
    if child == 0:
        append_for_ever(rig, base / "told")
    while not (base / "told").exists():
        time.sleep(0.001)
    for _ in range(6):
        found = rig.verify()
        faults = [str(fault) for fault in found.faults]
        print(json.dumps({"faults": faults, "entries": found.branches[0].entries}))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


WAYS = {"steps": at_every_step, "moments": at_any_moment, "growing": while_it_grows}

if __name__ == "__main__":
    WAYS[sys.argv[2]](Path(sys.argv[1]))
