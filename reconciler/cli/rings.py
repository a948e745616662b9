"""``reconciler rings``."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.cli.fleet_evidence import branches_of, fleet_evidence_options, whole_fleet
from reconciler.cli.gate_common import moment_of
from reconciler.errors import ExitCode, InputError, Where

if TYPE_CHECKING:
    from reconciler.desired.fleet import Fleet
    from reconciler.desired.trust.systems import Releases
    from reconciler.engine.inquiry.rings import Ahead
    from reconciler.report.rings import RingReport


@click.command()
@fleet_evidence_options
@click.option("--branch", default="main", show_default=True, help="Fleet branch.")
@click.option(
    "--attestations",
    default="attestations",
    show_default=True,
    help="Branch that holds the releases.",
)
@click.option(
    "--remote", default="origin", show_default=True, help="The server's name in the clone."
)
@click.option(
    "--recent-h",
    type=click.IntRange(1, 168),
    default=4,
    show_default=True,
    help="How many hours ago a host may have been looked at.",
)
@click.option("--write", is_flag=True, help="Write policies/promotions.yaml.")
@json_option
def command(
    evidence: tuple[Path, ...],
    signers: tuple[Path, ...],
    fleet: Path,
    days: int,
    at: str | None,
    branch: str,
    attestations: str,
    remote: str,
    recent_h: int,
    write: bool,
    as_json: bool,
) -> int:
    """Say which rings may run a release, from the evidence of those that run it already.

    Releases are those that count by the trust of the clone's HEAD. A ring opens when the hosts of
    the one before it have run their systems for as long as it asks, with nothing failed since.

    \b
    reconciler rings --evidence /srv/evidence/elm-street.git
    reconciler rings --evidence A.git --evidence B.git --fleet ~/fleet --write

    Exit 0: nothing to open, or it was written. 1: a ring may be opened, or a rollout is halted. 6:
    the evidence of a host does not verify.
    """
    from reconciler.engine.inquiry.rings import line_of, look_ahead

    read = whole_fleet(fleet)
    if not read.rings.rings:
        hint = "Write one: docs/howto/rings.md. Without it every host may run every release."
        message = "the fleet has no policies/rings.yaml"
        raise InputError(message, hint=hint, where=Where(str(fleet)))
    now = moment_of(at)
    line = line_of(_releases(fleet, branch, attestations, remote, now), read)
    repositories = branches_of(evidence, signers, fleet)
    recent = timedelta(hours=recent_h)
    found = look_ahead(repositories, read, line, now, days=days, recent=recent)
    report = _report(read, found, _write(fleet, read, found, now) if write else ())
    _say(report, as_json)
    if found.evidence.unread:
        return int(ExitCode.EVIDENCE)
    waiting = report.changes and not write
    return int(ExitCode.DRIFT) if waiting or report.halted else 0


def _releases(
    fleet: Path, branch: str, attestations: str, remote: str, now: datetime
) -> "Releases":
    from reconciler.desired.attest.branch import AttestationsBranch
    from reconciler.desired.attest.clone import AttestClone, whole_history
    from reconciler.desired.trust.systems import releases_along
    from reconciler.transport.location import check_branch

    clone = AttestClone(fleet)
    beside = AttestationsBranch(clone.repository, check_branch(attestations), check_branch(remote))
    with whole_history():
        return releases_along(
            clone.repository,
            clone.commit("HEAD"),
            branch=check_branch(branch),
            now=now,
            attestations=beside.read(now),
        )


def _write(directory: Path, fleet: "Fleet", found: "Ahead", now: datetime) -> tuple[str, ...]:
    from reconciler.desired.gate.fleet_wide_files import PROMOTIONS, promotions_text, write
    from reconciler.engine.inquiry.rings import promotions_after

    if not any(move.opens for move in found.moves):
        return ()
    write(directory, {PROMOTIONS: promotions_text(promotions_after(fleet, found, now))})
    return (PROMOTIONS,)


def _report(fleet: "Fleet", found: "Ahead", written: tuple[str, ...]) -> "RingReport":
    from reconciler.engine.inquiry.rings import members_of
    from reconciler.report.fleet_evidence import Heard
    from reconciler.report.rings import RingReport

    appliances = {host for ring in members_of(fleet) for host in ring}
    read = found.evidence
    return RingReport(
        heard=Heard(
            hosts=read.hosts,
            silent=tuple(sorted(appliances - set(read.hosts))),
            unread=read.unread,
            strangers=read.strangers,
        ),
        torn=found.line.torn,
        moves=found.moves,
        written=written,
    )


def _say(report: "RingReport", as_json: bool) -> None:
    from reconciler.report.rings import as_document, render

    if as_json:
        emit(as_document(report))
    else:
        click.echo(render(report))
