"""``reconciler plan``."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit
from reconciler.cli.gate_common import form_of, gate_options, moment_of
from reconciler.errors import ExitCode, InputError, ReconcilerError

if TYPE_CHECKING:
    from reconciler.desired.gate.review import Catalogues, Compared
    from reconciler.desired.gate.revision import Revisions
    from reconciler.model.desired import DesiredState
    from reconciler.model.review import HostForecast, Remark, Review, SystemChange


@click.command()
@click.argument("base")
@click.argument("head")
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="A clone of the fleet repository. Default: here.",
)
@click.option("--host", "hosts", multiple=True, metavar="CLIENT/HOST", help="Only these hosts.")
@click.option(
    "--evidence",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Evidence to foresee from; each needs its --signers.",
)
@click.option(
    "--signers",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Who may sign the evidence; one for each --evidence, in the same order.",
)
@click.option("--branch", default="main", show_default=True, help="The branch that hosts follow.")
@click.option(
    "--attestations",
    default="attestations",
    show_default=True,
    help="The branch with releases, which say what systems change.",
)
@click.option("--approval", is_flag=True, help="Print a file for approvals/, and nothing else.")
@click.option("--approver", metavar="PRINCIPAL", help="Who approves; goes with --approval.")
@click.option("--reason", help="Why; goes with --approval.")
@gate_options
def command(
    base: str,
    head: str,
    repository: Path,
    hosts: tuple[str, ...],
    evidence: tuple[Path, ...],
    signers: tuple[Path, ...],
    branch: str,
    attestations: str,
    approval: bool,
    approver: str | None,
    reason: str | None,
    form: str,
    as_json: bool,
    strict: bool,
    no_secrets: bool,
    at: str | None,
) -> int:
    """Say what the change from BASE to HEAD does to every machine; exit 5 when it must not land.

    \b
    reconciler plan origin/main HEAD
    reconciler plan origin/main HEAD --format markdown > comment.md
    reconciler plan origin/main HEAD --evidence clinic.git --signers trust/evidence_signers
    """
    from reconciler.checks import catalogue as checks
    from reconciler.desired.gate.review import Catalogues, compare
    from reconciler.desired.gate.revision import Revisions
    from reconciler.steps import catalogue as steps

    if len(evidence) != len(signers):
        raise click.UsageError("each --evidence needs its --signers: nobody is trusted by default")
    now = moment_of(at)
    revisions = Revisions(repository)
    catalogues = Catalogues(checks.load(), steps.load())
    one, other = revisions.resolve(base), revisions.resolve(head)
    compared = compare(revisions, one, other, catalogues, at=now, hosts=hosts)
    if approval:
        return _approve(compared, hosts, approver, reason, now)
    more = _guards(compared, catalogues, now)
    if not no_secrets:
        more += _secrets(revisions, compared)
    review = replace(compared.review, remarks=(*compared.review.remarks, *more))
    if compared.head.whole:
        changed = _systems(revisions, compared, branch, attestations, hosts)
        review = replace(review, systems=changed)
    if evidence and compared.head.whole:
        foreseen = _forecast(revisions, compared, catalogues, evidence, signers, hosts)
        review = replace(review, forecast=foreseen)
    _say(review, form_of(form, as_json))
    failed = bool(review.errors) or (strict and bool(review.remarks))
    return int(ExitCode.INPUT) if failed else 0


def _guards(compared: "Compared", catalogues: "Catalogues", now: datetime) -> "list[Remark]":
    """Guard settings of the head that cannot work, and did not stand in the base already."""
    from reconciler.engine.inquiry.rehearse import guard_problems

    found = [
        list(guard_problems(reading.fleet, reading.states, catalogues.steps, now))
        for reading in (compared.base, compared.head)
        if reading.fleet is not None
    ]
    known = {(remark.where.file, remark.message) for remark in (found[0] if found[1:] else ())}
    return [r for r in (found[-1] if found else ()) if (r.where.file, r.message) not in known]


def _systems(
    revisions: "Revisions",
    compared: "Compared",
    branch: str,
    attestations: str,
    hosts: tuple[str, ...],
) -> "tuple[SystemChange, ...]":
    from reconciler.desired.gate.revision import complete
    from reconciler.desired.gate.systems import system_changes
    from reconciler.errors import IntentRefused

    try:
        with complete():
            return system_changes(
                revisions,
                compared.review,
                compared.head.states,
                branch=branch,
                attestations=attestations,
                hosts=hosts,
            )
    except IntentRefused:
        # That the trust files of the base cannot be read is a remark already.
        return ()


def _secrets(revisions: "Revisions", compared: "Compared") -> "list[Remark]":
    from reconciler.desired.gate.scanned import secrets_in_change
    from reconciler.errors import IntentRefused

    try:
        return secrets_in_change(revisions, compared.review.base, compared.review.head)
    except IntentRefused:
        if compared.review.errors:
            return []
        raise


def _forecast(
    revisions: "Revisions",
    compared: "Compared",
    catalogues: "Catalogues",
    evidence: tuple[Path, ...],
    signers: tuple[Path, ...],
    hosts: tuple[str, ...],
) -> "tuple[HostForecast, ...]":
    from functools import cache

    from reconciler.cli.evidence_source import source_of
    from reconciler.desired.gate.review import states_at
    from reconciler.engine.inquiry.forecast import Known, forecast, gather

    known: dict[str, Known] = {}
    for repository, file in zip(evidence, signers, strict=True):
        source = source_of(None, repository, file)
        found = gather(repository, source.branches())
        if both := known.keys() & found.keys():
            message = f"two evidence repositories speak of {min(both)}"
            raise InputError(message, hint="Give each host's evidence once.")
        known |= found

    @cache
    def earlier(commit: str) -> "Mapping[str, DesiredState]":
        try:
            return states_at(revisions, commit, catalogues)
        except ReconcilerError:
            # What cannot be read any more is not known; the forecast says so rule by rule.
            return {}

    states = {
        target: state
        for target, state in compared.head.states.items()
        if not hosts or target in hosts
    }
    return forecast(states, known, earlier, catalogues.steps, compared.review.at)


def _approve(
    compared: "Compared",
    hosts: tuple[str, ...],
    approver: str | None,
    reason: str | None,
    now: datetime,
) -> int:
    from reconciler.desired.gate.approval_file import approval_file

    if approver is None or reason is None:
        raise click.UsageError("--approval needs --approver PRINCIPAL and --reason TEXT")
    review = compared.review
    if review.digest is None:
        raise InputError(
            f"{review.head.name} has errors, so there is no plan to approve",
            hint="See them: reconciler plan without --approval.",
        )
    path, text = approval_file(
        compared.head,
        hosts or tuple(review.hosts),
        plan=review.digest,
        approver=approver,
        reason=reason,
        today=now.date(),
    )
    click.echo(f"# {path}\n{text}", nl=False)
    return 0


def _say(review: "Review", form: str) -> None:
    from reconciler.report import gate_document, gate_markdown, gate_text

    match form:
        case "json":
            emit(gate_document.as_document(review))
        case "markdown":
            click.echo(gate_markdown.render(review), nl=False)
        case _:
            click.echo(gate_text.render(review))
