"""``reconciler explain``."""

from pathlib import Path

import click

from reconciler.cli.common import config_option, emit, home_of, json_option


@click.command()
@click.argument("subject", metavar="RULE|CONTROL")
@config_option
@json_option
def command(subject: str, config: Path | None, as_json: bool) -> None:
    """Say what a rule or control is, how it stands, since when, and which evidence shows it.

    \b
    reconciler explain ssh-root-login
    reconciler explain 'hipaa:164.312(b)'
    """
    from reconciler.engine.inquiry.explain import explain
    from reconciler.report.explain import as_document, render

    explanation = explain(home_of(config), subject)
    if as_json:
        emit(as_document(explanation))
    else:
        click.echo(render(explanation))
