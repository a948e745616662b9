"""Groups of subcommands that import nothing until one of them is asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazySubgroup(click.Group):
    """Imports a subcommand's module when it is asked for; ``--help`` imports none."""

    def __init__(
        self, *arguments: Any, subcommands: Mapping[str, tuple[str, str]], **options: Any
    ) -> None:
        """Take the subcommands.

        Args:
            arguments: Of `click.Group`.
            subcommands: Name to ``<module of reconciler.cli>:<command>`` and a line of help.
            options: Of `click.Group`.
        """
        super().__init__(*arguments, **options)
        self._subcommands = subcommands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which they were given."""
        return list(self._subcommands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of that name."""
        if cmd_name not in self._subcommands:
            return None
        module, _, name = self._subcommands[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"reconciler.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._subcommands.items()])
