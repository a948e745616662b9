"""``reconciler evidence export``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from reconciler.cli.common import home_of
from reconciler.cli.evidence_source import Source, source_of, source_options

if TYPE_CHECKING:
    from reconciler.evidence.record import Branch
    from reconciler.report.control_state import ControlFacts
    from reconciler.report.period import Period
    from reconciler.report.survey import Survey

FORMATS = ("oscal", "intoto", "svr")


@click.command()
@click.argument("form", metavar="|".join(FORMATS), type=click.Choice(FORMATS))
@source_options
@click.option("--period", "name", help="A month (2026-03) or a day (2026-03-01), in UTC.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Default: stdout.")
@click.option(
    "--framework",
    "frameworks",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="oscal: a framework of the fleet repository. Default: those of the appliance's fleet.",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="svr: sign the statement with this Ed25519 key. Default: unsigned.",
)
def command(
    form: str,
    config: Path | None,
    repository: Path | None,
    signers: Path | None,
    branch: str | None,
    name: str | None,
    out: Path | None,
    frameworks: tuple[Path, ...],
    key: Path | None,
) -> int:
    """Write evidence for other tools.

    \b
    oscal   OSCAL assessment results of one host and a day or a month
    intoto  the DSSE envelopes of a day or a month as they are stored, one a line (.intoto.jsonl)
    svr     an in-toto Simple Verification Result of the whole repository, as of now
    """
    source = source_of(config, repository, signers)
    if form == "svr":
        return _svr(source, out, key)
    from reconciler.report.period import parse

    if name is None:
        raise click.UsageError("--period is needed: a month or a day")
    period, chosen = parse(name), source.branch(branch)
    if form == "intoto":
        return _intoto(source, chosen, period, out)
    return _oscal(source, chosen, period, out, config if repository is None else None, frameworks)


def _oscal(
    source: Source,
    branch: "Branch",
    period: "Period",
    out: Path | None,
    config: Path | None,
    frameworks: tuple[Path, ...],
) -> int:
    from reconciler.ledger.reader import newest_first
    from reconciler.ledger.stored import Shelf
    from reconciler.report.oscal import oscal
    from reconciler.report.survey import survey

    records = newest_first(source.repository, branch.client, branch.host, branch.signers)
    found = survey(records, branch.client, branch.host, period)
    given = bool(frameworks) or source.own is None
    controls = _named(frameworks) if given else _of_fleet(config, found)
    document = oscal(found, controls, Shelf(source.repository, branch).sha256)
    with _output(out) as file:
        file.write(document)
    click.echo(f"{found.runs} runs, {len(found.spans)} observations, {period.name}", err=True)
    return 0


def _intoto(source: Source, branch: "Branch", period: "Period", out: Path | None) -> int:
    from reconciler.ledger.reader import newest_first
    from reconciler.ledger.stored import Shelf
    from reconciler.report.intoto import Written, in_period, line

    shelf, written = Shelf(source.repository, branch), Written()
    records = newest_first(source.repository, branch.client, branch.host, branch.signers)
    with _output(out) as file:
        for record in in_period(records, period):
            envelope = shelf.take(record).envelope
            if envelope is None:
                written.left_out += 1
                continue
            file.write(line(envelope))
            written.envelopes += 1
    click.echo(written.sentence, err=True)
    return 0


def _svr(source: Source, out: Path | None, key: Path | None) -> int:
    from reconciler.engine.clock import SystemClock
    from reconciler.errors import ExitCode
    from reconciler.evidence import dsse
    from reconciler.evidence.canonical import digest
    from reconciler.evidence.entry import stamp
    from reconciler.ledger import keys
    from reconciler.ledger.verify import verify
    from reconciler.report.svr import Policy, statement
    from reconciler.version import __version__

    signer = None if key is None else keys.load(key)
    result = verify(source.repository, source.allowed)
    policy = Policy("allowed_signers", digest(source.signers_file.read_bytes()))
    said = statement(result, policy, __version__, stamp(SystemClock().now()))
    with _output(out) as file:
        file.write(said if signer is None else dsse.seal(said, dsse.PAYLOAD_TYPE, signer))
        file.write(b"\n")
    click.echo(result.sentence, err=True)
    return 0 if result.ok else int(ExitCode.EVIDENCE)


def _named(files: tuple[Path, ...]) -> "list[ControlFacts]":
    """Controls of framework files."""
    from reconciler.report.control_state import ControlFacts

    if not files:
        return []
    from reconciler.desired import strict_yaml
    from reconciler.desired.validation import validate
    from reconciler.model.framework import Framework

    read = [validate(strict_yaml.load(f.read_bytes(), str(f)), Framework) for f in files]
    return [
        ControlFacts(f"{framework.id}:{control.id}", control.title, control.evidence)
        for framework in read
        for control in framework.controls
    ]


def _of_fleet(config: Path | None, found: "Survey") -> "list[ControlFacts]":
    """Controls of the client's frameworks in the desired state that was in force last, if any."""
    from reconciler.desired.fleet import read_fleet
    from reconciler.engine.appliance import fleet_source
    from reconciler.report.control_state import ControlFacts

    if not found.desired:
        return []
    fleet = read_fleet(fleet_source(home_of(config)).read_files(found.desired[-1][0]))
    return [
        ControlFacts(name, control.title, control.evidence)
        for name, control in fleet.controls_of(found.client).items()
    ]


@contextmanager
def _output(out: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file that appears complete or not at all."""
    from reconciler.ledger.durable import flush, on_disk

    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = out.with_name(f".{out.name}.partial")
    with on_disk(out):
        try:
            with partial.open("wb") as file:
                yield file
                flush(file)
            partial.replace(out)
        finally:
            partial.unlink(missing_ok=True)
