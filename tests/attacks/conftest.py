"""What attacks on the long ledger share: it is made once."""

from pathlib import Path

import pytest

from tests.support.attack_ledger import AttackLedger, make
from tests.support.attacking import Scene, scene_of
from tests.support.rigs import rig
from tests.support.tsa import missing


@pytest.fixture(scope="session")
def long_ledger(tmp_path_factory: pytest.TempPathFactory) -> AttackLedger:
    rig("time stamping authority", missing())
    return make(tmp_path_factory.mktemp("long"))


@pytest.fixture
def scene(long_ledger: AttackLedger, tmp_path: Path) -> Scene:
    return scene_of(long_ledger, tmp_path)
