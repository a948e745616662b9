"""``reconciler evidence query``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.cli.evidence_source import index_of, index_option, source_of, source_options
from reconciler.errors import InputError

if TYPE_CHECKING:
    from reconciler.evidence.record import Branch
    from reconciler.ledger.index_query import Question


@click.command()
@source_options
@click.option("--control", help="A control: hipaa:164.312(b).")
@click.option("--rule", help="A rule: units-running, or one of it: units-running[bridge].")
@click.option("--status", help="fail, unknown, healed, rolled_back, deferred, unsigned …")
@click.option("--kind", help="A kind of entry: run, intent, outcome, gap, refusal, key-change …")
@click.option("--incident", help="Number of an intent, or the beginning of an action's id.")
@click.option("--host", help="Entries of one host, of whichever client.")
@click.option("--since", help="From this month, day or time on (UTC).")
@click.option("--until", help="Up to the end of this month, day, or this time (UTC).")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@index_option
@json_option
def command(
    config: Path | None,
    repository: Path | None,
    signers: Path | None,
    branch: str | None,
    index_file: Path | None,
    as_json: bool,
    host: str | None,
    limit: int,
    **asked: str | None,
) -> None:
    """Find entries by control, rule, status, incident, host or time; newest first.

    Answers come from an index that is derived from proven entries and can be deleted at any time.
    Without --control, --rule, --status or --incident it lists entries; with one of them, what
    entries say: for how many runs a rule kept a status, what was tried, what was refused.
    """
    from reconciler.ledger.index_query import ask
    from reconciler.report.answers import as_document, render

    source = source_of(config, repository, signers)
    chosen = [source.branch(branch)] if branch or not (host or repository) else source.branches()
    chosen = [one for one in chosen if host in {None, one.host}]
    if not chosen:
        raise InputError("there is no such branch", hint="Leave out --host to see all of them.")
    question = _question(asked, chosen, limit)
    with index_of(source, index_file, chosen) as index:
        answers = ask(index, question)
    if as_json:
        emit(as_document(answers))
    else:
        click.echo(render(answers))


def _question(asked: dict[str, str | None], chosen: "list[Branch]", limit: int) -> "Question":
    from reconciler.ledger.index_query import Question
    from reconciler.report import period

    action, intent = _incident(asked["incident"])
    since, until = asked["since"], asked["until"]
    return Question(
        refs=tuple(branch.ref for branch in chosen),
        control=asked["control"],
        rule=asked["rule"],
        status=asked["status"],
        kind=asked["kind"],
        action=action,
        intent=intent,
        since=None if since is None else period.oldest(since),
        until=None if until is None else period.newest(until),
        limit=limit,
    )


def _incident(text: str | None) -> tuple[str | None, int | None]:
    """An action's id by its beginning, or the number of an intent."""
    if text is None:
        return None, None
    if text.isascii() and text.isdigit() and len(text) <= 8:
        return None, int(text)
    if 8 < len(text) <= 64 and set(text) <= set("0123456789abcdef"):
        return text, None
    message = "must be the number of an intent, or 9 to 64 hex digits of an action's id"
    raise click.BadParameter(message, param_hint="--incident")
