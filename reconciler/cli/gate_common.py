"""What ``check`` and ``plan`` share: the form of the answer, the moment it is given for."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def gate_options(command: F) -> F:
    """``--format``, ``--json``, ``--strict``, ``--no-secrets`` and ``--at``."""
    options = (
        click.option(
            "--format",
            "form",
            type=click.Choice(["text", "json", "markdown"]),
            default="text",
            help="How to say it; markdown is for the comment on a pull request.",
        ),
        click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
        click.option("--strict", is_flag=True, help="Warnings fail, too."),
        click.option("--no-secrets", is_flag=True, help="Leave the scan for secrets out."),
        click.option(
            "--at",
            type=str,
            metavar="TIME",
            help="Judge terms, keys and guards at this time (2026-01-31T22:00:00Z). Default: now.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def form_of(form: str, as_json: bool) -> str:
    """The form that was asked for, by either option."""
    return "json" if as_json else form


def moment_of(text: str | None) -> datetime:
    """The time that was asked about, or now.

    Raises:
        click.UsageError: It is not a time in UTC to the second.
    """
    from reconciler.engine.clock import SystemClock

    if text is None:
        return SystemClock().now()
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError as error:
        raise click.UsageError("--at takes a time such as 2026-01-31T22:00:00Z") from error
