"""``reconciler evidence anchor``: the hub records what CI signed."""

from contextlib import closing
from pathlib import Path

import click

from reconciler.cli.common import emit, json_option
from reconciler.errors import EvidenceError

_DIRECTORY = click.Path(path_type=Path, file_okay=False, exists=True)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.argument("bundles", nargs=-1, required=True, type=_FILE, metavar="BUNDLE...")
@click.option("--repository", required=True, type=_DIRECTORY, help="The evidence repository.")
@click.option("--signers", required=True, type=_FILE, help="allowed_signers of the appliances.")
@click.option("--roots", required=True, type=_DIRECTORY, help="Folder with sigstore/.")
@click.option("--ledger", required=True, type=_DIRECTORY, help="The hub's own witness ledger.")
@click.option("--name", required=True, help="Name of the witness: hub.")
@click.option("--key", required=True, type=_FILE, help="The witness's own Ed25519 key.")
@json_option
def command(
    bundles: tuple[Path, ...],
    repository: Path,
    signers: Path,
    roots: Path,
    ledger: Path,
    name: str,
    key: Path,
    as_json: bool,
) -> int:
    """Record checkpoints that CI signed with sigstore, as entries of the hub's ledger.

    BUNDLE is a file as ci/sign_checkpoint.py wrote it. The repository is verified first, then each
    bundle against the pinned root and identities; what does not verify is not recorded.

    \b
    Exit codes: 0 recorded, 6 something does not verify, 5 a file that you named is wrong.
    """
    from reconciler.engine.clock import SystemClock
    from reconciler.ledger import keys
    from reconciler.ledger.hub import keep_bundle
    from reconciler.ledger.roots import load_trust
    from reconciler.ledger.verify import load_signers, verify
    from reconciler.ledger.witness_memory import LedgerMemory

    verified = verify(repository, load_signers(signers))
    if not verified.ok:
        raise EvidenceError(
            f"{repository} {verified.sentence}", hint="Run reconciler verify; record nothing of it."
        )
    trust, clock = load_trust(roots), SystemClock()
    with closing(LedgerMemory.open(ledger, name, keys.load(key))) as memory:
        kept = [keep_bundle(one, verified, trust, memory, clock.now()) for one in bundles]
    if as_json:
        emit([{"ref": one.ref, "size": one.size, "authority": one.proof.authority} for one in kept])
    else:
        for one in kept:
            click.echo(f"recorded: {one.ref}, first {one.size:,} entries, {one.proof.detail}")
    return 0
