"""What evidence says of the system that runs: where it comes from, and what it is made of.

What cannot be found out is left out, and the reason said.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from reconciler.engine.sbom import bill_of, digest_of
from reconciler.errors import MachineError
from reconciler.model.desired import DesiredState
from reconciler.model.scrub import Own, scrub, scrub_value
from reconciler.nix.closure import diff, measure
from reconciler.nix.database import Database, open_database
from reconciler.nix.here import booted_system, profile_generation, profile_system
from reconciler.report.spdx import FORMAT

Body = dict[str, Any]
T = TypeVar("T")


def body_of(desired: DesiredState, before: str | None, running: str, own: Own) -> Body:
    """What the entry says of a system.

    Args:
        desired: In force; names what is trusted, and where the machine's files are.
        before: The system that was recorded last.
        running: The one that runs.
        own: Names that do not go into evidence.
    """
    root, trusted = desired.host.root, desired.system
    reasons: list[str] = []
    named = trusted is not None and trusted.path == running
    made = _tried(lambda: _made_of(root, before, running, own), reasons)
    return {
        "from": before,
        "to": running,
        "booted": _tried(lambda: booted_system(root), reasons),
        "profile": _tried(lambda: profile_system(root), reasons),
        "generation": _tried(lambda: profile_generation(root), reasons),
        "release": trusted.release if named and trusted is not None else None,
        "source": trusted.source if named and trusted is not None else "unknown",
        **(made or {"closure": None, "diff": None}),
        "sbom": _tried(lambda: _sbom(root, running), reasons),
        "reason": scrub("; ".join(dict.fromkeys(reasons)), own),
    }


def _tried(find: Callable[[], T], reasons: list[str]) -> T | None:
    try:
        return find()
    except MachineError as error:
        reasons.append(error.message)
        return None


def _made_of(root: str, before: str | None, running: str, own: Own) -> Body:
    with open_database(root) as database:
        closure = measure(database.closure(running)).to_body()
        return {"closure": closure, "diff": _diff(database, before, running, own)}


def _diff(database: Database, before: str | None, running: str, own: Own) -> Body | None:
    """How the closures differ; None if there was none before, or it was collected since."""
    if before is None or database.info(before) is None:
        return None
    found = diff(database.paths(before), database.paths(running), since=before).to_body()
    # A version is what a build says; the name of a unit may be that of somebody.
    changes = [{**one, "name": scrub_value(one["name"], own)} for one in found["changes"]]
    return {**found, "changes": changes}


def _sbom(root: str, running: str) -> Body:
    with open_database(root) as database:
        return {"format": FORMAT, "sha256": digest_of(bill_of(database, running, root=root))}
