"""``reconciler doctor``."""

from dataclasses import asdict
from pathlib import Path

import click

from reconciler.cli.common import (
    colour,
    config_option,
    config_path,
    credentials,
    emit,
    json_option,
)
from reconciler.errors import ExitCode

COLOURS = {"ok": "green", "limited": "yellow", "broken": "red", "absent": "bright_black"}


@click.command()
@config_option
@json_option
def command(config: Path | None, as_json: bool) -> int:
    """Say what this machine lacks for each part of a run; changes nothing.

    Exit code 7 when a part is broken; parts that are merely limited make their checks unknown, or
    do not come about at present. What keeps the evidence (remote, witnesses, anchors, copies) is
    absent where the settings do not ask for it; the evidence server is asked, nobody else.
    """
    from reconciler.engine.doctor.examine import diagnose

    found = diagnose(config_path(config), credentials=credentials())
    if as_json:
        emit([asdict(diagnosis) for diagnosis in found])
    else:
        for diagnosis in found:
            state = f"{diagnosis.state:<8}"
            shown = click.style(state, fg=COLOURS[diagnosis.state]) if colour() else state
            click.echo(f"{shown} {diagnosis.subject:<20} {diagnosis.detail}")
            if diagnosis.hint:
                click.echo(f"{'':<9}{'':<20} hint: {diagnosis.hint}")
    broken = any(diagnosis.state == "broken" for diagnosis in found)
    return int(ExitCode.MACHINE) if broken else 0
