"""One appliance's ledger on a fast disk, and the evidence repository it is pushed to."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.evidence_server import EvidenceServer, evidence_server
from tests.support.ledger_rig import Rig, filled


@pytest.fixture
def fast() -> Iterator[Path]:
    """A directory in memory if there is one: thousands of appends each wait for the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture
def rig(fast: Path) -> Rig:
    (fast / "desk").mkdir()
    return filled(fast / "desk")


@pytest.fixture
def server(fast: Path, rig: Rig) -> EvidenceServer:
    made = evidence_server(fast, rig.signers_file.read_text())
    made.config("http.receivepack", "true")
    return made
