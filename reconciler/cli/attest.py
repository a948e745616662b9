"""``reconciler attest``: each subcommand is imported when it is asked for."""

import click

from reconciler.cli.lazy import LazySubgroup

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


@click.group(cls=LazySubgroup, subcommands=SUBCOMMANDS, epilog=EXIT_CODES)
def command() -> None:
    """Sign what appliances ask for beside the commits of a fleet: approvals, releases, heartbeats.

    Run it in a clone of the fleet repository, after a fetch. Every statement becomes a file on the
    local branch `attestations`; nothing is checked out, and pushing is left to you. In a terminal
    you are shown what you sign before you sign it.
    """
