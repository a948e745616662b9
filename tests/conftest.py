"""What every test has in common."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# In the gate the same examples are tried each time: a red gate must be about the change.
settings.register_profile("gate", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("gate")

_MEMORY = Path("/dev/shm")
_ENOUGH = 8 * 2**30
"""Bytes that must be free there; the whole suite leaves less than half of it behind."""

_REFUSES = os.ST_RDONLY | os.ST_NOEXEC | os.ST_NOSUID | os.ST_NODEV
"""Options of a mount under which programs and devices of tests would not work."""

_LONGEST_FIRST = ("tests/machine/", "tests/crash/")
"""Folders whose files take a minute or more each: begun last, one worker would end alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; the order within a file stays."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST_FIRST))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let temporary directories lie in memory: thousands of repositories are synced to the disk."""
    if config.option.basetemp is None and _roomy():
        config.option.basetemp = tempfile.mkdtemp(prefix="rec-", dir=_MEMORY)
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))


def _roomy() -> bool:
    try:
        there = os.statvfs(_MEMORY)
        memory = Path("/proc/meminfo").read_text()
    except OSError:
        return False
    available = int(memory.partition("MemAvailable:")[2].split()[0]) * 1024
    room = min(there.f_bavail * there.f_frsize, available)
    return room >= _ENOUGH and not there.f_flag & _REFUSES
