"""Every check of a declared system, asked inside a NixOS guest: what it says, or why it does not.

The engine's part is the least that there can be: the trusted system is the one that a test names,
and its document is read with the parser that the engine uses.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.guest import Guest

__all__ = ["Look", "look"]

_PROGRAM = """
import json, sys
from pathlib import Path
from reconciler.checks.catalogue import load
from reconciler.model.answer import Answer
from reconciler.model.expected import PLACE, parse
from reconciler.model.parameter import bind
from reconciler.observe.driver import Request, observe
from reconciler.targets.linux.target import LinuxTarget

order = json.loads(sys.stdin.read())
document = parse(Path(order["system"], PLACE).read_bytes())
known = {
    "now": {"unix_s": order["now"]},
    "system": {"path": order["system"], "before": []},
    "expectations": {"system": order["system"], "document": document},
}
target = LinuxTarget(internal=lambda topic: Answer("ok", known[topic]))
checks = [load()[name] for name in order["checks"]]
given = {
    # The rig runs every command as a transient unit of the guest.
    "LNX-EXP-001": {"allow": ("run-u*.service",)},
    "LNX-EXP-011": {"skip": ("/opt", "/share")},
}
requests = [Request(c, bind(dict(c.params), given.get(c.id, {}))[0]) for c in checks]
seen = observe(requests, target, deadline_s=20, salt=b"")
print(json.dumps({one.check: [one.sight, one.reason, dict(one.values)] for one in seen}))
"""
CHECKS = (
    *(f"LNX-EXP-{number:03}" for number in range(1, 17)),
    *(f"LNX-SYS-{number:03}" for number in range(1, 5)),
)


@dataclass(frozen=True)
class Look:
    """What one check saw.

    Attributes:
        sight: ``seen``, ``not_applicable`` or ``unobserved``.
        reason: Why, for the last two.
        values: By field.
    """

    sight: str
    reason: str
    values: Mapping[str, Any]

    @property
    def drift(self) -> Mapping[str, list[str]]:
        """The three lists of a check of expectations, without those that are empty."""
        assert self.sight == "seen", self.reason
        names = ("missing", "different", "undeclared")
        return {name: self.values[name] for name in names if self.values[name]}


def look(
    guest: Guest, system: str, *checks: str, now: int = 0, within: Sequence[str] = ()
) -> Mapping[str, Look]:
    """Ask checks, or all of them, with one system as the trusted one.

    Args:
        guest: The machine.
        system: Path of the trusted system.
        checks: Ids; all where there is none.
        now: What the wall clock says.
        within: Properties of the unit that looks, such as ``PrivateTmp=yes``.
    """
    order = json.dumps({"system": system, "checks": checks or CHECKS, "now": now})
    unit = ("systemd-run", "--quiet", "--pipe", "--wait", *(f"-p{one}" for one in within))
    before = unit if within else ()
    done = guest.run(*before, "python3", "-c", _PROGRAM, input=order, timeout=60)
    return {name: Look(*said) for name, said in json.loads(done.stdout).items()}
