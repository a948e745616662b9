"""``reconciler rehearse``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.errors import ExitCode, MachineError

if TYPE_CHECKING:
    from reconciler.testing.rehearsal.trial import Trial

IMAGE = Path("/var/cache/reconciler/rehearsal")


@click.command()
@click.argument("runbook", required=False, metavar="[RUNBOOK]")
@click.option("--all", "everything", is_flag=True, help="Every runbook and every drift.")
@click.option(
    "--image",
    type=click.Path(path_type=Path, file_okay=False),
    default=IMAGE,
    show_default=True,
    help="Where the image of the guest is.",
)
@click.option("--make-image", is_flag=True, help="Make the image first, if it is not up to date.")
@click.option(
    "--fleet",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Rehearse the policies and runbooks of this fleet, and its rehearsals/. "
    "Default: those shipped.",
)
@click.option(
    "--coverage",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --all: write which provision has a check, a drift and a heal.",
)
@json_option
def command(
    runbook: str | None,
    everything: bool,
    image: Path,
    make_image: bool,
    fleet: Path | None,
    coverage: Path | None,
    as_json: bool,
) -> int:
    """Inject each drift that RUNBOOK claims to fix into a real machine, and see it healed.

    As root, on a machine with systemd-nspawn: found with the right values, healed in one run,
    proven by another tool; then again with a fix that lies, a connection that drops, and a crash.
    Exit code 0 only when every expectation held, 1 when one did not; 5 for a runbook or a drift
    file that is wrong, 7 when this machine cannot boot a guest. Progress goes to standard error.
    """
    if everything == (runbook is not None):
        raise click.UsageError("Name one RUNBOOK, or --all.")
    if coverage is not None and (not everything or fleet is not None):
        raise click.UsageError("--coverage is written with --all, of what is shipped.")
    from reconciler.testing.rehearsal.rehearse import jobs_of, rehearse, staged
    from reconciler.testing.rehearsal.result import document, render
    from reconciler.testing.rig.commands import CommandFailed
    from reconciler.testing.rig.image import build_image, open_image
    from reconciler.testing.rig.leftovers import sweep
    from reconciler.testing.rig.nspawn import require_guest

    work = jobs_of(runbook, fleet)
    missing = require_guest()
    if missing is not None:
        raise MachineError(
            f"no guest can be booted here: {missing}",
            hint="As root, on a machine with mmdebstrap, systemd-container and iproute2.",
        )
    sweep()
    try:
        if make_image:
            build_image(image, os.environ)
        with staged(open_image(image), _say) as stage:
            trials = rehearse(work, stage, _say)
    except CommandFailed as failure:
        raise MachineError(str(failure), hint="See what the guest said above.") from failure
    if coverage is not None:
        _write_coverage(coverage, trials)
    emit(document(trials)) if as_json else click.echo(render(trials))
    return 0 if all(trial.held for trial in trials) else int(ExitCode.DRIFT)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _write_coverage(file: Path, trials: "list[Trial]") -> None:
    from reconciler.testing.drifts import catalogue
    from reconciler.testing.rehearsal.coverage import page
    from reconciler.testing.rehearsal.rehearse import shipped

    file.write_text(page(shipped(), catalogue.load(), trials), encoding="utf-8")
