"""What every test has in common."""

import os

import pytest
from hypothesis import settings

# In the gate the same examples are tried each time: a red gate must be about the change.
settings.register_profile("gate", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("gate")

_LONGEST_FIRST = ("tests/machine/", "tests/crash/")
"""Folders whose files take a minute or more each: begun last, one worker would end alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; the order within a file stays."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST_FIRST))
