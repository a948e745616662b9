"""``reconciler attest recover``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.attest_common import (
    Desk,
    Ending,
    ask,
    branch_option,
    clone_options,
    finish_with_key,
    key_option,
    output_options,
    yes_option,
)

if TYPE_CHECKING:
    from reconciler.trust.statements import Recovery

_COMMITS_SHOWN = 10
_REASONS = ("rewritten-history", "key-compromise", "re-root")


@click.command()
@click.option("--to", "target", required=True, metavar="REV", help="What is trusted from then on.")
@click.option(
    "--replaces",
    metavar="REV",
    help="What appliances have accepted until now; without it, join the statement that waits.",
)
@click.option(
    "--last",
    type=click.IntRange(1, 1024),
    default=1,
    show_default=True,
    help="So many commits of the first-parent line of --replaces: some appliances are behind.",
)
@click.option("--reason", type=click.Choice(_REASONS), help="Needed with --replaces.")
@click.option("--anew", is_flag=True, help="Begin a new statement, even if one waits for people.")
@branch_option
@key_option
@yes_option
@clone_options
@output_options
def command(target: str, replaces: str | None, last: int, **options: Any) -> None:
    """Let a commit take the place of others that it does not follow from.

    Everybody signs the same statement: the first person writes it, the next ones fetch and join
    it, with --to alone or with the same options. It counts once enough people with a recovery role
    have signed, by the trust policy of what is replaced; the key of one person is never enough.
    """
    from reconciler.trust.statements import write

    if (replaces is None) != (options["reason"] is None):
        raise click.UsageError("give both --replaces and --reason, or neither to join a statement")
    names = ("repository", "attestations", "remote", "as_json")
    desk = Desk.open(*(options[name] for name in names))
    wanted = None if replaces is None else _wanted(desk, target, replaces, last, options)
    joined = None if options["anew"] else _waiting(desk, target, options["branch"], wanted)
    recovery = joined or wanted
    if recovery is None:
        raise click.UsageError("no statement waits here: fetch, or give --replaces and --reason")
    for line in words(recovery, joined is not None):
        click.echo(line, err=True)
    ask("Sign this?", yes=options["yes"] or desk.as_json)
    finish_with_key(
        desk, Ending(options["unsigned"], options["output"]), write(recovery), _key(options["key"])
    )


def _wanted(
    desk: Desk, target: str, replaces: str, last: int, options: dict[str, Any]
) -> "Recovery":
    from reconciler.trust.statements import Recovery

    clone = desk.clone
    to = clone.commit(target)
    old = clone.line(clone.commit(replaces), last)
    return Recovery(
        options["branch"], old, to, clone.digest(to), clone.tree(to), desk.now, options["reason"]
    )


def _waiting(desk: Desk, target: str, branch: str, wanted: "Recovery | None") -> "Recovery | None":
    """The newest statement on the attestations branch that says the same, or leads there at all."""
    from dataclasses import replace

    from reconciler.trust.statements import Recovery

    to = desk.clone.commit(target)
    facts = (branch, to, desk.clone.digest(to), desk.clone.tree(to))
    found = [
        one
        for one in (signed.statement for signed in desk.branch.read(desk.now).recoveries())
        if isinstance(one, Recovery)
        and (one.branch, one.to, one.commit_sha256, one.tree) == facts
        and (wanted is None or replace(one, issued=wanted.issued) == wanted)
    ]
    return max(found, key=lambda one: one.issued, default=None)


def words(recovery: "Recovery", joined: bool) -> list[str]:
    """What is signed, for the person who has to decide."""
    shown = recovery.replaces[:_COMMITS_SHOWN]
    more = len(recovery.replaces) - len(shown)
    joining = ", by somebody before you: you sign the same bytes" if joined else ""
    return [
        f"recover   branch {recovery.branch}, reason {recovery.reason}",
        f"to        {recovery.to} (tree {recovery.tree})",
        *(f"replaces  {commit}" for commit in shown),
        *([f"          and {more} more"] if more > 0 else []),
        f"issued    {recovery.issued:%Y-%m-%dT%H:%M:%SZ}{joining}",
    ]


def _key(file: Path | None) -> Any:
    from reconciler.cli.attest_keys import load

    return None if file is None else load(file)
