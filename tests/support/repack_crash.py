"""Kills a repack at every step; run as a process of its own, because it forks.

``python -m tests.support.repack_crash DIRECTORY steps|moments`` prints JSON lines.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.packing.loose_part import loose_files
from reconciler.ledger.packing.repack import repack
from reconciler.ledger.sweep import sweep
from tests.support import crash_driver
from tests.support.crash_driver import dies_at, in_child
from tests.support.long_history import REF, git, lengthen, make_history, read_all

# Whatever changes a file or a name on the way, and whatever makes it durable.
crash_driver.STEPS = (*crash_driver.STEPS, "fchmod")


def prepared(base: Path) -> tuple[Path, list[str]]:
    """Two packs that will be merged, loose objects on top, derived files of git."""
    path = base / "r.git"
    commits = make_history(path, 6, full_every=4)
    for more in (6, 3):
        assert git(path, "repack", "-q", "-d").returncode == 0
        commits = lengthen(path, commits, more, full_every=4)
    assert git(path, "update-server-info").returncode == 0
    return path, commits


def whole(path: Path, commits: list[str]) -> dict[str, Any]:
    """Whether everything is there and every byte is as it must be."""
    seen: set[bytes] = set()
    store = ObjectStore(path, seen)
    try:
        read = sum(1 for _ in read_all(store, commits))
    except ReconcilerError as error:
        return {"faults": [str(error)]}
    found = sweep(path, store, seen, {REF}, {})
    return {
        "faults": [str(fault) for fault in found.faults],
        "leftovers": len(found.leftovers),
        "read": read,
        "loose": len(loose_files(path / "objects")),
        "packs": len(list(path.glob("objects/pack/*.idx"))),
    }


def dying(path: Path, number: int) -> None:
    dies_at(number)
    repack(path, REF)
    os._exit(0)


def at_every_step(base: Path) -> None:
    source, commits = prepared(base)
    number, status = 0, -1
    while status != 0:
        number += 1
        copy = base / f"kill{number}.git"
        shutil.copytree(source, copy)
        status = in_child(partial(dying, copy, number))
        report(copy, commits, number, status)
        shutil.rmtree(copy)


def at_any_moment(base: Path, rounds: int = 10) -> None:
    source, commits = prepared(base)
    chance = random.Random(5)
    for number in range(rounds):
        copy = base / f"kill{number}.git"
        shutil.copytree(source, copy)
        child = os.fork()
        if child == 0:
            repack(copy, REF)
            os._exit(0)
        time.sleep(chance.uniform(0.001, 0.06))
        os.kill(child, signal.SIGKILL)
        report(copy, commits, number, os.waitpid(child, 0)[1])
        shutil.rmtree(copy)


def report(path: Path, commits: list[str], number: int, status: int) -> None:
    """What is there after a kill, and after the next repack."""
    checked = git(path, "fsck", "--full", "--strict")
    before = whole(path, commits)
    repack(path, REF)
    found = {
        "kill": number,
        "status": status,
        "git": (checked.stdout + checked.stderr) if checked.returncode else "",
        "before": before,
        "after": whole(path, commits),
    }
    print(json.dumps(found))


WAYS = {"steps": at_every_step, "moments": at_any_moment}

if __name__ == "__main__":
    WAYS[sys.argv[2]](Path(sys.argv[1]))
