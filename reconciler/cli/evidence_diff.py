"""``reconciler evidence diff``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.cli.evidence_show import found, repeated
from reconciler.cli.evidence_source import index_of, index_option, source_of, source_options
from reconciler.errors import InputError

if TYPE_CHECKING:
    from reconciler.evidence.record import Branch, Record
    from reconciler.ledger.index import Index
    from reconciler.ledger.stored import Shelf


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@source_options
@index_option
@json_option
def command(
    first: str,
    second: str,
    config: Path | None,
    repository: Path | None,
    signers: Path | None,
    branch: str | None,
    index_file: Path | None,
    as_json: bool,
) -> None:
    """Say what changed between two runs: findings, desired state, tools, plan.

    A and B are sequence numbers, commits or paths of run entries; both are proven again. A run that
    repeats an older one is compared by what that one found.
    """
    from reconciler.ledger.stored import Shelf
    from reconciler.report.run_diff import as_document, render

    source = source_of(config, repository, signers)
    chosen = source.branch(branch)
    shelf = Shelf(source.repository, chosen)
    with index_of(source, index_file, [chosen]) as index:
        old, new = (_run(index, shelf, chosen, name) for name in (first, second))
    document = as_document(*old, *new)
    if as_json:
        emit(document)
    else:
        click.echo(render(document))


def _run(index: "Index", shelf: "Shelf", branch: "Branch", name: str) -> "tuple[Record, Record]":
    """A run, and the run that has its findings."""
    stored = found(index, shelf, branch, name)
    kind = stored.record.entry.kind.value
    if kind != "run":
        hint = "reconciler evidence query --kind run lists runs."
        raise InputError(f"entry {name} is of kind {kind}, not a run", hint=hint)
    like = repeated(index, shelf, branch, stored)
    return stored.record, stored.record if like is None else like.record
