"""``reconciler evidence show``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.cli.evidence_source import index_of, index_option, source_of, source_options

if TYPE_CHECKING:
    from reconciler.evidence.record import Branch
    from reconciler.ledger.index import Index
    from reconciler.ledger.stored import Shelf, Stored
    from reconciler.report.entry_text import Shown


@click.command()
@click.argument("entry", metavar="SEQ|COMMIT|PATH")
@source_options
@click.option("--raw", is_flag=True, help="The stored bytes, exactly: the file, or the commit.")
@index_option
@json_option
def command(
    entry: str,
    config: Path | None,
    repository: Path | None,
    signers: Path | None,
    branch: str | None,
    index_file: Path | None,
    raw: bool,
    as_json: bool,
) -> None:
    """Show one entry: what it says, who signed it, what is before and after it.

    The entry is proven again from the repository: its signatures, and that it follows the entry
    before it. Control characters of machines are not printed; --raw gives the exact bytes.
    """
    from reconciler.ledger.stored import Shelf
    from reconciler.report.entry_text import as_document, render

    source = source_of(config, repository, signers)
    chosen = source.branch(branch)
    shelf = Shelf(source.repository, chosen)
    with index_of(source, index_file, [chosen]) as index:
        stored = found(index, shelf, chosen, entry)
        shown = _shown(index, shelf, chosen, stored)
    if raw:
        sys.stdout.buffer.write(stored.raw)
        sys.stdout.buffer.flush()
    elif as_json:
        emit(as_document(shown))
    else:
        click.echo(render(shown))


def found(index: "Index", shelf: "Shelf", branch: "Branch", selector: str) -> "Stored":
    """The entry that a person names, proven again.

    Raises:
        InputError: There is no such entry.
        LedgerDamaged: It does not verify, or the index says something else of it.
    """
    from reconciler.errors import LedgerDamaged
    from reconciler.ledger.index_query import locate

    where = locate(index, branch.ref, selector)
    stored = shelf.prove(where.commit)
    if (stored.record.entry.seq, stored.record.digest) != (where.seq, where.digest):
        message = f"the index does not agree with the repository about entry {where.seq}"
        raise LedgerDamaged(message, hint=f"Delete {index.path} and run reconciler verify.")
    return stored


def repeated(index: "Index", shelf: "Shelf", branch: "Branch", stored: "Stored") -> "Stored | None":
    """The run that a slim run repeats, proven again; None for every other entry."""
    from reconciler.report.citation import repeats

    like = repeats(stored.record)
    return None if like is None else found(index, shelf, branch, str(like))


def _shown(index: "Index", shelf: "Shelf", branch: "Branch", stored: "Stored") -> "Shown":
    from reconciler.ledger.index_query import after, notes_on
    from reconciler.report.entry_text import Shown

    record = stored.record
    like = repeated(index, shelf, branch, stored)
    return Shown(
        record=record,
        principal=f"{branch.client}/{branch.host}",
        file_sha256=stored.sha256,
        repeated=None if like is None else like.record,
        following=after(index, branch.ref, record.entry.seq),
        notes=notes_on(index, branch.ref, record.entry.seq),
    )
