"""``reconciler guard``: each subcommand is imported when it is asked for."""

import click

from reconciler.cli.lazy import LazySubgroup

SUBCOMMANDS = {
    "explain": ("guard_explain:command", "Say why something did not run, and when it will."),
    "fleet": ("guard_fleet:command", "Open breakers and move versions on, from many hosts."),
}
"""Name to ``<module of reconciler.cli>:<command>`` and a line of help."""


@click.group(cls=LazySubgroup, subcommands=SUBCOMMANDS)
def command() -> None:
    """Ask the guards, on one appliance or over the evidence of a fleet."""
