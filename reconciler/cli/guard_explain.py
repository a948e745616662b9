"""``reconciler guard explain``."""

from pathlib import Path

import click

from reconciler.cli.common import config_option, emit, home_of, json_option


@click.command()
@click.argument("subject", required=False, metavar="[RULE|INCIDENT|RUNBOOK]")
@config_option
@json_option
def command(subject: str | None, config: Path | None, as_json: bool) -> None:
    """Say of everything that fails which guard stops it, when it will run, or who must do what.

    \b
    reconciler guard explain
    reconciler guard explain ssh-root-login
    reconciler guard explain 3f9a1c2b7d40-1

    Reads the ledger and the accepted desired state; nothing on the machine is looked at or changed.
    """
    from reconciler.engine.inquiry.guards import explain_guards
    from reconciler.report.guards import as_document, render

    found = explain_guards(home_of(config), subject)
    if as_json:
        emit(as_document(found))
    else:
        click.echo(render(found))
