"""``reconciler attest``: each subcommand is imported when it is asked for."""

from importlib import import_module

import click

SUBCOMMANDS = {
    "approve": ("attest_approve:command", "Agree with a change, as a person who did not write it."),
    "release": ("attest_ci:release", "Vouch for a commit and what was built from it."),
    "heartbeat": ("attest_ci:heartbeat", "Say which commit is the newest of a branch."),
    "recover": ("attest_recover:command", "Let a commit take the place of others; needs several."),
    "add": ("attest_add:add", "Put a statement on the branch that was signed elsewhere."),
    "sync": ("attest_add:sync", "Join the branch with the server's, after a fetch."),
    "show": ("attest_show:command", "List what is there about a commit, and whether it counts."),
}
"""Name to ``<module of reconciler.cli>:<command>`` and a line of help."""

EXIT_CODES = """\b
Exit codes:
  0  done
  2  wrong usage of the command line
  4  the trust files of a commit, or its tree, would be refused
  5  bad input: no such commit, a key that may not sign this, a file that is wrong
  6  a key cannot be used, or a signature does not hold
  7  this machine would not do it: disk, permission, a sigstore service
"""


class LazySubgroup(click.Group):
    """Imports a subcommand's module when it is asked for; ``--help`` imports none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `SUBCOMMANDS`."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of that name."""
        if cmd_name not in SUBCOMMANDS:
            return None
        module, _, name = SUBCOMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"reconciler.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in SUBCOMMANDS.items()])


@click.group(cls=LazySubgroup, epilog=EXIT_CODES)
def command() -> None:
    """Sign what appliances ask for beside the commits of a fleet: approvals, releases, heartbeats.

    Run it in a clone of the fleet repository, after a fetch. Every statement becomes a file on the
    local branch `attestations`; nothing is checked out, and pushing is left to you. In a terminal
    you are shown what you sign before you sign it.
    """
