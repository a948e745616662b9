"""``reconciler acknowledge``."""

import re
from datetime import timedelta
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
    from reconciler.desired.gate.reading import Reading
    from reconciler.model.acknowledgement import Acknowledgement

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@click.command()
@click.argument("incident", metavar="FINGERPRINT|INCIDENT")
@click.option("--as", "by", required=True, metavar="PRINCIPAL", help="Who takes it over.")
@click.option(
    "--days",
    type=click.IntRange(0, 30),
    default=1,
    show_default=True,
    help="Nobody else is called before so many days from today are over.",
)
@click.option("--client", metavar="CLIENT", help="Whose incident it is, where the fleet has more.")
@click.option("--note", metavar="TEXT", help="What others should know.")
@fleet_option
@evidence_option
@evidence_signers_option
@config_option
@json_option
def command(
    incident: str,
    by: str,
    days: int,
    client: str | None,
    note: str | None,
    fleet: Path,
    evidence: Path | None,
    signers: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Write acknowledgements/CLIENT/ID.yaml: somebody has it, so nobody else is called.

    \b
    reconciler acknowledge 3f9a1c2b7d40…64 hex digits… --as alice@msp.example
    reconciler acknowledge 3f9a1c2b7d40-1 --as alice@msp.example --days 3

    It stops the escalation chain until that day, once it is committed, signed and pulled, and opens
    a host that was closed for the incident: look at the machine first. A ticket shows the
    fingerprint; an incident's id is looked up in the evidence.
    """
    from reconciler.engine.clock import SystemClock
    from reconciler.report.acknowledgement_file import acknowledgement_path, acknowledgement_text

    reading = _read(fleet)
    fingerprint, found = incident, None
    if not _FINGERPRINT.fullmatch(incident):
        fingerprint, found = _look_up(incident, config, evidence, signers)
    chosen = client or found or _only_client(reading)
    path = acknowledgement_path(chosen, fingerprint)
    now = SystemClock().now()
    until = now.date() + timedelta(days=days)
    text = acknowledgement_text(
        fingerprint=fingerprint, by=by, until=until, looked_at=now, note=note
    )
    said = _checked(reading, path, text, chosen)
    renewed = _write(fleet / path, text)
    commands = _commands(path, fingerprint)
    if as_json:
        document = said.model_dump(mode="json")
        emit({"path": path, "acknowledgement": document, "commands": commands})
        return
    click.echo(f"{'renewed' if renewed else 'wrote'} {path}")
    click.echo("\n".join(f"  {line}" for line in text.splitlines()))
    click.echo(f"Until {until} (UTC) nobody else is called, once {by} has committed it, signed:")
    click.echo("\n".join(f"  {line}" for line in commands))


def _read(fleet: Path) -> "Reading":
    from reconciler.checks import catalogue as checks
    from reconciler.desired.gate.reading import read_work_tree
    from reconciler.steps import catalogue as steps

    return read_work_tree(fleet, checks.load(), steps.load())


def _look_up(
    text: str, config: Path | None, evidence: Path | None, signers: Path | None
) -> tuple[str, str]:
    """Fingerprint and client of an open incident."""
    from reconciler.engine.inquiry.forecast import gather
    from reconciler.engine.inquiry.named_incident import named_incident

    source = source_of(config, evidence, signers)
    known = gather(source.repository, source.branches())
    open_ = (one for each in known.values() for one in each.past.register.open.values())
    incident = named_incident(open_, text)
    return incident.fingerprint, incident.target.partition("/")[0]


def _only_client(reading: "Reading") -> str:
    from reconciler.errors import InputError

    clients = sorted(reading.fleet.clients) if reading.fleet else []
    if len(clients) != 1:
        hint = f"Say whose incident it is: --client {'|'.join(clients[:8]) or 'CLIENT'}"
        raise InputError(f"the fleet has {len(clients)} clients", hint=hint)
    return clients[0]


def _checked(reading: "Reading", path: str, text: str, client: str) -> "Acknowledgement":
    """What the file says, once it reads back, is of a client, and by somebody who may say so."""
    from reconciler.desired import strict_yaml
    from reconciler.desired.gate.approving import owner_for
    from reconciler.desired.suggest import did_you_mean
    from reconciler.desired.validation import validate
    from reconciler.errors import InputError, Where
    from reconciler.model.acknowledgement import Acknowledgement

    said = validate(strict_yaml.load(text.encode(), path), Acknowledgement)
    known = reading.fleet.clients if reading.fleet else {}
    if client not in known:
        hint = did_you_mean(client, known)
        raise InputError(f"there is no client {client}", hint=hint, where=Where(path))
    owner_for(reading, path, said.by)
    return said


def _write(file: Path, text: str) -> bool:
    """Write it; whether there was one already."""
    from reconciler.errors import MachineError, Where

    renewed = file.exists()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"cannot write the acknowledgement: {error.strerror}"
        hint = "Use a work tree that you may write to."
        raise MachineError(message, hint=hint, where=Where(str(file))) from error
    return renewed


def _commands(path: str, fingerprint: str) -> list[str]:
    return [
        f"git add {path}",
        f'git commit -S -m "Take over incident {fingerprint[:12]}" -- {path}',
        "git push",
    ]
