"""A file for ``approvals/``: the one form in which the gate, a command and a ticket propose it.

It is text to be read, committed and signed by the person it names; until then it allows nothing.
Whoever shows it reads it back with the parser that an appliance has.
"""

import json
from collections.abc import Mapping
from datetime import date

_PREFIX = "sha256:"


def approval_path(client: str, name: str) -> str:
    """Where the approval of a client belongs."""
    return f"approvals/{client}/{name}.yaml"


def approval_text(
    *,
    name: str,
    approver: str,
    hosts: Mapping[str, str],
    runbooks: Mapping[str, str],
    reason: str,
    issued_on: date,
    expires: date,
    emergency: bool = False,
    onboarding: bool = False,
) -> str:
    """The file.

    Args:
        name: Its id, which its file is called by.
        approver: Principal of the person.
        hosts: Host ids, each with the hex digest of its plan.
        runbooks: Runbooks, each with the hex digest of its file.
        reason: Why, in their words.
        issued_on: The first day.
        expires: The last day.
        emergency: Outside windows and on frozen days, too.
        onboarding: All that the plan asks for, for one token of the host.
    """
    flags = {"emergency": emergency, "onboarding": onboarding}
    lines = [
        f"id: {name}",
        f"approver: {quoted(approver)}",
        "hosts:",
        *(f"  {host}: {_pin(digest)}" for host, digest in sorted(hosts.items())),
        "runbooks:",
        *(f"  {runbook}: {_pin(digest)}" for runbook, digest in sorted(runbooks.items())),
        *(f"{flag}: true" for flag, wanted in flags.items() if wanted),
        f"reason: {quoted(reason)}",
        f"issued_on: {issued_on}",
        f"expires: {expires}",
    ]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A text as one YAML scalar, whatever is in it: JSON in plain printable ASCII."""
    said = json.dumps(text, ensure_ascii=False)
    return "".join(char if " " <= char <= "~" else _escape(ord(char)) for char in said)


def _escape(code: int) -> str:
    # YAML has no surrogate pairs: what is beyond 16 bits has an escape of its own.
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _pin(digest: str) -> str:
    return f"{_PREFIX}{digest.removeprefix(_PREFIX)}"
