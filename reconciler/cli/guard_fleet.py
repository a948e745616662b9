"""``reconciler guard fleet``."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.cli.evidence_source import source_of
from reconciler.cli.gate_common import moment_of
from reconciler.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.desired.fleet import Fleet
    from reconciler.engine.inquiry.fleet_guards import Proposal, Seen
    from reconciler.evidence.record import Branch
    from reconciler.report.fleet_guards import FleetReport

_SIGNERS = "policies/trust/evidence_signers"


@click.command()
@click.option(
    "--evidence",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="An evidence repository; more than once for several.",
)
@click.option(
    "--signers",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help=f"Who may sign it; one for each --evidence. Default: the fleet's {_SIGNERS}.",
)
@click.option(
    "--fleet",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="Work tree of the fleet repository. Default: here.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 365),
    default=30,
    show_default=True,
    help="How far to look back.",
)
@click.option("--write", is_flag=True, help="Write policies/breakers.yaml and rollout.yaml.")
@click.option("--at", metavar="TIME", help="As if it were this time (2026-01-31T22:00:00Z).")
@json_option
def command(
    evidence: tuple[Path, ...],
    signers: tuple[Path, ...],
    fleet: Path,
    days: int,
    write: bool,
    at: str | None,
    as_json: bool,
) -> int:
    """Open breakers of runbooks that failed on several hosts; move new versions on.

    \b
    reconciler guard fleet --evidence /srv/evidence/elm-street.git
    reconciler guard fleet --evidence A.git --evidence B.git --fleet ~/fleet --write

    Exit 0: nothing to change, or it was written. 1: there is something to write. 6: the evidence of
    a host does not verify; the rest was judged without it.
    """
    from reconciler.engine.inquiry.fleet_guards import look_at, propose

    read = _fleet(fleet)
    now = moment_of(at)
    seen = look_at(_branches(evidence, signers, fleet), read, now - timedelta(days=days))
    found = propose(seen, read, now)
    report = _report(read, seen, found, _write(fleet, read, found) if write else ())
    _say(report, as_json)
    if report.unread:
        return int(ExitCode.EVIDENCE)
    return int(ExitCode.DRIFT) if report.changes and not write else 0


def _fleet(directory: Path) -> "Fleet":
    from reconciler.checks import catalogue as checks
    from reconciler.desired.gate.reading import read_work_tree
    from reconciler.steps import catalogue as steps

    reading = read_work_tree(directory, checks.load(), steps.load())
    if reading.fleet is None or not reading.whole:
        message = "the fleet has errors, so nothing is added to it"
        raise InputError(message, hint=f"See them: reconciler check {directory}")
    return reading.fleet


def _branches(
    evidence: tuple[Path, ...], signers: tuple[Path, ...], fleet: Path
) -> "list[tuple[Path, Sequence[Branch]]]":
    if signers and len(signers) != len(evidence):
        raise click.UsageError("give --signers once for each --evidence, in the same order")
    default = fleet / _SIGNERS
    if not signers and not default.is_file():
        message = f"needs --signers: the fleet has no {_SIGNERS}, and nobody is trusted by default"
        raise click.UsageError(message)
    files = signers or (default,) * len(evidence)
    sources = [source_of(None, e, file) for e, file in zip(evidence, files, strict=True)]
    return [(source.repository, source.branches()) for source in sources]


def _write(directory: Path, fleet: "Fleet", found: "Proposal") -> tuple[str, ...]:
    from reconciler.desired.gate.fleet_wide_files import (
        BREAKERS,
        ROLLOUT,
        with_breakers,
        with_stages,
        write,
    )

    texts: dict[str, str] = {}
    if found.breakers:
        texts[BREAKERS] = with_breakers(_text(directory / BREAKERS), fleet.breakers, found.breakers)
    stages = {move.runbook: move.after for move in found.moves if move.moves_on}
    rollout = _text(directory / ROLLOUT)
    if stages and rollout is not None:
        texts[ROLLOUT] = with_stages(rollout, fleet, stages)
    write(directory, texts)
    return tuple(texts)


def _text(file: Path) -> str | None:
    # It was read as a part of the fleet a moment ago, so it is small and it is text.
    return file.read_text(encoding="utf-8") if file.exists() else None


def _report(
    fleet: "Fleet", seen: "Seen", found: "Proposal", written: tuple[str, ...]
) -> "FleetReport":
    from reconciler.report.fleet_guards import FleetReport

    return FleetReport(
        hosts=seen.hosts,
        silent=tuple(sorted(set(fleet.hosts) - set(seen.hosts))),
        unread=seen.unread,
        strangers=seen.strangers,
        runs=len(seen.runs),
        breakers=found.breakers,
        moves=found.moves,
        written=written,
    )


def _say(report: "FleetReport", as_json: bool) -> None:
    from reconciler.report.fleet_guards import as_document, render

    if as_json:
        emit(as_document(report))
    else:
        click.echo(render(report))
