"""Evidence of the system that runs: an entry whenever it is another one than was recorded last.

Rule 1: What runs is what the link of NixOS says, not what was meant to run or was activated.
Rule 2: That it changed is said at once. What it is made of is left out, with the reason, where the
        Nix database does not say.
"""

from reconciler.engine.look import Eye
from reconciler.engine.session import Session
from reconciler.engine.trusted.system import KIND
from reconciler.errors import MachineError
from reconciler.evidence.entry import Kind
from reconciler.model.run import UpkeepProblem

PART = "system"
_LATER = "The entry says so; the next change of the system is recorded with all that is known."


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
    if desired.host.kind != KIND:
        return ()
    # Only a NixOS host needs to know anything of Nix.
    from reconciler.engine.system_body import body_of  # noqa: PLC0415 - lazy: see above
    from reconciler.nix.here import running_system  # noqa: PLC0415 - as above

    try:
        running = running_system(desired.host.root)
    except MachineError as error:
        return (UpkeepProblem(PART, error.message, error.hint),)
    if running is None or running == before:
        return ()
    body = body_of(desired, before, running, session.own)
    session.append(Kind.SYSTEM, {"run": session.run, **body})
    session.options.hook("system-recorded")
    return (UpkeepProblem(PART, body["reason"], _LATER),) if body["reason"] else ()
