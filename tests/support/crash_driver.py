"""Kills a writer at every step of an append; run as a process of its own, because it forks.

``python -m tests.support.crash_driver DIRECTORY create|append|slim|checkpoint|moments|growing``
prints JSON lines. ``marked`` kills nobody, but writes a line before each step, for strace to see.
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
from reconciler.ledger import keys, refs
from reconciler.ledger.store import Ledger, Receipt
from tests.support.ledger_rig import Rig, filled, make_rig

REF = "refs/heads/smile/desk"
STEPS = ("open", "fsync", "rename", "replace", "unlink", "mkdir", "pwrite", "close")


def before_steps(act: Callable[[int], None]) -> None:
    """Call something before each system call of `STEPS`, with its number from 1 on."""
    lock, count = Lock(), 0

    def wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            with lock:
                count += 1
                act(count)
            return original(*arguments, **options)

        return step

    for name in STEPS:
        setattr(os, name, wrapped(getattr(os, name)))


def dies_at(number: int) -> None:
    """Make this process kill itself before its n-th system call of `STEPS`; 0 is never."""

    def act(count: int) -> None:
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    before_steps(act)


def in_child(act: Callable[[], None]) -> int:
    """Run something in a fork; its wait status."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def slim_run(rig: Rig, ledger: Ledger) -> Receipt:
    body = {"like": ledger.tip.seq, "reached": True, "took_ms": 90}
    return ledger.append_slim(Kind.RUN, body, at=rig.tick())


def checkpoint(rig: Rig, ledger: Ledger) -> Receipt:
    return ledger.append_slim(Kind.CHECKPOINT, {"note": ledger.note()}, at=rig.tick())


ACTS: dict[str, Callable[[Rig, Ledger], Receipt]] = {
    "append": Rig.run,
    "slim": slim_run,
    "checkpoint": checkpoint,
}


def act_and_tell(rig: Rig, told: Path, how: str, number: int) -> None:
    if how == "create":
        dies_at(number)
        seq = rig.create().tip.seq
    else:
        ledger = rig.open()
        rig.at = ledger.tip.time
        dies_at(number)
        seq = ACTS[how](rig, ledger).seq
    told.write_text(str(seq))
    os._exit(0)


def append_for_ever(rig: Rig, told: Path) -> None:
    ledger = rig.open()
    rig.at = ledger.tip.time
    with told.open("a") as file:
        while True:
            _, outcome = rig.heal(ledger)
            file.write(f"{outcome.seq}\n")
            file.flush()


def close_intents(rig: Rig, ledger: Ledger) -> int:
    """Say of what was begun that it was interrupted, as every run does first; how many there were.

    Until then, nothing can be said without a file.
    """
    found = ledger.open_intents
    for intent in found:
        body = {"result": "interrupted"}
        ledger.append(Kind.OUTCOME, body, at=rig.tick(), subject=None, closes=intent)
    return len(found)


def go_on(rig: Rig, entries: int) -> None:
    """What the next run does, and the root of the log signed at the end."""
    ledger = rig.open() if entries else rig.create()
    rig.at = ledger.tip.time
    close_intents(rig, ledger)
    rig.run(ledger)
    checkpoint(rig, ledger)
    os._exit(0)


def state(rig: Rig, told: Path) -> dict[str, Any]:
    """What is there after a kill, and after going on."""
    before: dict[str, Any] = {"faults": [], "entries": 0, "leftovers": 0, "unreferenced": 0}
    if (rig.path / REF).exists():
        found = rig.verify()
        before = {
            "faults": [str(fault) for fault in found.faults],
            "entries": found.branches[0].entries,
            "leftovers": len(found.sweep.leftovers),
            "unreferenced": found.sweep.unreferenced,
        }
    went_on = in_child(partial(go_on, rig, before["entries"]))
    after = rig.verify()
    return {
        **before,
        "told": [int(line) for line in told.read_text().split()] if told.exists() else [],
        "went_on": went_on,
        "faults_after": [str(fault) for fault in after.faults],
        "entries_after": after.branches[0].entries,
        "open_after": len(after.branches[0].open_intents),
    }


def at_every_step(base: Path, how: str) -> None:
    rig = make_rig(base) if how == "create" else filled(base, runs=1)
    number, status = 0, -1
    while status != 0:
        number += 1
        copy = base / f"kill{number}"
        copy.mkdir()
        shutil.copy(rig.signers_file, copy)
        if how != "create":
            shutil.copytree(rig.path, copy / "smile.git")
        killed = Rig(copy, rig.key)
        status = in_child(partial(act_and_tell, killed, copy / "told", how, number))
        print(json.dumps({"kill": number, "status": status, **state(killed, copy / "told")}))
        shutil.rmtree(copy)


def marked(base: Path) -> None:
    """Every kind of append, with a line in ``marks`` before each step."""
    rig = Rig(base, keys.load(base / "key"))
    ledger = rig.open()
    rig.at = ledger.tip.time
    marks = os.open(base / "marks", os.O_WRONLY | os.O_CREAT, 0o600)
    before_steps(lambda _: os.write(marks, b"step\n") and None)
    for act in ACTS.values():
        act(rig, ledger)
    os._exit(0)


def at_any_moment(base: Path, rounds: int = 12) -> None:
    rig = filled(base, runs=1)
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
    rig = filled(base, runs=1)
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


WAYS: dict[str, Callable[[Path], None]] = {
    **{how: partial(at_every_step, how=how) for how in ("create", *ACTS)},
    "moments": at_any_moment,
    "growing": while_it_grows,
    "marked": marked,
}

if __name__ == "__main__":
    # A stale lock is waited for; here it is stale each time.
    refs._PATIENCE_S = 0.001
    WAYS[sys.argv[2]](Path(sys.argv[1]))
