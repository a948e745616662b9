"""``reconciler evidence``: each subcommand is imported when it is asked for."""

import click

from reconciler.cli.lazy import LazySubgroup

SUBCOMMANDS = {
    "init": ("evidence_remote:init", "Make an evidence repository that appliances push to."),
    "push": ("evidence_remote:push", "Push this appliance's evidence to its repository."),
    "resume": ("evidence_remote:resume", "Take the ledger up again from its repository."),
    "checkpoint": ("evidence_checkpoint:command", "Sign the root of the log now."),
    "query": ("evidence_query:command", "Find entries by control, rule, host, incident, time."),
    "show": ("evidence_show:command", "Show one entry, who signed it, what is around it."),
    "diff": ("evidence_diff:command", "Say what changed between two runs."),
    "incident": ("evidence_incident:command", "Write everything about one incident."),
    "export": ("evidence_export:command", "Write evidence as OSCAL, in-toto lines or SVR."),
    "prove": ("evidence_prove:prove", "Write a proof that one entry is in the log."),
    "check-proof": ("evidence_prove:check_proof", "Check such a proof, without a repository."),
    "anchor": ("evidence_anchor:command", "Record checkpoints that CI signed, on the hub."),
    "annotate": ("evidence_annotate:command", "Correct or explain an entry, beside it."),
    "receive": ("evidence_receive:receive", "Decide on a push; the repository's hook calls it."),
    "textconv": ("evidence_receive:textconv", "Show an entry as text, for git diff and git show."),
}
"""Name to ``<module of reconciler.cli>:<command>`` and a line of help."""


@click.group(cls=LazySubgroup, subcommands=SUBCOMMANDS)
def command() -> None:
    """Move evidence off the appliance, take it up again, and look into it."""
