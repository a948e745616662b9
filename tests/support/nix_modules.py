"""Evaluates the project's Nix modules for the tests, with its own small library or a real one."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.nix_runtime import NixStore

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "tests/nix/modules"
CASES = MODULES / "cases.nix"
DECLARED = MODULES / "declared.nix"

_DEADLINE_S = 240


def evaluate(store: NixStore, expression: str) -> Any:
    """The value of an expression; a whole configuration takes a while on a busy machine.

    Raises:
        CommandFailed: It has none.
    """
    flags = ("--impure", "--json", "--expr", expression)
    return json.loads(store.run("nix", "eval", *flags, timeout=_DEADLINE_S))


def real_library() -> Path:
    """A checkout of nixpkgs (or of nixpkgs.lib) that ``RECONCILER_NIXPKGS_LIB`` names.

    The code of nixpkgs is no part of the project, so where there is none the test is skipped; the
    same modules are evaluated with the project's own library in any case.
    """
    place = os.environ.get("RECONCILER_NIXPKGS_LIB", "")
    if not place:
        pytest.skip("RECONCILER_NIXPKGS_LIB names no checkout of nixpkgs.lib")
    return Path(place)
