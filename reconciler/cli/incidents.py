"""``reconciler incidents``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.cli.evidence_source import source_of, source_options

if TYPE_CHECKING:
    from reconciler.incident.register import Register


@click.group(invoke_without_command=True)
@source_options
@click.option("--all", "everything", is_flag=True, help="Also those that ended in the last week.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    config: Path | None,
    repository: Path | None,
    signers: Path | None,
    branch: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """List open incidents: where each is, why, since when, and until when it waits.

    They are read from the signed ledger, of this appliance or of --repository. Nothing is looked
    at anew: `reconciler run` does that.
    """
    if context.invoked_subcommand is not None:
        return
    from reconciler.engine.past import recall_from
    from reconciler.ledger.reader import newest_first

    source = source_of(config, repository, signers)
    chosen = source.branch(branch)
    records = newest_first(source.repository, chosen.client, chosen.host, chosen.signers)
    register = recall_from(records).register
    _show(f"{chosen.client}/{chosen.host}", register, everything, as_json)


@command.command("show")
@click.argument("incident", metavar="ID|FINGERPRINT")
@source_options
@json_option
def show(
    incident: str,
    config: Path | None,
    repository: Path | None,
    signers: Path | None,
    branch: str | None,
    as_json: bool,
) -> None:
    """Tell the whole story of one incident, step by step.

    Every step comes with the entry and the commit it stands in. Instead of the id, the first eight
    digits or more of a fingerprint: then the newest of it.
    """
    from reconciler.ledger.reader import newest_first
    from reconciler.report.incident_story import as_document, render, tell

    source = source_of(config, repository, signers)
    chosen = source.branch(branch)
    records = newest_first(source.repository, chosen.client, chosen.host, chosen.signers)
    story = tell(records, incident)
    if as_json:
        emit(as_document(story))
    else:
        click.echo(render(story))


def _show(target: str, register: "Register", everything: bool, as_json: bool) -> None:
    from reconciler.engine.tracking import by_severity
    from reconciler.evidence.entry import stamp
    from reconciler.report.incident_list import as_document, render

    incidents = by_severity(register.open.values())
    ended = list(register.ended.values()) if everything else []
    if as_json:
        over = [{"id": one.id, **one.to_body()} for one in ended]
        emit({"target": target, "open": [as_document(one) for one in incidents], "ended": over})
        return
    over_lines = [(one.id, one.rule, one.state, stamp(one.at)) for one in ended]
    click.echo(render(target, incidents, over_lines))
