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

_REASONS = ("rewritten-history", "key-compromise", "re-root")


@click.command()
@click.option("--to", "target", required=True, metavar="REV", help="What is trusted from then on.")
@click.option(
    "--replaces", required=True, metavar="REV", help="What appliances have accepted until now."
)
@click.option(
    "--last",
    type=click.IntRange(1, 1024),
    default=1,
    show_default=True,
    help="So many commits of the first-parent line of --replaces: some appliances are behind.",
)
@click.option("--reason", required=True, type=click.Choice(_REASONS))
@click.option("--anew", is_flag=True, help="Begin a new statement, even if one waits for people.")
@branch_option
@key_option
@yes_option
@clone_options
@output_options
def command(target: str, replaces: str, last: int, **options: Any) -> None:
    """Let a commit take the place of others that it does not follow from.

    Everybody signs the same statement: the first person writes it, the next ones join it when
    their clone has it. It counts once enough people with a recovery role have signed, by the trust
    policy of what is replaced; the key of one person, whoever holds it, is never enough.
    """
    from reconciler.trust.statements import write

    names = ("repository", "attestations", "remote", "as_json")
    desk = Desk.open(*(options[name] for name in names))
    wanted = _wanted(desk, target, replaces, last, options)
    joined = None if options["anew"] else _waiting(desk, wanted)
    recovery = joined or wanted
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


def _waiting(desk: Desk, wanted: "Recovery") -> "Recovery | None":
    """The newest statement on the branch that says the same."""
    from dataclasses import replace

    from reconciler.trust.statements import Recovery

    found = [
        signed.statement
        for signed in desk.branch.read(desk.now).recoveries()
        if isinstance(signed.statement, Recovery)
        and replace(signed.statement, issued=wanted.issued) == wanted
    ]
    return max(found, key=lambda one: one.issued, default=None)


def words(recovery: "Recovery", joined: bool) -> list[str]:
    """What is signed, for the person who has to decide."""
    newest, *older = recovery.replaces
    more = f" and {len(older)} before it" if older else ""
    return [
        f"recover   branch {recovery.branch}, reason {recovery.reason}",
        f"to        {recovery.to} (tree {recovery.tree})",
        f"replaces  {newest}{more}",
        f"issued    {recovery.issued:%Y-%m-%dT%H:%M:%SZ}"
        + (", by somebody before you: you sign the same bytes" if joined else ""),
    ]


def _key(file: Path | None) -> Any:
    from reconciler.cli.attest_keys import load

    return None if file is None else load(file)
