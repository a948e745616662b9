"""What ``guard fleet`` and ``rings`` share: a fleet's work tree, and the evidence of its hosts."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.evidence_source import fleet_option, source_of
from reconciler.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.desired.fleet import Fleet
    from reconciler.evidence.record import Branch

F = TypeVar("F", bound=Callable[..., Any])

_SIGNERS = "policies/trust/evidence_signers"


def fleet_evidence_options(command: F) -> F:
    """``--evidence``, ``--signers``, ``--fleet``, ``--days`` and ``--at``."""
    options = (
        click.option(
            "--evidence",
            multiple=True,
            required=True,
            type=click.Path(path_type=Path, file_okay=False, exists=True),
            help="An evidence repository; more than once for several.",
        ),
        click.option(
            "--signers",
            multiple=True,
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help=f"Who may sign it; one for each --evidence. Default: the fleet's {_SIGNERS}.",
        ),
        fleet_option,
        click.option(
            "--days",
            type=click.IntRange(1, 365),
            default=30,
            show_default=True,
            help="How far to look back.",
        ),
        click.option(
            "--at", metavar="TIME", help="As if it were this time (2026-01-31T22:00:00Z)."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def whole_fleet(directory: Path) -> "Fleet":
    """The documents of a work tree without errors.

    Raises:
        InputError: It has errors, or there is no desired state in it.
    """
    from reconciler.checks import catalogue as checks
    from reconciler.desired.gate.reading import read_work_tree
    from reconciler.steps import catalogue as steps

    reading = read_work_tree(directory, checks.load(), steps.load())
    if reading.fleet is None or not reading.whole:
        message = "the fleet has errors, so nothing is added to it"
        raise InputError(message, hint=f"See them: reconciler check {directory}")
    return reading.fleet


def branches_of(
    evidence: tuple[Path, ...], signers: tuple[Path, ...], fleet: Path
) -> "list[tuple[Path, Sequence[Branch]]]":
    """Repositories with their branches, each with who may sign there.

    Raises:
        click.UsageError: Nobody says who may sign.
    """
    if signers and len(signers) != len(evidence):
        raise click.UsageError("give --signers once for each --evidence, in the same order")
    default = fleet / _SIGNERS
    if not signers and not default.is_file():
        message = f"needs --signers: the fleet has no {_SIGNERS}, and nobody is trusted by default"
        raise click.UsageError(message)
    files = signers or (default,) * len(evidence)
    sources = [source_of(None, e, file) for e, file in zip(evidence, files, strict=True)]
    return [(source.repository, source.branches()) for source in sources]
