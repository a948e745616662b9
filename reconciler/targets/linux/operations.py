"""Who carries out which operation, and within which time.

An operation runs in a thread of its own, so that a hung file system cannot hang the executor. What
was given up may still happen later; the result says so, and the second look decides.
"""

import importlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from reconciler.model import system_operation as on_system
from reconciler.model.answer import Answer
from reconciler.model.operation import (
    DaemonReload,
    Operation,
    OperationResult,
    RestoreSample,
    Run,
    SetAccess,
    UnitFile,
    UnitJob,
    UnitProperty,
    WaitUntil,
    WriteFile,
    WriteSysctl,
    seconds_for,
)
from reconciler.model.probe import Probe
from reconciler.targets.linux.no_answer import NoAnswer, from_os_error
from reconciler.targets.linux.session import Session

Ask = Callable[[Sequence[Probe], float], Mapping[Probe, Answer]]
Worker = Callable[[Operation, Session], None]

_HERE = "reconciler.targets.linux"
_WORKERS: dict[type[Operation], str] = {
    UnitJob: "unit_actions:unit_job",
    UnitFile: "unit_actions:unit_file",
    UnitProperty: "unit_actions:unit_property",
    DaemonReload: "unit_actions:daemon_reload",
    WriteFile: "writing:write_file",
    SetAccess: "writing:set_access",
    WriteSysctl: "writing:write_sysctl",
    Run: "running:run",
    RestoreSample: "restore:restore_sample",
    on_system.Realise: "nixos.realise:realise",
    on_system.RepairPath: "nixos.realise:repair_path",
    on_system.CheckSwitch: "nixos.switching:check_switch",
    on_system.SwitchSystem: "nixos.switching:switch_system",
    on_system.SetProfile: "nixos.switching:set_profile",
    on_system.Reapply: "nixos.switching:reapply",
    on_system.ArmReturn: "nixos.way_back:arm_return",
    on_system.DisarmReturn: "nixos.way_back:disarm_return",
    on_system.ReturnNow: "nixos.way_back:return_now",
    on_system.FinishActivation: "nixos.way_back:finish_activation",
    on_system.AwaitHealth: "nixos.health:await_health",
    on_system.StageBoot: "nixos.rebooting:stage_boot",
    on_system.RebootInto: "nixos.rebooting:reboot_into",
    on_system.ConfirmBoot: "nixos.rebooting:confirm_boot",
}
_GRACE_S = 5.0


def carry_out(operation: Operation, session: Session, ask: Ask) -> OperationResult:
    """Carry out one operation; never raises for what a machine says.

    Args:
        operation: What to do.
        session: Not shared with anybody.
        ask: The target's own `ask`, for waiting.
    """
    allowed = seconds_for(operation)
    started = time.monotonic()
    session.deadline = started + allowed
    reasons: list[str] = []
    thread = threading.Thread(
        target=_attempt, args=(_job(operation, session, ask), session, reasons), daemon=True
    )
    thread.start()
    thread.join(allowed + _GRACE_S)
    milliseconds = int((time.monotonic() - started) * 1000)
    if not reasons:
        return OperationResult(
            ok=False, reason="did not end in time; it may still happen", ms=milliseconds
        )
    return OperationResult(ok=not reasons[0], reason=reasons[0], ms=milliseconds)


def _attempt(job: Callable[[], None], session: Session, reasons: list[str]) -> None:
    """Do it and leave one reason: empty when it was done."""
    try:
        job()
        reasons.append("")
    except NoAnswer as refused:
        reasons.append(refused.reason)
    except OSError as error:
        reasons.append(from_os_error(error).reason)
    # Whatever else goes wrong is a failed step with its name, not the end of the run.
    except Exception as error:  # noqa: BLE001
        reasons.append(f"unexpected {type(error).__name__}: {error!s:.200}")
    finally:
        session.close()


def _job(operation: Operation, session: Session, ask: Ask) -> Callable[[], None]:
    if isinstance(operation, WaitUntil):
        return partial(_wait_until, operation, session, ask)
    return partial(_work, operation, session)


def _work(operation: Operation, session: Session) -> None:
    module, _, function = _WORKERS[type(operation)].partition(":")
    worker: Worker = getattr(importlib.import_module(f"{_HERE}.{module}"), function)
    worker(operation, session)


def _wait_until(operation: WaitUntil, session: Session, ask: Ask) -> None:
    pause, seen = 0.05, "nothing yet"
    while True:
        left = session.deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer("timeout", f"waited {operation.timeout_s} s; last seen: {seen}")
        answer = ask((operation.probe,), left)[operation.probe]
        value = pick(answer.data, operation.field) if answer.status == "ok" else None
        # 1 is not true: types must agree as well.
        if any(type(value) is type(wanted) and value == wanted for wanted in operation.values):
            return
        seen = str(value)[:80] if answer.status == "ok" else answer.reason
        time.sleep(max(0.0, min(pause, session.deadline - time.monotonic())))
        pause = min(pause * 1.5, 1.0)


def pick(data: object, path: str) -> object:
    """The value at a dotted path; ``None`` when there is none.

    Keys may hold dots themselves (``ssh.service.active_state``): the longest key that fits wins.
    """
    if not path:
        return data
    if isinstance(data, Mapping):
        parts = path.split(".")
        for end in range(len(parts), 0, -1):
            key = ".".join(parts[:end])
            if key in data:
                return pick(data[key], ".".join(parts[end:]))
    if isinstance(data, list):
        first, _, rest = path.partition(".")
        if first.isdecimal() and int(first) < len(data):
            return pick(data[int(first)], rest)
    return None
