"""Evidence of the system that runs: an entry whenever it is another one than was recorded last.

Rule 1: What runs is what the link of NixOS says, not what was meant to run or was activated.
Rule 2: That it changed is said at once. What it is made of is left out, with the reason, where the
        Nix database does not say.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from reconciler.engine.look import Eye
from reconciler.engine.sbom import bill_of, digest_of
from reconciler.engine.session import Session
from reconciler.errors import MachineError
from reconciler.evidence.entry import Kind
from reconciler.model.desired import DesiredState
from reconciler.model.run import UpkeepProblem
from reconciler.model.scrub import Own, scrub, scrub_value
from reconciler.nix.closure import diff, measure
from reconciler.nix.database import Database, open_database
from reconciler.nix.here import booted_system, profile_generation, profile_system, running_system
from reconciler.report.spdx import FORMAT

PART = "system"
_KIND = "nixos"
_LATER = "The entry says so; the next change of the system is recorded with all that is known."

Body = dict[str, Any]
T = TypeVar("T")


def record_system(session: Session, eye: Eye) -> tuple[UpkeepProblem, ...]:
    """Write the entry if it is due; to be called when the run is recorded.

    Args:
        session: The run.
        eye: How it looked, and under which desired state.

    Returns:
        What could not be found out; what runs is recorded all the same if that is known.

    Raises:
        EvidenceError: It cannot be signed now.
        MachineError: It cannot be written.
    """
    desired = eye.desired
    before = session.appliance.past.memory.systems.recorded
    if desired.host.kind != _KIND:
        return ()
    try:
        running = running_system(desired.host.root)
    except MachineError as error:
        return (UpkeepProblem(PART, error.message, error.hint),)
    if running is None or running == before:
        return ()
    body = _body(desired, before, running, session.own)
    session.append(Kind.SYSTEM, {"run": session.run, **body})
    session.options.hook("system-recorded")
    return (UpkeepProblem(PART, body["reason"], _LATER),) if body["reason"] else ()


def _body(desired: DesiredState, before: str | None, running: str, own: Own) -> Body:
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
