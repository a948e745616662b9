"""``reconciler verify``."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.errors import ExitCode, InputError

if TYPE_CHECKING:
    from reconciler.evidence.signers import AllowedSigners
    from reconciler.ledger.extra import Extra, Known
    from reconciler.ledger.gather import Progress
    from reconciler.ledger.verify import Verification

_FILE = click.Path(path_type=Path, dir_okay=False)
_DIRECTORY = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("evidence", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--signers",
    required=True,
    type=_FILE,
    help="allowed_signers file with the appliances' keys, from somebody you trust.",
)
@click.option("--branch", help="Audit one branch: CLIENT/HOST. Default: all of them.")
@click.option("--roots", type=_DIRECTORY, help="Folder of roots to check proofs of time with.")
@click.option(
    "--seen",
    multiple=True,
    type=_FILE,
    help="A cosigned checkpoint that you kept or were given; may be repeated.",
)
@click.option(
    "--against",
    type=_DIRECTORY,
    help="Another clone: two histories by one key, or a cut one, are found.",
)
@click.option("--copies", type=_FILE, help="Settings of the store with the copies: asks it too.")
@click.option("--cache", type=_FILE, help="Remember what is proven there; look only at news.")
@click.option("--strict", is_flag=True, help="Exit 3 when anything is left unproven.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes. Default: one a core.")
@click.option("--sarif", type=_FILE, help="Write findings there as SARIF 2.1.0 too.")
@json_option
def command(
    evidence: tuple[Path, ...],
    signers: Path,
    branch: str | None,
    roots: Path | None,
    seen: tuple[Path, ...],
    against: Path | None,
    copies: Path | None,
    cache: Path | None,
    strict: bool,
    jobs: int | None,
    sarif: Path | None,
    as_json: bool,
) -> int:
    """Audit a whole evidence repository offline; exit 6 when anything is wrong.

    EVIDENCE is a repository (bare or a clone), or Git bundles of one, oldest first.

    Every byte under its objects and refs is checked, every commit parsed from raw bytes, every
    signature, number, link of the chain and root of the log verified; keys are judged by their
    place in the log, gaps by the interval that was promised, checkpoints by the log itself.
    Witnesses, proofs of time and copies are optional: each that is missing is said to be missing.
    Unverified is never accepted: each fault is printed with its place.

    \b
    Exit codes: 0 verified, 3 verified but not everything is proven (--strict),
                6 something is wrong, 5 a file that you named is wrong.
    """
    from reconciler.ledger.verify import load_signers, verify

    allowed = load_signers(signers)
    wanted = {_branch(branch)} if branch else None
    with _repository(evidence) as repository:
        extra = _extra(allowed, signers, roots, seen, copies, cache, jobs, _known(against, allowed))
        result = verify(repository, allowed, branches=wanted, extra=extra)
    if extra.cache is not None and result.ok:
        extra.cache.store()
    return _say(result, strict, sarif, as_json)


def _say(result: "Verification", strict: bool, sarif: Path | None, as_json: bool) -> int:
    from reconciler.report.audit import as_document, render

    if sarif is not None:
        from reconciler.report.sarif import sarif as as_sarif
        from reconciler.version import __version__

        sarif.write_bytes(as_sarif(result, __version__))
    if as_json:
        emit(as_document(result))
    else:
        click.echo(render(result))
    if not result.ok:
        return int(ExitCode.EVIDENCE)
    return int(ExitCode.UNKNOWN) if strict and result.unproven else int(ExitCode.CLEAN)


@contextmanager
def _repository(evidence: tuple[Path, ...]) -> Iterator[Path]:
    """The repository, made from its bundles if need be."""
    if len(evidence) == 1 and evidence[0].is_dir():
        yield evidence[0]
        return
    if any(path.is_dir() for path in evidence):
        message = "a repository is audited alone, and bundles without one"
        raise InputError(message, hint="Give one directory, or one or more bundle files.")
    from reconciler.ledger.packing.unpack import unpack_bundle

    with tempfile.TemporaryDirectory(prefix="reconciler-audit-") as directory:
        unpack_bundle(evidence, Path(directory))
        yield Path(directory)


def _extra(
    allowed: "AllowedSigners",
    signers: Path,
    roots: Path | None,
    seen: tuple[Path, ...],
    copies: Path | None,
    cache: Path | None,
    jobs: int | None,
    known: "tuple[Known, ...]",
) -> "Extra":
    from reconciler.engine.clock import SystemClock
    from reconciler.evidence.fault import Place
    from reconciler.evidence.testimony import Saying
    from reconciler.ledger.anchors.judge import Trust
    from reconciler.ledger.audit_cache import AuditCache
    from reconciler.ledger.extra import Extra
    from reconciler.ledger.gather import cores
    from reconciler.ledger.roots import load_trust
    from reconciler.ledger.worm.settings import load_store
    from reconciler.ledger.worm.store import WormStore

    said = tuple(Saying(Place(path=str(file)), _text(file)) for file in seen)
    return Extra(
        said=said,
        trust=load_trust(roots) if roots is not None else Trust(),
        known=known,
        store=WormStore(load_store(copies)) if copies is not None else None,
        now=SystemClock().now() if copies is not None else None,
        cache=AuditCache.load(cache, signers.read_bytes()) if cache is not None else None,
        jobs=jobs or cores(),
        progress=_progress,
    )


def _known(against: Path | None, allowed: "AllowedSigners") -> "tuple[Known, ...]":
    """The state of every log in another clone, which must itself verify."""
    if against is None:
        return ()
    from reconciler.ledger.extra import Known
    from reconciler.ledger.verify import verify

    other = verify(against, allowed)
    if not other.ok:
        message = f"{against} {other.sentence}"
        raise InputError(message, hint="Verify it alone first; compare with a clone that holds.")
    return tuple(
        Known(report.ref, report.log.size, report.log.root(), str(against))
        for report in other.branches
        if report.log is not None
    )


def _progress(ref: str) -> "Progress":
    if not sys.stderr.isatty():
        return lambda _done, _total: None
    name = ref.removeprefix("refs/heads/")
    return lambda done, total: click.echo(f"… {name}: {done:,} of {total:,} entries", err=True)


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(64 * 1024).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} cannot be read as a checkpoint: {error}"
        raise InputError(message, hint="Give the text of a signed note.") from error


def _branch(text: str) -> tuple[str, str]:
    client, slash, host = text.partition("/")
    if not slash or not client or not host:
        raise click.BadParameter("must be CLIENT/HOST", param_hint="--branch")
    return client, host
