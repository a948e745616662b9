"""``reconciler approve``."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import config_option, emit, json_option
from reconciler.cli.evidence_source import (
    evidence_option,
    evidence_signers_option,
    fleet_option,
    source_of,
)

if TYPE_CHECKING:
    from reconciler.desired.gate.approving import Proposed, Wish
    from reconciler.model.incident import Incident

_RUNBOOK = re.compile(r"RB-[A-Z0-9-]+")


@click.command()
@click.argument("what", nargs=-1, metavar="[RUNBOOK|INCIDENT]...")
@click.option("--as", "approver", required=True, metavar="PRINCIPAL", help="Who says yes.")
@click.option("--host", "hosts", multiple=True, metavar="CLIENT/HOST", help="Only on these hosts.")
@click.option(
    "--days",
    type=click.IntRange(0, 90),
    help="Last day, so many days from today. Default: 7; for an emergency 2, which is the most.",
)
@click.option("--emergency", is_flag=True, help="Outside windows and on freeze days, too.")
@click.option(
    "--onboarding",
    is_flag=True,
    help="All that a new host needs may begin at once; without a RUNBOOK, everything on --host.",
)
@click.option("--reason", metavar="TEXT", help="Why. Default: what the runbooks are called.")
@click.option("--id", "name", metavar="NAME", help="What the approval is called.")
@fleet_option
@evidence_option
@evidence_signers_option
@config_option
@json_option
def command(
    what: tuple[str, ...],
    approver: str,
    hosts: tuple[str, ...],
    days: int | None,
    emergency: bool,
    onboarding: bool,
    reason: str | None,
    name: str | None,
    fleet: Path,
    evidence: Path | None,
    signers: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Write approvals/CLIENT/ID.yaml for a person to read, commit and sign.

    \b
    reconciler approve RB-LOGIN-001 --host elm-street/desk --as alice@msp.example
    reconciler approve 3f9a1c2b7d40-1 --as alice@msp.example
    reconciler approve RB-SSH-001 --emergency --as alice@msp.example
    reconciler approve --onboarding --host elm-street/desk --as alice@msp.example

    It binds the plan of each host and the runbooks as they are now. What could not bind is refused.
    """
    from reconciler.desired.gate.approving import Wish
    from reconciler.engine.clock import SystemClock

    if not what and not onboarding:
        raise click.UsageError("says nothing to approve: name a RUNBOOK or an INCIDENT")
    runbooks = tuple(one for one in what if _RUNBOOK.fullmatch(one))
    others = [one for one in what if one not in runbooks]
    if len(others) > 1 or (others and runbooks):
        raise click.UsageError("takes runbooks, or one incident")
    wish = Wish(
        runbooks=runbooks,
        hosts=hosts,
        approver=approver,
        today=SystemClock().now().date(),
        reason=reason,
        name=name,
        days=days,
        emergency=emergency,
        onboarding=onboarding,
    )
    if others:
        wish = _about(wish, _incident(others[0], config, evidence, signers))
    proposed = _propose(fleet, wish)
    _write(fleet / proposed.path, proposed.text)
    if as_json:
        emit(_document(proposed))
    else:
        click.echo("\n".join(_words(proposed)))


def _incident(
    text: str, config: Path | None, evidence: Path | None, signers: Path | None
) -> "Incident":
    from reconciler.engine.inquiry.forecast import gather
    from reconciler.engine.inquiry.named_incident import named_incident

    source = source_of(config, evidence, signers)
    known = gather(source.repository, source.branches())
    return named_incident(
        (one for each in known.values() for one in each.past.register.open.values()), text
    )


def _about(wish: "Wish", incident: "Incident") -> "Wish":
    """The wish about what was chosen for an incident, on its host."""
    from dataclasses import replace

    from reconciler.errors import InputError

    if incident.runbook is None:
        message = f"nothing was chosen for incident {incident.id} ({incident.reason})"
        raise InputError(message, hint="It is people's work; there is nothing to approve.")
    about = f"incident {incident.id}: {incident.rule} on {incident.target}"
    return replace(
        wish,
        runbooks=(incident.runbook,),
        hosts=(incident.target,),
        reason=wish.reason or about,
        about=f"incident-{incident.fingerprint[:12]}",
    )


def _propose(fleet: Path, wish: "Wish") -> "Proposed":
    from reconciler.checks import catalogue as checks
    from reconciler.desired.gate.approving import propose_approval
    from reconciler.desired.gate.reading import read_work_tree
    from reconciler.desired.gate.review import Catalogues
    from reconciler.steps import catalogue as steps

    catalogues = Catalogues(checks.load(), steps.load())
    reading = read_work_tree(fleet, catalogues.checks, catalogues.steps)
    return propose_approval(reading, wish, catalogues)


def _write(file: Path, text: str) -> None:
    from reconciler.errors import MachineError, Where

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        message = f"cannot write the approval: {error.strerror}"
        hint = "Choose another --id, or a work tree that you may write to."
        raise MachineError(message, hint=hint, where=Where(str(file))) from error


def _words(proposed: "Proposed") -> list[str]:
    approval = proposed.approval
    kinds = [kind for kind in ("emergency", "onboarding") if getattr(approval, kind)]
    lines = [
        f"wrote {proposed.path}" + (f" ({', '.join(kinds)})" if kinds else ""),
        "",
        *(f"  {line}" for line in proposed.text.splitlines()),
        "",
        f"It counts through {approval.expires} (UTC), for {', '.join(sorted(approval.hosts))} as",
        "planned now. Any change of the plan or of a runbook takes its force.",
        "",
        f"Read it; then {approval.approver} commits it, and nothing else, signed:",
        *(f"  {command}" for command in _commands(proposed)),
    ]
    return [*lines, *_others(proposed)]


def _commands(proposed: "Proposed") -> list[str]:
    approval = proposed.approval
    names = list(approval.runbooks)
    what = ", ".join(names[:3]) + (" and more" if names[3:] else "")
    return [
        f"git add {proposed.path}",
        f'git commit -S -m "Approve {what}" -- {proposed.path}',
        "git push",
    ]


def _others(proposed: "Proposed") -> list[str]:
    rule = proposed.rule
    if rule is None or rule.approvals == 0:
        return []
    count = "1 other person has" if rule.approvals == 1 else f"{rule.approvals} other people have"
    return [
        "",
        f"Rule {rule.id} owns it, so {count} to agree (role {' or '.join(rule.approving)}):",
        "they sign the merge, or: reconciler attest approve HEAD --base main --key KEY",
    ]


def _document(proposed: "Proposed") -> dict[str, object]:
    return {
        "path": proposed.path,
        "approval": proposed.approval.model_dump(mode="json"),
        "others": proposed.rule.approvals if proposed.rule else 0,
        "commands": _commands(proposed),
    }
