"""A file for ``approvals/``, ready to be read, committed and signed by the person it names.

It is read back with the parser that an appliance has before anybody sees it.
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from reconciler.desired import strict_yaml
from reconciler.desired.gate.reading import Reading
from reconciler.desired.validation import validate
from reconciler.errors import InputError
from reconciler.model.approval import Approval
from reconciler.report.approval_file import approval_path, approval_text

TERM = timedelta(days=30)


def approval_file(
    reading: Reading,
    hosts: Collection[str],
    *,
    plan: str,
    approver: str,
    reason: str,
    today: date,
) -> tuple[str, str]:
    """Path and text of an approval of what asks for a person on some hosts of one client.

    Args:
        reading: The revision that is approved.
        hosts: Targets; those where no reachable runbook asks for a person are left out.
        plan: Digest of the whole revision; a part of it names the file.
        approver: Principal of the person.
        reason: Why, in their words.
        today: The first day; it ends after `TERM`.

    Raises:
        InputError: Nothing there asks for an approval, or hosts of several clients do.
    """
    asking = {target: pins for target in hosts if (pins := _asking(reading, target))}
    clients = sorted({target.partition("/")[0] for target in asking})
    if not asking:
        raise InputError(
            "nothing here asks for an approval",
            hint="Only runbooks of mode approve do, where a rule under enforce leads to them.",
        )
    if len(clients) > 1:
        raise InputError(
            f"hosts of {len(clients)} clients ask for an approval: {', '.join(clients[:10])}",
            hint="An approval is of one client; name its hosts: --host CLIENT/HOST.",
        )
    name = f"plan-{plan[:12]}"
    text = approval_text(
        name=name,
        approver=approver,
        hosts=_hosts(reading, asking),
        runbooks=_merged(asking),
        reason=reason,
        issued_on=today,
        expires=today + TERM,
    )
    path = approval_path(clients[0], name)
    validate(strict_yaml.load(text.encode(), path), Approval)
    return path, text


def _asking(reading: Reading, target: str) -> dict[str, str]:
    """Runbooks that ask for a person on a host, with the digests of their files."""
    plan = reading.plans.get(target, {"runbooks": []})
    return {r["id"]: r["digest"] for r in plan["runbooks"] if r["mode"] == "approve"}


def _hosts(reading: Reading, asking: Collection[str]) -> dict[str, str]:
    return {target.partition("/")[2]: reading.states[target].plan_digest for target in asking}


def _merged(asking: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {name: digest for pins in asking.values() for name, digest in pins.items()}
