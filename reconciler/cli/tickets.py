"""``reconciler tickets``."""

from pathlib import Path

import click

from reconciler.cli.common import config_option, emit, home_of, json_option
from reconciler.errors import ExitCode


@click.group()
def command() -> None:
    """Show what people were told of incidents, and try the channels that tell them."""


@command.command("list")
@config_option
@json_option
def list_command(config: Path | None, as_json: bool) -> None:
    """Every open ticket: why, since when, and who was told."""
    from reconciler.engine.tickets.desk import open_tickets
    from reconciler.report.ticket_list import render

    home = home_of(config)
    found = open_tickets(home)
    if as_json:
        emit(found)
    else:
        click.echo(render(found, f"{home.settings.client}/{home.settings.host}"))


@command.command()
@click.argument("ticket", metavar="INCIDENT|FINGERPRINT")
@config_option
@json_option
def show(ticket: str, config: Path | None, as_json: bool) -> None:
    """One ticket, and every entry of the ledger about it."""
    from reconciler.engine.tickets.desk import one_ticket, ticket_entries
    from reconciler.report.ticket_list import history, render

    home = home_of(config)
    document, names = one_ticket(home, ticket)
    entries = history(ticket_entries(home), names)
    if as_json:
        emit(document | {"entries": entries})
        return
    target = f"{home.settings.client}/{home.settings.host}"
    click.echo(render({"tickets": [document], "channels": []}, target))
    click.echo("\n".join(("", *entries)))


@command.command()
@click.argument("channel", metavar="CHANNEL")
@config_option
@json_option
def test(channel: str, config: Path | None, as_json: bool) -> int:
    """Send a harmless message by CHANNEL, and say whether it arrived.

    It is about no incident, so the ledger says nothing of it. On GitHub the issue is closed again.
    Exit code 7 when it did not arrive.
    """
    from reconciler.engine.clock import SystemClock
    from reconciler.engine.tickets.desk import try_channel
    from reconciler.escalate.message import Lost

    result = try_channel(home_of(config), channel, SystemClock().now())
    lost = result.code if isinstance(result, Lost) else None
    reference = None if isinstance(result, Lost) else result.reference
    if as_json:
        emit({"channel": channel, "arrived": lost is None, "code": lost, "reference": reference})
    elif lost is not None:
        click.echo(f"{channel}: did not arrive: {lost}")
        click.echo("  hint: see docs/howto/tickets.md for what each code means", err=True)
    else:
        number = "" if reference is None else f", number {reference}"
        click.echo(f"{channel}: arrived{number}")
    return 0 if lost is None else int(ExitCode.MACHINE)
