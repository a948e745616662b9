"""One ``reconciler verify`` as an auditor starts it: what it proved, what it cost, its memory."""

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.long_ledger import Place
from benchmarks.rounds import Sample
from benchmarks.scratch import program
from tests.support.commands import MINIMAL_ENV

_PEAK = re.compile(r"VmHWM:\s+([0-9]+) kB")
_ANONYMOUS = re.compile(r"RssAnon:\s+([0-9]+) kB")
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit that found nothing wrong.

    Attributes:
        cost: CPU of all its processes and wall time, from exec to exit.
        entries: How many entries are proven.
        runs: How many runs they stand for.
        checkpoints: How many of them sign the root of the log.
        continued: Whether it went on from an earlier audit.
        own_mib: Peak of its resident memory, mapped files of the repository included.
        heap_mib: Peak of what of it is no file, as far as it was looked at.
        worker_mib: Peak of the largest process that it started; 0 if it started none.
    """

    cost: Sample
    entries: int
    runs: int
    checkpoints: int
    continued: bool
    own_mib: float
    heap_mib: float
    worker_mib: float


def audit(place: Place, jobs: int, cache: Path | None = None) -> Audited:
    """Audit a ledger in a new process.

    Args:
        place: The ledger.
        jobs: How many processes may work.
        cache: File of what was proven earlier, if any.

    Raises:
        RuntimeError: It does not verify.
    """
    argv = [str(program()), "verify", str(place.repository), "--json"]
    argv += ["--signers", str(place.signers), "--jobs", str(jobs)]
    argv += [] if cache is None else ["--cache", str(cache)]
    quiet = subprocess.DEVNULL
    begun = time.monotonic()
    with subprocess.Popen(argv, env=MINIMAL_ENV, stdout=subprocess.PIPE, stderr=quiet) as child:
        assert child.stdout is not None
        memory = _Memory(child.pid)
        said = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - begun
    memory.end()
    if child.returncode != 0:
        raise RuntimeError(f"{place.repository} does not verify: {said.decode()[:500]}")
    found = json.loads(said)
    (branch,) = found["branches"]
    return Audited(
        cost={"wall_ms": wall * 1000, "cpu_ms": (used.ru_utime + used.ru_stime) * 1000},
        entries=branch["entries"],
        runs=branch["runs"],
        checkpoints=branch["counts"].get("checkpoint", 0),
        continued=any(claim["subject"] == "earlier-audit" for claim in found["claims"]),
        own_mib=memory.own_mib,
        heap_mib=memory.heap_mib,
        worker_mib=memory.worker_mib,
    )


class _Memory:
    """Watches the peak of the resident memory of a process and of those that it starts.

    Not by ``ru_maxrss``: that of a child begins with what its parent had when it was started.
    """

    def __init__(self, pid: int) -> None:
        self._own = f"/proc/{pid}"
        self._peaks: dict[str, float] = {}
        self.heap_mib = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()
        self._thread.join()

    @property
    def own_mib(self) -> float:
        """Peak of the process itself."""
        return self._peaks.get(self._own, 0.0)

    @property
    def worker_mib(self) -> float:
        """Peak of the largest process that it started."""
        others = (peak for process, peak in self._peaks.items() if process != self._own)
        return max(others, default=0.0)

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_S):
            try:
                status = self._look(self._own)
                self.heap_mib = max(self.heap_mib, _mib(_ANONYMOUS, status))
                for child in self._children():
                    self._look(child)
            except (FileNotFoundError, ProcessLookupError):
                continue

    def _look(self, process: str) -> str:
        status = Path(process, "status").read_text()
        # A process that is ending has no memory any more.
        self._peaks[process] = max(self._peaks.get(process, 0.0), _mib(_PEAK, status))
        return status

    def _children(self) -> Iterator[str]:
        for task in Path(self._own, "task").iterdir():
            yield from (f"/proc/{pid}" for pid in (task / "children").read_text().split())


def _mib(pattern: re.Pattern[str], status: str) -> float:
    found = pattern.search(status)
    return 0.0 if found is None else int(found[1]) / 1024
