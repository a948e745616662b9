"""``reconciler guard fleet``."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.cli.fleet_evidence import branches_of, fleet_evidence_options, whole_fleet
from reconciler.cli.gate_common import moment_of
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.desired.fleet import Fleet
    from reconciler.engine.inquiry.fleet_guards import Proposal, Seen
    from reconciler.report.fleet_guards import FleetReport


@click.command()
@fleet_evidence_options
@click.option("--write", is_flag=True, help="Write policies/breakers.yaml and rollout.yaml.")
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

    read = whole_fleet(fleet)
    now = moment_of(at)
    seen = look_at(branches_of(evidence, signers, fleet), read, now - timedelta(days=days))
    found = propose(seen, read, now)
    report = _report(read, seen, found, _write(fleet, read, found) if write else ())
    _say(report, as_json)
    if seen.unread:
        return int(ExitCode.EVIDENCE)
    return int(ExitCode.DRIFT) if report.changes and not write else 0


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
    from reconciler.report.fleet_evidence import Heard
    from reconciler.report.fleet_guards import FleetReport

    return FleetReport(
        heard=Heard(
            hosts=seen.hosts,
            silent=tuple(sorted(set(fleet.hosts) - set(seen.hosts))),
            unread=seen.unread,
            strangers=seen.strangers,
        ),
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
