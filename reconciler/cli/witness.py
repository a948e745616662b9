"""``reconciler witness``."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.errors import ExitCode, ReconcilerError

if TYPE_CHECKING:
    from reconciler.evidence.witnessing import Look
    from reconciler.ledger.witness import Witness
    from reconciler.ledger.witness_server import WitnessServer

_DIRECTORY = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("repositories", nargs=-1, required=True, type=_DIRECTORY, metavar="REPOSITORY...")
@click.option(
    "--ledger",
    required=True,
    type=_DIRECTORY,
    help="The witness's own ledger: what it remembers. Keep it; a witness that forgot is none.",
)
@click.option("--key", required=True, type=_FILE, help="The witness's own Ed25519 key.")
@click.option("--name", required=True, help="Name of the witness: hub. It signs as witness/NAME.")
@click.option(
    "--signers",
    required=True,
    type=_FILE,
    help="allowed_signers file with the appliances' keys, from somebody you trust.",
)
@click.option("--begin", is_flag=True, help="Make the ledger first, once in a witness's life.")
@click.option(
    "--serve",
    metavar="ADDRESS",
    help="Stay and answer over HTTP too: HOST:PORT, [IPv6]:PORT or unix:/PATH.",
)
@click.option(
    "--every",
    default=300,
    show_default=True,
    type=click.IntRange(10, 86_400),
    help="With --serve: seconds between two looks at the repositories.",
)
@json_option
def command(
    repositories: tuple[Path, ...],
    ledger: Path,
    key: Path,
    name: str,
    signers: Path,
    begin: bool,
    serve: str | None,
    every: int,
    as_json: bool,
) -> int:
    """Vouch for logs that only grew; exit 6 when one did not.

    \b
    Looks at every appliance's branch of each REPOSITORY (a clone on the hub, or
    another appliance's) and proves what is new since it last looked. It
      COSIGNED   signed the newest checkpoint: this log, this size, this root, now
      UNCHANGED  found no newer checkpoint, and nothing wrong
      WAITING    found no checkpoint yet
      REFUSED    keeps what it was shown as a signed entry of its own ledger:
                 shorter-than-witnessed, equivocation (another root for a size it
                 vouched for), or the code of whatever does not verify

    \b
    A witness is worth as much as it is apart from the appliance and whoever keeps
    the repository: its own machine, its own key, copies of its ledger elsewhere.

    \b
    First time:
      reconciler keys generate witness.key --comment witness/hub
      reconciler witness evidence.git --ledger witness.git --key witness.key \\
                         --name hub --signers allowed_signers --begin
    With --serve it stays until SIGTERM, looks again at its interval, and logs can
    ask it over HTTP (c2sp.org/tlog-witness); put TLS in front of it.
    """
    from reconciler.engine.clock import SystemClock
    from reconciler.ledger import keys
    from reconciler.ledger.verify import load_signers
    from reconciler.ledger.witness import Witness
    from reconciler.ledger.witness_memory import LedgerMemory

    clock, private, allowed = SystemClock(), keys.load(key), load_signers(signers)
    if begin:
        LedgerMemory.begin(ledger, name, private, signers.resolve(), clock.now())
    with LedgerMemory.open(ledger, name, private) as memory:
        witness = Witness(name, private, memory, allowed, clock)
        if serve is None:
            return _look(witness, repositories, as_json)
        return _stay(witness, repositories, serve, every, as_json)


def _look(witness: "Witness", repositories: Sequence[Path], as_json: bool) -> int:
    looks = [look for repository in repositories for look in witness.look(repository)]
    _show(witness, looks, as_json)
    fine = all(look.objection is None for look in looks)
    return 0 if fine else int(ExitCode.EVIDENCE)


def _stay(
    witness: "Witness", repositories: Sequence[Path], address: str, every: int, as_json: bool
) -> int:
    from reconciler.engine.stop import Stop
    from reconciler.ledger.witness_server import WitnessServer, parse_address

    with (
        closing(Stop()) as stop,
        WitnessServer(witness, parse_address(address), _complain) as server,
        stop.on_signals(),
    ):
        _say_where(server, as_json)
        while not stop.asked():
            for repository in repositories:
                _look_and_go_on(witness, repository, as_json)
            stop.wait(every)
    return 0


def _look_and_go_on(witness: "Witness", repository: Path, as_json: bool) -> None:
    try:
        looks = witness.look(repository)
    except ReconcilerError as error:
        _complain(error)
        return
    news = [look for look in looks if look.cosigned or look.objection is not None]
    if news:
        _show(witness, news, as_json)


def _show(witness: "Witness", looks: "Sequence[Look]", as_json: bool) -> None:
    from reconciler.evidence.note import COSIGNATURE, verifier_key
    from reconciler.report.witness import as_document, render

    if as_json:
        public = verifier_key(witness.name, COSIGNATURE, witness.public)
        emit(as_document(witness.name, public, looks))
    else:
        click.echo(render(looks))


def _say_where(server: "WitnessServer", as_json: bool) -> None:
    address = server.address
    text = address if isinstance(address, str) else f"{address[0]} port {address[1]}"
    click.echo(f"witness answers at {text}", err=as_json)


def _complain(error: ReconcilerError) -> None:
    click.echo(f"error: {error}", err=True)
    click.echo(f"  hint: {error.hint}", err=True)
