"""Switch to a system: CheckSwitch, SwitchSystem, SetProfile, Reapply.

Facts (switch-to-configuration of nixpkgs 25.11 and 26.05): it takes a lock, runs the system's own
checks (1), for ``boot`` writes the boot loader's entries (1), and for ``test`` stops units, runs
the activation script (2 if that failed), reloads PID 1 and starts units (4 if any unit fails, also
one that had failed before). 100 says that only a restart leads there.

Rule 1: It runs in a unit of its own, so that the end of the reconciler does not cut it off.
Rule 2: That a system runs is seen by looking; 4 is judged by health, and every other code but 0 is
        a failure.
"""

from collections.abc import Mapping

from reconciler.errors import ReconcilerError
from reconciler.model.operation import UnitJob
from reconciler.model.system_links import PROFILE
from reconciler.model.system_operation import CheckSwitch, Reapply, SetProfile, SwitchSystem
from reconciler.nix import process
from reconciler.programs.bounded import Bounds
from reconciler.targets.linux.nixos import links, order, transient
from reconciler.targets.linux.nixos.document import listed
from reconciler.targets.linux.nixos.realise import proven, store
from reconciler.targets.linux.nixos.trusted import access_of, trusted
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.process import run_program
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.unit_actions import unit_job

SWITCH = "reconciler-switch.service"
"""Only one switch at a time, so one name."""

_OUTPUT = 1024 * 1024
_UNITS_FAILED = 4
_BUSY = 11
_MARGIN_S = 60
_MEANING: Mapping[int, str] = {
    1: "its own checks or the boot loader refused",
    2: "its activation script failed",
    _BUSY: "another switch is under way",
    100: "it can only be restarted into",
}


def check_switch(operation: CheckSwitch, session: Session) -> None:
    """Ask the system whether it can be switched to; an older one does not know the question.

    Raises:
        NoAnswer: It says no: something may only change with a restart of the machine. Or somebody
            switches at this moment.
    """
    program = command(proven(operation.system, session))
    ran = run_program(program, ("check",), (), Bounds(session.deadline, _OUTPUT))
    said = (ran.stdout + ran.stderr).decode("utf-8", "replace")
    if ran.exit == _BUSY:
        raise NoAnswer("error", _MEANING[_BUSY])
    if ran.exit != 0 and not said.startswith("Usage:"):
        line = " ".join(said.split())[-200:]
        raise NoAnswer("error", f"the system cannot be switched to, only restarted into: {line}")


def switch_system(operation: SwitchSystem, session: Session) -> None:
    """Activate the system, or make it what the machine boots.

    Raises:
        NoAnswer: It did not come about; what did is seen by looking.
    """
    access = access_of(session)
    path = proven(operation.system, session)
    # It must be over, and health judged, before the time of the way back is up.
    limit = min(operation.timeout_s, max(access.watchdog_s - access.settle_s - _MARGIN_S, 1))
    if operation.action == "boot":
        write_entries(_default(path), path, limit, session)
        return
    ended = run_switch(path, "test", limit, session)
    if ended.status not in {0, _UNITS_FAILED} or ended.result not in {"success", "exit-code"}:
        raise NoAnswer("error", _ending("test", ended))
    if links.running() != path:
        raise NoAnswer("error", "the switch ended well, and another system runs")


def write_entries(default: str, newest: str, timeout_s: int, session: Session) -> None:
    """Have the boot loader's entries written, with one system as its default; see that it is.

    Raises:
        NoAnswer: They could not be written, or another system is the default.
    """
    keep_entry(default, newest, session)
    ended = run_switch(default, "boot", timeout_s, session)
    if ended.status != 0 or ended.result != "success":
        raise NoAnswer("error", _ending("boot", ended))
    boots = links.boot_default()
    if boots not in {None, default}:
        raise NoAnswer(
            "error", f"the entries were written, and the boot loader still boots {boots}"
        )
    if order.read() is None:
        # Where there is one, what was the default before may be needed until it is confirmed.
        links.keep("default", default)


def _default(path: str) -> str:
    """What is to be booted: the system, or what was before while its kernel was never booted."""
    begun = order.read()
    return links.lasting(path, *(links.kept("default") if begun is None else (begun.default,)))


def keep_entry(default: str, newest: str, session: Session) -> None:
    """Have the profile hold what is to be booted: a boot loader knows generations alone.

    Somebody may have deleted old generations while another kernel waited for its restart.
    """
    if not links.has_generation(default):
        profile("--set", default, session=session)
        profile("--set", newest, session=session)


def run_switch(system: str, action: str, timeout_s: int, session: Session) -> transient.Ended:
    """Run one system's switch in a unit of its own, and wait for its end.

    Raises:
        NoAnswer: It could not be started, or did not end in time.
    """
    clear_way(session)
    line = (command(system), action)
    properties = transient.service(f"Reconciler: switch, {action}", (line,), timeout_s)
    transient.start(SWITCH, properties, session)
    ended = transient.wait(SWITCH, session)
    if not ended.active:
        raise NoAnswer("error", f"{SWITCH} is gone, and with it how it ended")
    transient.remove(SWITCH, session)
    return ended


def clear_way(session: Session) -> None:
    """Let a switch that an earlier process started end, and forget it.

    Raises:
        NoAnswer: It did not end in time.
    """
    if transient.wait(SWITCH, session).active:
        transient.remove(SWITCH, session)


def command(system: str) -> str:
    """The program by which a system is switched to."""
    return f"{system}/bin/switch-to-configuration"


def set_profile(operation: SetProfile, session: Session) -> None:
    """Make the system the newest generation.

    Raises:
        NoAnswer: Nix refused, or the profile leads elsewhere afterwards.
    """
    path = proven(operation.system, session)
    was = links.system_of(links.generation())
    if order.read() is None and was is not None and was != path:
        # Without an order this is all that a way back may lead to.
        links.keep("profile", was)
    profile("--set", path, session=session)
    if links.system_of(links.generation()) != path:
        raise NoAnswer("error", f"{PROFILE} does not lead to the system that was set")


def profile(*arguments: str, session: Session) -> None:
    """Change the profile.

    Raises:
        NoAnswer: Nix refused.
    """
    limit = session.remaining()
    try:
        process.run("nix-env", "-p", PROFILE, *arguments, timeout_s=limit, state=store())
    except ReconcilerError as error:
        raise NoAnswer("error", error.message) from error


def reapply(operation: Reapply, session: Session) -> None:
    """Restart units that the trusted system's expectations list for that, one after the other.

    Raises:
        NoAnswer: One is not listed, or its restart failed.
    """
    access_of(session)
    path = trusted(operation.system, session).path
    strange = sorted(set(operation.units) - listed(path, "reapply"))
    if strange:
        raise NoAnswer("denied", f"not declared to be restarted: {', '.join(strange)[:200]}")
    for unit in operation.units:
        unit_job(UnitJob("restart", unit), session)


def _ending(action: str, ended: transient.Ended) -> str:
    meaning = _MEANING.get(ended.status, "see its journal")
    how = f"ended with {ended.status}" if ended.result == "exit-code" else ended.result
    return f"switch-to-configuration {action} {how}: {meaning} (journalctl -u {SWITCH})"
