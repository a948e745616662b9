"""``reconciler check``."""

from pathlib import Path

import click

from reconciler.cli.common import emit, json_option
from reconciler.errors import ExitCode


@click.command()
@click.argument("path", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@click.option(
    "--write-approved",
    is_flag=True,
    help="Pin every runbook that the allow-list names to its present content, then check.",
)
@json_option
def command(path: Path, strict: bool, write_approved: bool, as_json: bool) -> int:
    """Cross-check the fleet repository at PATH; exit 5 when anything is wrong.

    Every edge of the graph is followed: rule → check → parameters → runbook → step → control →
    exception. Each problem names file, line, field and what to do.
    """
    from reconciler.checks import catalogue as checks
    from reconciler.desired.approve import pin_runbooks
    from reconciler.desired.directory import read_directory
    from reconciler.desired.fleet import read_fleet
    from reconciler.desired.graph import check_fleet
    from reconciler.steps import catalogue as steps

    if write_approved:
        pin_runbooks(path)
    fleet = read_fleet(read_directory(path))
    problems = check_fleet(fleet, checks.load(), steps.load())
    errors = [p for p in problems if p.severity == "error"]
    failed = bool(errors) or (strict and bool(problems))
    if as_json:
        emit(
            {
                "ok": not failed,
                "problems": [
                    {
                        "severity": p.severity,
                        "file": p.where.file,
                        "line": p.where.line,
                        "field": p.where.field,
                        "message": p.message,
                        "hint": p.hint,
                    }
                    for p in problems
                ],
            }
        )
        return int(ExitCode.INPUT) if failed else 0
    for problem in problems:
        click.echo(f"{problem.severity}: {problem.where}: {problem.message}")
        click.echo(f"  hint: {problem.hint}")
    click.echo(
        f"{path}: {len(fleet.rules)} rules, {len(fleet.runbooks)} runbooks, "
        f"{len(fleet.hosts)} hosts: {len(errors)} errors, {len(problems) - len(errors)} warnings"
    )
    return int(ExitCode.INPUT) if failed else 0
