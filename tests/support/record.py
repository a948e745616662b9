"""Records what this machine answers to one check, as a vector for the tests.

``python -m tests.support.record LNX-SSH-001 good-here name=value …`` writes ``raw.json`` and, from
what the check makes of it, ``expected.json``. Read both before they are kept: recorded files hold
whatever the machine holds, so record on a machine without people, and judge the expectation
yourself.
"""

import json
import sys
from typing import Any

from reconciler.checks.catalogue import load
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer, Answers
from reconciler.model.check import Check, NotApplicable
from reconciler.model.values import Params, Value
from reconciler.ports import Target
from reconciler.targets.linux.allow import AllowList
from reconciler.targets.linux.target import LinuxTarget
from tests.support.vectors import ROOT, bound_params, dump_vector


def record(check: Check, case: str, source: str, params: Params, target: Target) -> dict[str, Any]:
    """Ask, write both files, and return what was written as the expectation."""
    bound = bound_params(check, params)
    answers = target.ask(check.probes(bound), deadline_s=20)
    folder = ROOT / check.id / case
    dump_vector(folder, source, params, answers)
    expected = outcome(check, bound, Answers(answers))
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")
    return expected


def outcome(check: Check, params: Params, answers: Answers) -> dict[str, Any]:
    """What the check makes of answers, in the words of ``expected.json``."""
    try:
        seen = check.parse(params, answers)
    except Unobservable as unknown:
        return {"unobservable": str(unknown)}
    return {"not_applicable": seen.reason} if isinstance(seen, NotApplicable) else {"values": seen}


def parameter(text: str) -> tuple[str, Value]:
    name, _, value = text.partition("=")
    return name, int(value) if value.isdecimal() else value


def no_engine(topic: str) -> Answer:
    return Answer("unsupported", reason=f"recorded without an engine: {topic}")


def main(check_id: str, case: str, *params: str) -> None:
    target = LinuxTarget(root="/", allow=AllowList(), internal=no_engine)
    expected = record(load()[check_id], case, "recorded", dict(map(parameter, params)), target)
    print(json.dumps(expected, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
