"""Systems and releases by name, for tests that build nothing."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from reconciler.model.system import Closure, ClosureDiff, InForce, TrustedSystem
from reconciler.trust.statements import System

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_DIGITS = "0123456789abcdfghijklmnpqrsvwxyz"


def store_path(label: str) -> str:
    """The store path that a label stands for."""
    hashed = hashlib.sha256(label.encode()).digest()
    return f"/nix/store/{''.join(_DIGITS[byte % 32] for byte in hashed)}-nixos-system-{label}"


def digest(label: str) -> str:
    """64 hex digits that a label stands for."""
    return hashlib.sha256(label.encode()).hexdigest()


def system(label: str, *, diff: ClosureDiff | None = None, **other: Any) -> System:
    """The system of a label, as a release names it."""
    path = store_path(label)
    given = {
        "drv": f"{path}.drv",
        "path": path,
        "nar_sha256": digest(f"nar of {label}"),
        "closure": Closure(12, 3456, digest(f"closure of {label}")),
        "diff": diff or ClosureDiff(None, (), 0),
    }
    return System(**(given | other))


def system_body(one: System) -> dict[str, Any]:
    """The same as JSON, as a statement holds it; an old form where it has no closure."""
    body: dict[str, Any] = {"drv": one.drv, "path": one.path, "nar_sha256": one.nar_sha256}
    if one.closure is not None and one.diff is not None:
        body |= {"closure": one.closure.to_body(), "diff": one.diff.to_body()}
    return body


def trusted(path: str, **other: Any) -> TrustedSystem:
    """A trusted system at a path."""
    given = {
        "path": path,
        "drv": f"{path}.drv",
        "nar_sha256": digest(f"nar of {path}"),
        "closure_sha256": digest(f"closure of {path}"),
        "release": "c" * 40,
        "revision": digest("revision"),
    }
    return TrustedSystem(**(given | other))


def in_force(path: str, number: int = 1, **other: Any) -> InForce:
    """What a ledger remembers of a trusted system."""
    given = {"number": number, "time": AT, "by": "ci", "key": f"SHA256:{'a' * 43}", "before": ()}
    return InForce(system=trusted(path), **(given | other))
