"""Processes that look: Command. The same command is started once a round."""

import time

from reconciler.model.answer import Answer
from reconciler.model.probe import Command
from reconciler.programs.bounded import Bounds
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.process import find_program, run_program
from reconciler.targets.linux.session import Session


def command(probe: Command, session: Session) -> Answer:
    """Exit status and output of a program."""
    key = (probe.argv, probe.environment)
    if key not in session.commands:
        try:
            session.commands[key] = _run(probe, session)
        except NoAnswer as unknown:
            session.commands[key] = unknown.answer()
    return session.commands[key]


def _run(probe: Command, session: Session) -> Answer:
    if not probe.argv:
        raise NoAnswer("error", "no program is named")
    path = find_program(probe.argv[0], session.allow.look, session.allow.directories)
    deadline = min(session.deadline, time.monotonic() + probe.timeout_s)
    limits = Bounds(deadline, probe.limit)
    ran = run_program(path, probe.argv[1:], probe.environment, limits)
    return Answer(
        "ok", {"exit": ran.exit, "stdout": _text(ran.stdout), "stderr": _text(ran.stderr)}
    )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
