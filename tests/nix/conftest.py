"""A real Nix, as fixtures: the program, and a store that one test has to itself."""

from pathlib import Path

import pytest

from tests.support.nix_runtime import NixStore, open_nix

_HERE = Path(__file__).parent
_DEADLINE_S = 600
"""The first test of a session may have to fetch Nix."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.nix)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(_DEADLINE_S))


@pytest.fixture(scope="session")
def nix() -> Path:
    """The directory whose ``usr/bin/nix`` is a modern Nix."""
    return open_nix()


@pytest.fixture
def nix_store(nix: Path, tmp_path: Path) -> NixStore:
    """An empty store for one test."""
    return NixStore(nix, tmp_path / "nix")
