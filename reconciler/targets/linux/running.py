"""Run one program of the allow-list as a step: Run."""

from reconciler.model.operation import Run
from reconciler.programs.bounded import Bounds
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.process import find_program, run_program
from reconciler.targets.linux.session import Session

_OUTPUT = 1024 * 1024
_SHOWN = 200


def run(operation: Run, session: Session) -> None:
    """Run it.

    Raises:
        NoAnswer: Not allowed, not installed, too slow, or its exit status is not 0.
    """
    if not operation.argv:
        raise NoAnswer("error", "no program is named")
    name, *arguments = operation.argv
    path = find_program(name, session.allow.act, session.allow.directories)
    limits = Bounds(session.deadline, _OUTPUT)
    ran = run_program(path, arguments, operation.environment, limits)
    if ran.exit != 0:
        raise NoAnswer("error", failure(name, ran.exit, ran.stderr))


def failure(name: str, code: int, stderr: bytes) -> str:
    """How a program ended, with the end of what it complained about on one line."""
    ending = f"was killed by signal {-code}" if code < 0 else f"exited with {code}"
    complaint = " ".join(stderr.decode("utf-8", "replace").split())
    return f"{name} {ending}: {complaint[-_SHOWN:]}" if complaint else f"{name} {ending}"
