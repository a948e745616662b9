from pathlib import Path

import pytest

from tests.support.drill import Drill, new_drill


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    return new_drill(tmp_path / "var")
