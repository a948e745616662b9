"""``reconciler evidence prove`` and ``check-proof``: one entry shown without its repository."""

from pathlib import Path
from typing import Any

import click

from reconciler.cli.common import emit, json_option
from reconciler.cli.evidence_source import source_of, source_options

_FILE = click.Path(path_type=Path, dir_okay=False)
_MAX_BYTES = 8 * 1024 * 1024


@click.command()
@click.argument("seq", type=click.IntRange(0))
@source_options
@click.option("--note", type=_FILE, help="A cosigned checkpoint to prove it in, from a witness.")
@json_option
def prove(
    seq: int,
    config: Path | None,
    repository: Path | None,
    signers: Path | None,
    branch: str | None,
    note: Path | None,
    as_json: bool,
) -> None:
    """Write a proof that entry SEQ is in the log, for somebody without the repository.

    The proof (c2sp.org/tlog-proof) goes to stdout. Hand it over together with the entry's file
    (evidence show SEQ --raw); `reconciler evidence check-proof` checks the two. Without --note it
    rests on the log's own newest checkpoint; with a note that witnesses cosigned it shows that
    others saw the same log. The branch is proven first.
    """
    from reconciler.evidence.note import ED25519, verifier_key
    from reconciler.ledger.proofs import prove as make

    source = source_of(config, repository, signers)
    chosen = source.branch(branch)
    text = None if note is None else _read(note).decode("utf-8", "replace")
    made = make(source.repository, chosen, seq, note=text)
    if not as_json:
        click.echo(made.text, nl=False)
        return
    origin = f"reconciler/{chosen.client}/{chosen.host}"
    document = {
        "proof": made.text,
        "statementSha256": made.record.digest,
        "log": verifier_key(origin, ED25519, made.public),
    }
    emit(document)


@click.command("check-proof")
@click.argument("proof", type=_FILE)
@click.argument("entry", type=_FILE)
@click.option("--log", required=True, help="Verifier key of the log, from somebody you trust.")
@click.option("--witness", "witnesses", multiple=True, help="Verifier key of a witness; repeat.")
@click.option("--quorum", type=click.IntRange(0), help="How many must have cosigned. Default: all.")
@json_option
def check_proof(
    proof: Path,
    entry: Path,
    log: str,
    witnesses: tuple[str, ...],
    quorum: int | None,
    as_json: bool,
) -> None:
    """Check offline that ENTRY, the .dsse.json file of an entry, is in a log; exit 6 if it is not.

    Needs no repository: PROOF, the file, the log's verifier key (evidence prove --json names it;
    get it from somebody you trust) and those of witnesses.
    """
    from reconciler.evidence.note import parse_verifier_key
    from reconciler.evidence.tlog_proof import verify

    key = parse_verifier_key(log)
    known = {one.name: one.public for one in map(parse_verifier_key, witnesses)}
    proven = verify(
        _read(proof).decode("utf-8", "replace"),
        _digest(entry),
        origin=key.name,
        public=key.public,
        witnesses=known,
        quorum=len(known) if quorum is None else quorum,
    )
    checkpoint = proven.checkpoint
    if as_json:
        document: dict[str, Any] = {
            "index": proven.index,
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "cosigned": dict(proven.cosigned),
        }
        emit(document)
        return
    seen = ", ".join(sorted(proven.cosigned)) or "no witness"
    where = f"entry {proven.index} of the {checkpoint.size:,} entries of {checkpoint.origin}"
    click.echo(f"PROVEN: {entry} is {where}, cosigned by {seen}")


def _digest(path: Path) -> bytes:
    """SHA-256 of the statement in an envelope; that it is in the log vouches for it."""
    import hashlib
    from base64 import b64decode

    from reconciler.errors import EvidenceError
    from reconciler.evidence import canonical

    try:
        return hashlib.sha256(
            b64decode(canonical.decode(_read(path), _MAX_BYTES)["payload"])
        ).digest()
    except (KeyError, TypeError, ValueError) as error:
        hint = "Give the .dsse.json file of the entry: reconciler evidence show SEQ --raw."
        raise EvidenceError(f"{path} is not the file of an entry", hint=hint) from error


def _read(path: Path) -> bytes:
    from reconciler.errors import InputError, Where

    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise InputError(message, hint="Name a file.", where=Where(str(path))) from error
