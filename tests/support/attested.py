"""One statement of each kind, and attestations branches made by stock git."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler.model.system import Closure, ClosureDiff, VersionChange
from reconciler.trust.statements import Approval, Heartbeat, Recovery, Release, Statement, System
from tests.support.commands import host
from tests.support.fleet_git import git_env

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
COMMIT, OTHER, TREE = "1" * 40, "2" * 40, "3" * 40
DIGEST = "4" * 64
STORE = f"/nix/store/{'a' * 32}-nixos"

APPROVAL = Approval("main", OTHER, TREE, DIGEST, "alice@msp.example", AT, None)
HEARTBEAT = Heartbeat("main", COMMIT, DIGEST, 7, AT)
SYSTEMS = {"elm-street/desk-1": System(f"{STORE}.drv", STORE, "5" * 64)}
RELEASE = Release("main", COMMIT, DIGEST, TREE, "6" * 64, AT, SYSTEMS)
DIFF = ClosureDiff(
    f"/nix/store/{'b' * 32}-nixos",
    (
        VersionChange("glibc", ("2.42",), ("2.42", "2.43")),
        VersionChange("old-tool", ("1.0",), ()),
        VersionChange("source", ("",), ("",)),
    ),
    2,
)
NEWER = replace(
    RELEASE,
    systems={
        "elm-street/desk-1": replace(
            SYSTEMS["elm-street/desk-1"], closure=Closure(1512, 4_000_000_000, "7" * 64), diff=DIFF
        ),
        "elm-street/desk-2": SYSTEMS["elm-street/desk-1"],
    },
)
RECOVERY = Recovery("main", (COMMIT, TREE), OTHER, DIGEST, TREE, AT, "key-compromise")
STATEMENTS: tuple[Statement, ...] = (APPROVAL, HEARTBEAT, RELEASE, NEWER, RECOVERY)


def named(folder: str, data: bytes, suffix: str = ".dsse.json") -> str:
    """The path of a file that is named by its content."""
    return f"{folder}/{hashlib.sha256(data).hexdigest()}{suffix}"


def branch_of(root: Path, files: Mapping[str, bytes]) -> str:
    """A commit that holds some files, in a bare repository at ``root``; its id."""
    if not root.exists():
        _git(root.parent, "init", "-q", "--bare", str(root))
    for path, content in files.items():
        blob = _git(root, "hash-object", "-w", "--stdin", input=content)
        _git(root, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
    tree = _git(root, "write-tree")
    return _git(root, "commit-tree", "-m", "attest", tree)


def _git(root: Path, *arguments: str, input: bytes = b"") -> str:
    env = git_env(root)
    return host("git", "-C", str(root), *arguments, input=input, env=env).strip()
