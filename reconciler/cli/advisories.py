"""``reconciler advisories``."""

from datetime import datetime
from pathlib import Path

import click

from reconciler.cli.gate_common import moment_of
from reconciler.errors import InputError, MachineError, Where


@click.command()
@click.argument("report", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--host", "target", required=True, metavar="CLIENT/HOST", help="Whose system it is.")
@click.option("--system", required=True, metavar="PATH", help="Store path that was scanned.")
@click.option(
    "--as-of",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Day of the advisories that the scanner had, UTC: 2026-01-31.",
)
@click.option(
    "--write",
    "fleet",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FLEET",
    help="Work tree of the fleet to put the document into. Default: stdout.",
)
@click.option(
    "--at", metavar="TIME", help="Take this for the time (2026-01-31T22:00:00Z). Default: now."
)
def command(
    report: Path, target: str, system: str, as_of: datetime, fleet: Path | None, at: str | None
) -> int:
    """Turn the REPORT of a vulnerability scanner into a document for people to sign.

    \b
    REPORT is CycloneDX JSON with `vulnerabilities`, as grype, trivy and others write
    it from a bill of materials. The document goes to
    policies/vulnerabilities/CLIENT/HOST.yaml; the check LNX-VULN-001 holds it
    against the system that runs there. A report of another system, one without
    packages, and one that is not understood whole are refused.

    \b
    Examples:
      reconciler sbom --system PATH --format cyclonedx --output desk.cdx.json
      grype sbom:desk.cdx.json --add-cpes-if-none -o cyclonedx-json --file desk.scan.json
      reconciler advisories desk.scan.json --host elm-street/desk --system PATH \\
        --as-of 2026-01-31 --write ~/fleet

    \b
    Exit 0: the document was written, whatever is open. 2: wrong usage. 5: this is no
    such report, or the fleet has no such host. 7: a file cannot be read or written.
    """
    from reconciler.desired.gate.advisories import vulnerabilities_of, vulnerabilities_text

    _check_names(target, system)
    document = vulnerabilities_of(_bytes(report), system, as_of.date(), moment_of(at))
    text = vulnerabilities_text(target, document)
    if fleet is None:
        click.echo(text, nl=False)
    else:
        _write(fleet, target, text)
    click.echo(
        f"{target}: {len(document.open)} open in {document.packages} packages, "
        f"scanned {document.scanned} with advisories of {document.advisories_as_of}",
        err=True,
    )
    return 0


def _check_names(target: str, system: str) -> None:
    import re

    from pydantic import TypeAdapter, ValidationError

    from reconciler.model.fleet_wide import Target
    from reconciler.model.system import STORE_PATH

    try:
        TypeAdapter(Target).validate_python(target)
    except ValidationError as error:
        raise click.UsageError("--host takes CLIENT/HOST, as the fleet names them") from error
    if re.fullmatch(STORE_PATH, system) is None:
        raise click.UsageError("--system takes the path of a system in the Nix store")


def _bytes(report: Path) -> bytes:
    from reconciler.desired.gate.advisories import MAX_BYTES

    try:
        with report.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot read {report}: {error.strerror}"
        raise MachineError(message, hint="Give a file that you may read.") from error


def _write(fleet: Path, target: str, text: str) -> None:
    from reconciler.desired import layout
    from reconciler.engine.whole_file import write_whole
    from reconciler.ledger.durable import on_disk

    host = layout.file_of("host", target)
    if not (fleet / host).is_file():
        hint = "Name a host of this work tree: --host CLIENT/HOST."
        raise InputError("there is no such host in the fleet", hint=hint, where=Where(host))
    file = fleet / layout.file_of("vulnerabilities", target)
    with on_disk(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, (text.encode(),))
