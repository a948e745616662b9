"""``reconciler verify-intent``."""

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.common import config_option, emit, home_of, json_option
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.desired.clone import Judgement
    from reconciler.desired.trust.rulings import Ruling


@click.command()
@click.argument("commit")
@config_option
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A clone of the fleet repository, to ask before you push.",
)
@click.option(
    "--signers",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The allowed signers that appliances pin; without --accepted or --pin it is needed.",
)
@click.option("--accepted", metavar="REV", help="What appliances have accepted: origin/main.")
@click.option("--branch", help="The branch that COMMIT is for. Default: main.")
@click.option("--pin", metavar="REV", help="The commit that the settings of appliances pin.")
@click.option(
    "--attestations",
    metavar="REV",
    help="Branch or commit with the approvals. Default: attestations, if it is there.",
)
@json_option
def command(
    commit: str,
    config: Path | None,
    repository: Path | None,
    signers: Path | None,
    accepted: str | None,
    branch: str | None,
    pin: str | None,
    attestations: str | None,
    as_json: bool,
) -> int:
    """Say of every rule of trust whether it holds for COMMIT, and what to do where it does not.

    With --repository: a clone, before anything is pushed. Without: this appliance's mirror, held
    against what its ledger says was accepted. It is the code by which appliances decide. Nothing is
    fetched and nothing is changed.

    \b
    reconciler verify-intent HEAD --repository . --accepted origin/main
    reconciler verify-intent main --config /etc/reconciler/reconciler.yaml

    \b
    Exit codes: 0 every rule holds, 4 the commit is refused or would be held, 5 bad input.
    """
    from reconciler.desired.clone import Names
    from reconciler.engine.clock import SystemClock

    now = SystemClock().now()
    options = (signers, accepted, branch, pin, attestations)
    if repository is None:
        if any(option is not None for option in options):
            raise click.UsageError("--signers, --accepted and the like go with --repository")
        judgement = _on_appliance(config, commit, now)
    else:
        if config is not None:
            raise click.UsageError("--repository goes without --config")
        if signers is None and accepted is None and pin is None:
            raise click.UsageError("--repository goes with --accepted, --pin or --signers")
        names = Names(commit, accepted, pin, attestations)
        judgement = _in_clone(repository, signers, names, branch or "main", now)
    if as_json:
        emit(_document(judgement))
    else:
        _print(judgement)
    return int(ExitCode.CLEAN if _holds(judgement) else ExitCode.REFUSED)


def _on_appliance(config: Path | None, commit: str, now: datetime) -> "Judgement":
    from reconciler.engine.trusted.judge import judge_intent

    return judge_intent(home_of(config), commit, now)


def _in_clone(
    repository: Path, signers: Path | None, names: Any, branch: str, now: datetime
) -> "Judgement":
    from reconciler.desired.clone import judge_clone
    from reconciler.evidence.signers import AllowedSigners
    from reconciler.ledger.verify import load_signers

    pinned = AllowedSigners("pinned", ()) if signers is None else load_signers(signers)
    return judge_clone(repository, names, pinned, now, branch=branch)


def _holds(judgement: "Judgement") -> bool:
    from reconciler.desired.trust.rulings import Effect

    return all(ruling.held or ruling.effect is Effect.NOTHING for ruling in judgement.rulings)


def _document(judgement: "Judgement") -> dict[str, Any]:
    return {
        "ok": _holds(judgement),
        "commit": judgement.commit,
        "accepted": judgement.accepted,
        "branch": judgement.branch,
        "attestations": judgement.attestations,
        "unread": [{"path": path, "reason": why} for path, why in judgement.unread],
        "rulings": [
            {
                "rule": ruling.rule,
                "commit": ruling.commit,
                "held": ruling.held,
                "reason": ruling.reason,
                "words": ruling.words,
                "hint": ruling.hint,
                "path": ruling.path,
                "owner": ruling.owner,
                "people": list(ruling.people),
                "effect": None if ruling.held else ruling.effect.value,
                "detail": ruling.detail,
            }
            for ruling in judgement.rulings
        ],
    }


def _print(judgement: "Judgement") -> None:
    against = f"held against {judgement.accepted[:12]}" if judgement.accepted else "at enrolment"
    click.echo(f"commit {judgement.commit[:12]} on branch {judgement.branch}, {against}")
    by_commit: dict[str, list[Ruling]] = defaultdict(list)
    for ruling in judgement.rulings:
        by_commit[ruling.commit or judgement.commit].append(ruling)
    for commit, rulings in by_commit.items():
        click.echo(f"\n{commit[:12]}")
        for ruling in rulings:
            _print_ruling(ruling)
    for path, why in judgement.unread:
        click.echo(f"left out: {path}: {why}")
    failed = [ruling for ruling in judgement.rulings if not ruling.held]
    click.echo(f"\n{_verdict(judgement, failed)}")


def _print_ruling(ruling: "Ruling") -> None:
    mark = click.style("ok  ", fg="green") if ruling.held else click.style("FAIL", fg="red")
    about = f"{ruling.path} (rule {ruling.owner}) " if ruling.held and ruling.path else ""
    click.echo(f"  {mark} {ruling.rule:<16} {about}{ruling.words}")
    if not ruling.held:
        detail = f" ({ruling.detail})" if ruling.detail else ""
        click.echo(f"       {ruling.reason}{detail}")
        click.echo(f"       hint: {ruling.hint}")


def _verdict(judgement: "Judgement", failed: "list[Ruling]") -> str:
    if not failed:
        return "accepted: every rule holds"
    refusing = [ruling for ruling in failed if ruling.refuses]
    if refusing:
        return f"refused: {refusing[0].reason}"
    return "accepted: every rule holds" if _holds(judgement) else f"held: {failed[0].reason}"
