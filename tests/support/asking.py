"""Ask one probe of a session, without a target around it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.model.answer import Answer
from reconciler.model.probe import Probe
from reconciler.targets.linux.allow import AllowList
from reconciler.targets.linux.probes import answer, answer_in_tree
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.tree import HostTree, ImageTree

NOW = 1_700_000_000


def knows_the_time(topic: str) -> Answer:
    """The engine, as far as these tests need one."""
    return Answer("ok", {"unix_s": NOW}) if topic == "now" else Answer("error", reason="not here")


def session(*, root: str = "/", allow: AllowList | None = None, seconds: float = 10) -> Session:
    """A session with so many seconds left."""
    tree = HostTree() if root == "/" else ImageTree(root)
    made = Session(tree, allow or AllowList(), knows_the_time)
    made.deadline = time.monotonic() + seconds
    return made


def ask(probe: Probe, *, root: str = "/", allow: AllowList | None = None) -> Answer:
    """What this machine, or a tree, answers."""
    asked = session(root=root, allow=allow)
    try:
        return answer(probe, asked) if root == "/" else answer_in_tree(probe, asked)
    finally:
        asked.close()


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's rights; nothing changes for who has none."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(65_534)
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
