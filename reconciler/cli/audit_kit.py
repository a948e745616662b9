"""``reconciler audit-kit``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.errors import ExitCode, InputError

if TYPE_CHECKING:
    from reconciler.ledger.extra import Extra
    from reconciler.ledger.gather import Progress
    from reconciler.ledger.kit.nouns import Kit
    from reconciler.report.disclosures import Disclosure
    from reconciler.report.period import Period

_FILE = click.Path(path_type=Path, dir_okay=False)
_DIRECTORY = click.Path(path_type=Path, file_okay=False)

DISCLOSURES = "DISCLOSURES.md"
"""Where a provider writes down what is known to be limited: in the evidence repository."""


@click.command()
@click.argument("repository", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--signers", required=True, type=_FILE, help="allowed_signers file; is copied.")
@click.option("--from", "start", required=True, help="First day (2026-01-01), month or time, UTC.")
@click.option("--to", "end", required=True, help="Last day, month or time, in UTC.")
@click.option("--client", help="Only appliances of this clinic. Default: all in the repository.")
@click.option("--host", help="Only this appliance of it.")
@click.option("--control", "named", multiple=True, help="hipaa:164.312(b); may be repeated.")
@click.option("--ask", type=_FILE, help="A request: one control a line; # begins a comment.")
@click.option("--no-pdf", is_flag=True, help="CSV only: needs no typst.")
@click.option("--roots", type=_DIRECTORY, help="Folder of roots for proofs of time; is copied.")
@click.option("--seen", multiple=True, type=_FILE, help="A cosigned checkpoint; may be repeated.")
@click.option(
    "--disclosures",
    "known",
    type=_FILE,
    help=f"Known limitations. Default: {DISCLOSURES} in the repository, if there is one.",
)
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes. Default: one a core.")
@click.option("--out", required=True, type=_DIRECTORY, help="A directory that is not there yet.")
@json_option
def command(
    repository: Path,
    signers: Path,
    start: str,
    end: str,
    client: str | None,
    host: str | None,
    named: tuple[str, ...],
    ask: Path | None,
    no_pdf: bool,
    roots: Path | None,
    seen: tuple[Path, ...],
    known: Path | None,
    jobs: int | None,
    out: Path,
    as_json: bool,
) -> int:
    """Export what an auditor needs for a period, and nothing more.

    The kit holds the evidence as a Git bundle (from the first entry to the end of the period: the
    proof begins there), the keys and roots that were given, the newest checkpoints, the result of
    the whole verification, HOW-TO-CHECK.md for git and ssh-keygen, DISCLOSURES.md, and for each
    control that was asked for a CSV file and a PDF/A page. The same evidence gives the same bytes.

    \b
    Exit codes: 0 made, and everything verifies; 6 something does not verify (the kit is made
                where it can be, and says so); 5 a file or an option is wrong; 7 this machine.
    """
    from reconciler.ledger.kit.export import export
    from reconciler.ledger.kit.nouns import Wanted
    from reconciler.version import __version__

    if host is not None and client is None:
        raise click.UsageError("--host needs --client")
    wanted = Wanted(
        repository=repository,
        signers_file=signers,
        period=_period(start, end),
        client=client,
        host=host,
        controls=_controls(named, ask),
        pdf=not no_pdf,
        roots=roots,
        extra=_extra(roots, seen, jobs),
        known=_known(repository, known),
        version=__version__,
    )
    kit = export(wanted, out)
    _say(kit, out, as_json)
    return int(ExitCode.CLEAN if kit.ok else ExitCode.EVIDENCE)


def _period(start: str, end: str) -> "Period":
    from reconciler.report.period import Period, newest, oldest

    first, last = oldest(start), newest(end)
    if first > last:
        message = f"the period begins at {first} and ends before that, at {last}"
        raise InputError(message, hint="Give the first day with --from and the last with --to.")
    return Period(f"{start} to {end}", first, last)


def _controls(named: tuple[str, ...], ask: Path | None) -> tuple[str, ...]:
    from reconciler.ledger.kit.folder import read
    from reconciler.report.asked import MAX_BYTES, asked, parse_ask

    lines = () if ask is None else parse_ask(read(ask, MAX_BYTES), str(ask))
    return asked(named, lines)


def _known(repository: Path, file: Path | None) -> "tuple[Disclosure, ...] | None":
    from reconciler.ledger.kit.folder import read
    from reconciler.report.disclosures import MAX_BYTES, parse

    given = file or repository / DISCLOSURES
    if file is None and not given.exists():
        return None
    return parse(read(given, MAX_BYTES), str(given))


def _extra(roots: Path | None, seen: tuple[Path, ...], jobs: int | None) -> "Extra":
    from reconciler.evidence.fault import Place
    from reconciler.evidence.testimony import Saying
    from reconciler.ledger.anchors.judge import Trust
    from reconciler.ledger.extra import Extra
    from reconciler.ledger.gather import cores
    from reconciler.ledger.roots import load_trust

    return Extra(
        said=tuple(Saying(Place(path=str(file)), _note(file)) for file in seen),
        trust=load_trust(roots) if roots is not None else Trust(),
        jobs=jobs or cores(),
        progress=_progress,
    )


def _note(file: Path) -> str:
    from reconciler.ledger.kit.folder import read

    try:
        return read(file, 64 * 1024).decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"{file} cannot be read as a checkpoint: {error}"
        raise InputError(message, hint="Give the text of a signed note.") from error


def _progress(ref: str) -> "Progress":
    if not sys.stderr.isatty():
        return lambda _done, _total: None
    name = ref.removeprefix("refs/heads/")
    return lambda done, total: click.echo(f"… {name}: {done:,} of {total:,} entries", err=True)


def _say(kit: "Kit", out: Path, as_json: bool) -> None:
    from reconciler.report.audit import as_document, render

    for control in kit.empty:
        click.echo(f"note: nothing in the period names {control}; the kit says so", err=True)
    for fault in kit.source_faults[:20]:
        click.echo(f"the repository does not verify: {fault}", err=True)
    if as_json:
        document = {"directory": str(out), "ok": kit.ok, "files": list(kit.files)}
        emit({**document, "empty": list(kit.empty), "verification": as_document(kit.result)})
        return
    click.echo(render(kit.result))
    click.echo(f"{len(kit.files)} files in {out}; begin with HOW-TO-CHECK.md and DISCLOSURES.md")
