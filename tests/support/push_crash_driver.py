"""Kills a push at every step and at any moment; run as a process of its own, because it forks.

``python -m tests.support.push_crash_driver DIRECTORY steps|moments|http`` prints JSON lines.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from reconciler.ledger.remote import memory
from reconciler.ledger.remote.push import Outbox, PushResult, push_when_due
from tests.support.crash_driver import dies_at, in_child
from tests.support.evidence_server import EvidenceServer, evidence_server, outbox
from tests.support.git_servers import http_server
from tests.support.ledger_rig import START, filled, git

REF = "refs/heads/smile/desk"


class Stage:
    """A ledger, an empty server to copy, and one push after the other between them."""

    def __init__(self, base: Path) -> None:
        (base / "desk").mkdir()
        self.rig = filled(base / "desk", runs=12)
        self.empty = evidence_server(base, self.rig.signers_file.read_text(), "empty.git")
        self.empty.config("http.receivepack", "true")
        # The hook is proven elsewhere; here it would only make each kill slower.
        (self.empty.path / "hooks/pre-receive").unlink()
        self.server = EvidenceServer(base / "server.git")
        self.file = base / "push.json"
        self.tip = git(self.rig.path, "rev-parse", REF).stdout.strip()
        self.now = START

    def begin(self) -> None:
        shutil.rmtree(self.server.path, ignore_errors=True)
        shutil.copytree(self.empty.path, self.server.path)
        self.file.unlink(missing_ok=True)

    def push(self, there: Outbox) -> PushResult:
        self.now += timedelta(hours=2)
        return push_when_due(there, self.file, self.now, Random(1))

    def after(self, there: Outbox) -> dict[str, Any]:
        """What is there after a kill, and whether the next pushes bring the rest."""
        tip = self.server.tip(REF)
        sound = tip is None or git(self.server.path, "rev-list", "--objects", tip).returncode == 0
        known = tip is None or git(self.rig.path, "cat-file", "-e", tip).returncode == 0
        remembered = memory.load(self.file)
        for attempt in range(5):
            result = self.push(there)
            if result.done:
                break
            # The server may still be busy with what was killed.
            time.sleep(0.2 * attempt)
        return {
            "tip": tip,
            "sound": sound and known,
            "attempts": remembered.attempts,
            "then": result.state,
            "complete": self.server.tip(REF) == self.tip,
        }


def at_every_step(base: Path) -> None:
    stage = Stage(base)
    there = outbox(stage.rig, stage.server.url, slice=7)
    number, status = 0, -1
    while status != 0:
        number += 1
        stage.begin()
        status = in_child(_pushing(stage, there, number))
        print(json.dumps({"kill": number, "status": status, **stage.after(there)}))


def _pushing(stage: Stage, there: Outbox, number: int) -> Callable[[], None]:
    def act() -> None:
        dies_at(number)
        done = stage.push(there).done
        os._exit(0 if done else 3)

    return act


def at_any_moment(base: Path, url: str | None = None, rounds: int = 40) -> None:
    stage = Stage(base)
    there = outbox(stage.rig, url or stage.server.url, slice=7)
    usual = min(_seconds(stage, there) for _ in range(3))
    source = random.Random(11)
    for number in range(rounds):
        stage.begin()
        child = os.fork()
        if child == 0:
            stage.push(there)
            os._exit(0)
        time.sleep(source.uniform(0, usual))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"kill": number, "status": status, **stage.after(there)}))


def _seconds(stage: Stage, there: Outbox) -> float:
    stage.begin()
    begin = time.monotonic()
    stage.push(there)
    return time.monotonic() - begin


def over_http(base: Path) -> None:
    with http_server(base) as address:
        at_any_moment(base, f"http://{address}/server.git", rounds=10)


WAYS = {"steps": at_every_step, "moments": at_any_moment, "http": over_http}

if __name__ == "__main__":
    WAYS[sys.argv[2]](Path(sys.argv[1]))
