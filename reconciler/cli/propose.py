"""``reconciler propose``."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.common import emit, json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.desired.attest.clone import AttestClone
    from reconciler.engine.inquiry.propose import Given
    from reconciler.evidence.record import Branch
    from reconciler.learn.proposal import Proposals

_directory = click.Path(path_type=Path, file_okay=False, exists=True)
_file = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.option("--evidence", type=_directory, multiple=True, required=True, help="Evidence to read.")
@click.option(
    "--signers",
    type=_file,
    multiple=True,
    required=True,
    help="Who may sign it; one for each --evidence, in the same order.",
)
@click.option("--fleet", type=_directory, default=Path(), help="A clone of the fleet. Default: .")
@click.option("--base", default="HEAD", show_default=True, help="Revision to stand on.")
@click.option("--branch", metavar="NAME", help="Branch to make. Default: propose/DIGEST.")
@click.option("--key", type=_file, help="Your OpenSSH key; without it, you sign with git.")
@click.option("--dry-run", is_flag=True, help="Write no branch.")
@json_option
def command(
    evidence: tuple[Path, ...],
    signers: tuple[Path, ...],
    fleet: Path,
    base: str,
    branch: str | None,
    key: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Propose rules from choices that keep succeeding, and an end to rules that fail.

    Writes a branch of the clone and nothing else: no checkout, no push. Whoever signs it is its
    author, and nobody agrees with a change of their own.

    \b
    reconciler propose --evidence smile.git --signers trust/evidence_signers --fleet fleet
    """
    from reconciler.desired.attest.clone import AttestClone
    from reconciler.engine.inquiry.propose import propose

    clone = AttestClone(fleet)
    start = clone.commit(base)
    found = propose(_given(fleet, start, _sources(evidence, signers)))
    document = found.document()
    if found.files and not dry_run:
        name = branch or found.name
        document |= {"branch": name, "base": start}
        document["commit"] = _write(clone, start, name, found, key)
        document["commands"] = _commands(fleet, name, signed=key is not None)
    _say(document, as_json)


def _sources(
    evidence: tuple[Path, ...], signers: tuple[Path, ...]
) -> "list[tuple[Path, Sequence[Branch]]]":
    from reconciler.cli.evidence_source import source_of

    if len(evidence) != len(signers):
        raise click.UsageError("each --evidence needs its --signers: nobody is trusted by default")
    pairs = zip(evidence, signers, strict=True)
    return [(one, source_of(None, one, file).branches()) for one, file in pairs]


def _given(fleet: Path, base: str, sources: "list[tuple[Path, Sequence[Branch]]]") -> "Given":
    from reconciler.checks import catalogue as checks
    from reconciler.engine.inquiry.propose import Given, read_histories
    from reconciler.engine.simulation.fleet import Catalogues, reading_of
    from reconciler.steps import catalogue as steps

    catalogues = Catalogues(checks.load(), steps.load())
    reading = reading_of(fleet, base, catalogues)
    return Given(reading, reading.files, read_histories(sources), catalogues)


def _write(clone: "AttestClone", base: str, name: str, found: "Proposals", key: Path | None) -> str:
    from reconciler.cli.attest_keys import load
    from reconciler.desired.proposing import write_branch
    from reconciler.engine.clock import SystemClock
    from reconciler.transport.location import check_branch

    return write_branch(
        clone.repository,
        base,
        check_branch(name),
        found.files,
        message=_message(found),
        at=SystemClock().now(),
        key=None if key is None else load(key).to_sign_with(),
    )


def _message(found: "Proposals") -> str:
    lines = [f"add {one.rule.id}" for one in found.promoted]
    lines += [f"switch off {one.demotion.rule.id}" for one in found.demoted]
    return "Follow what evidence taught\n\n" + "\n".join(lines) + "\n"


def _commands(fleet: Path, name: str, *, signed: bool) -> list[str]:
    git = f"git -C {shlex.quote(str(fleet))}"
    sign = [] if signed else [f"{git} commit --amend --no-edit --gpg-sign"]
    return [f"{git} switch {name}", *sign, f"{git} push origin {name}"]


def _say(document: dict[str, Any], as_json: bool) -> None:
    from reconciler.report.proposal import render

    if as_json:
        emit(document)
        return
    click.echo(render(document))
    if "branch" in document:
        click.echo(f"\nbranch {document['branch']} ({document['commit'][:12]}); read it, then:")
        click.echo("\n".join(f"  {line}" for line in document["commands"]))
