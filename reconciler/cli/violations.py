"""``reconciler violations``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import config_option, emit, home_of, json_option
from reconciler.errors import ExitCode, InputError

if TYPE_CHECKING:
    from reconciler.engine.inquiry.violations import Suggester, Violated


@click.command()
@click.argument("path", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--suggest",
    type=click.IntRange(1, 20),
    metavar="N",
    help="Ask the language model of the settings (advise) for up to N more for each rule.",
)
@config_option
@json_option
def command(path: Path, suggest: int | None, config: Path | None, as_json: bool) -> int:
    """Break every rule of the fleet at PATH on paper, and see each judged a failure.

    Values are made from what a rule expects and what its check declares; with --suggest also by a
    language model, which sees the texts of checks and rules and nothing of a client. A suggestion
    counts only when the rule calls it a failure. Exit code 1 when a rule does not fail as it must.
    """
    from reconciler.checks import catalogue as checks
    from reconciler.desired.gate.reading import read_work_tree
    from reconciler.engine.inquiry.violations import judged_rules
    from reconciler.steps import catalogue as steps

    reading = read_work_tree(path, checks.load(), steps.load())
    if not reading.whole:
        raise InputError("the fleet has errors", hint=f"See: reconciler check {path}")
    suggester = None if suggest is None else _suggester(config, suggest)
    found = list(judged_rules(reading, checks.load(), suggester))
    if as_json:
        emit([asdict(one) for one in found])
    else:
        click.echo("\n".join(_lines(found, suggester)))
    return int(ExitCode.DRIFT) if any(one.wrong for one in found) else 0


def _suggester(config: Path | None, most: int) -> "Suggester":
    from reconciler.advise.ask import Remote
    from reconciler.engine.advice.endpoint import adviser_of
    from reconciler.engine.inquiry.violations import Suggester

    home = home_of(config)
    remote = adviser_of(home)
    if not isinstance(remote, Remote):
        hint = "Add advise to it (docs/howto/advice.md), or leave --suggest out."
        raise InputError(
            "the settings name no language model", hint=hint, where=home.where("advise")
        )
    return Suggester(remote, most)


def _lines(found: "list[Violated]", suggester: "Suggester | None") -> list[str]:
    lines = []
    for one in found:
        if one.wrong:
            lines.append(f"{one.rule}: not judged a failure when broken: {', '.join(one.wrong)}")
        lines += [f"{one.rule}: {name} = {value!r}" for name, value in one.suggested]
    rules, made = len(found), sum(one.made for one in found)
    wrong = sum(bool(one.wrong) for one in found)
    lines.append(f"{rules} rules, {made} violations; {wrong} rules do not fail as they must")
    if suggester is not None:
        kept, dropped = sum(len(o.suggested) for o in found), sum(o.dropped for o in found)
        unused = sorted({one.trouble for one in found} - {""})
        lines.append(f"{suggester.asked} questions: {kept} suggestions kept, {dropped} dropped")
        lines += [f"of no use for some rules: {why}" for why in unused]
    return lines
