"""``reconciler simulate``."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.common import emit, json_option

if TYPE_CHECKING:
    from reconciler.engine.simulation.fleet import Catalogues
    from reconciler.engine.simulation.simulate import Simulation
    from reconciler.engine.simulation.synthetic import Stream
    from reconciler.model.desired import DesiredState

_directory = click.Path(path_type=Path, file_okay=False, exists=True)
_file = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.option("--fleet", type=_directory, default=Path(), help="The fleet repository. Default: .")
@click.option("--host", "target", required=True, metavar="CLIENT/HOST", help="Which host.")
@click.option("--revision", help="Commit or branch to try. Default: the work tree as it is.")
@click.option("--compare", metavar="BASE", help="Say what is otherwise than at this revision.")
@click.option("--evidence", type=_directory, help="Replay what this evidence repository recorded.")
@click.option("--signers", type=_file, help="Who may sign that evidence; goes with --evidence.")
@click.option("--branch", metavar="CLIENT/HOST", help="Whose evidence. Default: that of --host.")
@click.option("--synthetic", type=_file, help="A stream of drift, as a YAML file.")
@click.option("--storm", type=click.IntRange(1, 200_000), help="So many drifts at random.")
@click.option("--days", type=click.IntRange(1, 366), default=7, help="Of the storm. Default: 7.")
@click.option(
    "--every", type=click.IntRange(1, 24 * 60), default=5, help="Minutes between runs. Default: 5."
)
@click.option("--seed", type=int, default=0, help="Of everything at random. Default: 0.")
@click.option(
    "--model",
    type=click.Choice(["never", "first", "random"]),
    default="never",
    help="What a language model would choose, where one may be asked. Default: never.",
)
@json_option
def command(
    fleet: Path,
    target: str,
    revision: str | None,
    compare: str | None,
    evidence: Path | None,
    signers: Path | None,
    branch: str | None,
    synthetic: Path | None,
    storm: int | None,
    days: int,
    every: int,
    seed: int,
    model: Any,
    as_json: bool,
) -> None:
    """Say what rules and guards would do, by letting them, on a machine that is not there.

    Nothing is touched: no machine, no network, no ledger. Prechecks are taken to hold.

    \b
    reconciler simulate --host smile/desk --storm 1000 --days 7 --seed 1
    reconciler simulate --host smile/desk --synthetic group-policy.yaml --compare origin/main
    reconciler simulate --host smile/desk --evidence smile.git --signers trust/evidence_signers
    """
    from reconciler.checks import catalogue as checks
    from reconciler.engine.simulation.fleet import Catalogues, state_of
    from reconciler.engine.simulation.simulate import simulate
    from reconciler.report.simulation import differences
    from reconciler.steps import catalogue as steps

    if [evidence, synthetic, storm].count(None) != 2:
        raise click.UsageError("give one of --evidence, --synthetic and --storm")
    catalogues = Catalogues(checks.load(), steps.load())
    head = state_of(fleet, revision, target, catalogues)
    notes: dict[str, Any] = {}
    if evidence is not None:
        stream, notes["left_out"] = _recorded(evidence, signers, branch or target, head)
    else:
        stream = _synthetic(synthetic, storm, days, seed, head)

    def run(state: "DesiredState") -> "Simulation":
        return simulate(
            state,
            stream,
            catalogues.checks,
            catalogues.steps,
            chooser=model,
            seed=seed,
            every=timedelta(minutes=every),
        )

    document = {"host": target, **notes, **run(head).document()}
    if compare is not None:
        base = run(_base(fleet, compare, target, catalogues)).document()
        document["differences"] = differences(base, {name: document[name] for name in base})
    _say(document, as_json)


def _synthetic(
    file: Path | None, storm: int | None, days: int, seed: int, state: "DesiredState"
) -> "Stream":
    from reconciler.engine.simulation import synthetic
    from reconciler.errors import MachineError

    if file is None:
        return synthetic.storm(state.rules, storm or 0, days=days, seed=seed)
    try:
        with file.open("rb") as opened:
            data = opened.read(synthetic.FILE_LIMIT + 1)
    except OSError as error:
        hint = "Give a file that you may read."
        raise MachineError(f"cannot read {file}: {error.strerror}", hint=hint) from error
    return synthetic.read_stream(data, str(file), state.rules)


def _recorded(
    evidence: Path, signers: Path | None, branch: str, state: "DesiredState"
) -> "tuple[Stream, dict[str, int]]":
    from reconciler.cli.evidence_source import source_of
    from reconciler.engine.simulation.replay import recorded
    from reconciler.ledger.reader import newest_first

    if signers is None:
        raise click.UsageError("--evidence needs --signers: nobody is trusted by default")
    place = source_of(None, evidence, signers).branch(branch)
    newest = list(newest_first(evidence, place.client, place.host, place.signers))
    found = recorded(reversed(newest), {rule.id for rule in state.rules})
    return found.stream, dict(found.left_out)


def _base(fleet: Path, compare: str, target: str, catalogues: "Catalogues") -> "DesiredState":
    from reconciler.engine.simulation.fleet import state_of

    return state_of(fleet, compare, target, catalogues)


def _say(document: dict[str, Any], as_json: bool) -> None:
    from reconciler.report.simulation import render, render_differences

    if as_json:
        emit(document)
        return
    world = document["world"]
    went = f"{world['drifts']:,} drifts: {world['healed']:,} healed, {world['vanished']:,} gone by"
    click.echo(render(f"{document['host']}: {went} themselves, {world['left']:,} left", document))
    for rule, count in sorted(document.get("left_out", {}).items()):
        click.echo(f"  left out: {count} of {rule}, which this revision does not have")
    if "differences" in document:
        click.echo("\n" + render_differences(document["differences"]))
