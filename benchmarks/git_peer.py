"""Stock git on a ledger, as a peer: what it says of signatures, and what it makes of packs."""

import os
import random
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rounds import Sample
from tests.support.commands import MINIMAL_ENV, host

SETTINGS = {**MINIMAL_ENV, "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}


def version() -> str:
    """Of git."""
    return host("git", "version").split()[2]


def git(repository: Path, *arguments: str) -> str:
    """What git says; an hour at most."""
    return host("git", "-C", str(repository), *arguments, timeout=3600, env=SETTINGS)


def commits(repository: Path, ref: str, count: int) -> list[str]:
    """So many commits of a branch, spread evenly but for chance; always the same ones."""
    every = git(repository, "rev-list", ref).split()
    return random.Random(0).sample(every, count)


def timed(repository: Path, arguments: Sequence[str], said: bytes = b"") -> tuple[Sample, str]:
    """Run git once, and what it and all that it starts cost.

    Args:
        repository: Where.
        arguments: Of git.
        said: What it reads.

    Raises:
        RuntimeError: It ended badly.
    """
    argv = ("git", "-C", str(repository), *arguments)
    pipe = subprocess.PIPE
    begun = time.monotonic()
    with subprocess.Popen(argv, env=SETTINGS, stdin=pipe, stdout=pipe, stderr=pipe) as child:
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        child.stdin.write(said)
        child.stdin.close()
        out, err = child.stdout.read(), child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - begun
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(argv[:6])}: exit {child.returncode}: {err.decode()[-500:]}")
    cpu = used.ru_utime + used.ru_stime
    return {"wall_ms": wall * 1000, "cpu_ms": cpu * 1000}, out.decode()
