"""``reconciler check``."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit
from reconciler.cli.gate_common import form_of, gate_options, moment_of
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.desired.gate.reading import Reading
    from reconciler.model.review import Remark


@click.command()
@click.argument("path", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--write-approved",
    is_flag=True,
    help="Pin every runbook that the allow-list names to its present content, then check.",
)
@click.option("--base", metavar="REV", help="Look for secrets only in lines that REV has not.")
@gate_options
def command(
    path: Path,
    write_approved: bool,
    base: str | None,
    form: str,
    as_json: bool,
    strict: bool,
    no_secrets: bool,
    at: str | None,
) -> int:
    """Cross-check the fleet repository at PATH; exit 5 when anything is wrong.

    Every edge of the graph is followed: rule → check → parameters → runbook → step → control →
    exception → approval. Then: guard settings that cannot work, exceptions, approvals and keys
    that end soon, a trust policy that locks itself out or lets one person change it alone, and
    secrets. Each problem names file, line, field and what to do.
    """
    from reconciler.checks import catalogue as checks
    from reconciler.desired.approve import pin_runbooks
    from reconciler.desired.gate.reading import read_work_tree
    from reconciler.steps import catalogue as steps

    if write_approved:
        pin_runbooks(path)
    now = moment_of(at)
    reading = read_work_tree(path, checks.load(), steps.load())
    remarks = _remarks(reading, now)
    if not no_secrets:
        from reconciler.desired.gate.scanned import secrets_in_directory

        remarks += secrets_in_directory(path, base)
    errors = sum(remark.severity == "error" for remark in remarks)
    failed = bool(errors) or (strict and bool(remarks))
    _say(path, reading, tuple(remarks), failed, form_of(form, as_json))
    return int(ExitCode.INPUT) if failed else 0


def _remarks(reading: "Reading", now: datetime) -> "list[Remark]":
    from reconciler.desired.gate.review import health
    from reconciler.engine.inquiry.rehearse import guard_problems
    from reconciler.steps import catalogue as steps

    remarks = list(health(reading, now, template=True))
    if reading.fleet is not None:
        remarks += guard_problems(reading.fleet, reading.states, steps.load(), now)
    return remarks


def _say(
    path: Path, reading: "Reading", remarks: "tuple[Remark, ...]", failed: bool, form: str
) -> None:
    from reconciler.report import gate_document, gate_markdown, gate_text

    summary = _summary(reading, remarks)
    match form:
        case "json":
            problems = [gate_document.remark_body(remark) for remark in remarks]
            emit({"ok": not failed, "problems": problems})
        case "markdown":
            verdict = f"{'FAILED' if failed else 'OK'}: {summary}"
            click.echo(gate_markdown.render_remarks(verdict, remarks), nl=False)
        case _:
            text = gate_text.render_remarks(remarks)
            said = [*([text] if text else []), *_notes(reading), f"{path}: {summary}"]
            click.echo("\n".join(said))


def _summary(reading: "Reading", remarks: "tuple[Remark, ...]") -> str:
    fleet = reading.fleet
    parts = (fleet.rules, fleet.runbooks, fleet.hosts) if fleet else ((), (), ())
    rules, runbooks, hosts = map(len, parts)
    errors = sum(remark.severity == "error" for remark in remarks)
    loaded = f"{rules} rules, {runbooks} runbooks, {hosts} hosts"
    return f"{loaded}: {errors} errors, {len(remarks) - errors} warnings"


def _notes(reading: "Reading") -> list[str]:
    """What is no fault, and nothing to take for granted either."""
    clients = reading.fleet.clients.items() if reading.fleet else ()
    unpromised = sorted(key for key, client in clients if client.freshness_h is None)
    if not unpromised:
        return []
    what = "nobody would notice a repository that stands still (freshness_h is not promised)"
    some = ", ".join(unpromised[:3])
    more = f" and {len(unpromised) - 3} more clients" if len(unpromised) > 3 else ""
    return [f"note: {some}{more}: {what}"]
