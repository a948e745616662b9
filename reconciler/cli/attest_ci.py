"""``reconciler attest release`` and ``heartbeat``: what CI signs, with a key or as itself."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.attest_common import (
    Desk,
    Ending,
    branch_option,
    clone_options,
    file_type,
    finish,
    finish_with_key,
    key_option,
    output_options,
)

if TYPE_CHECKING:
    from reconciler.cli.attest_keys import Key
    from reconciler.desired.attest.keyless import Believers
    from reconciler.trust.statements import Heartbeat, Release, System

F = TypeVar("F", bound=Callable[..., Any])


def signing_options(command: F) -> F:
    """With what CI signs, and where the statement goes."""
    options = (
        branch_option,
        key_option,
        click.option("--keyless", is_flag=True, help="Sign with sigstore, as this CI job."),
        click.option(
            "--identity-token-file",
            type=file_type,
            help="With --keyless: a token for the audience sigstore, if CI gives none by itself.",
        ),
        click.option(
            "--trust-config",
            type=file_type,
            help="With --keyless: where to sign. Default: the public Sigstore.",
        ),
        clone_options,
        output_options,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.option(
    "--counter",
    type=click.IntRange(1, 2**53 - 1),
    help="At least this number: needed when the key of the last heartbeat is listed no more.",
)
@click.option("--commit", "revision", default="HEAD", show_default=True, help="The newest commit.")
@signing_options
def heartbeat(revision: str, counter: int | None, branch: str, **options: Any) -> None:
    """Sign that a commit is the newest of a branch, numbered after the heartbeat before.

    Appliances that were promised one stop acting when the newest is too old, so that nobody can
    keep a change from them by showing an old state.
    """
    from reconciler.desired.attest.counter import next_counter
    from reconciler.trust.statements import Heartbeat, write

    desk, key = desk_of(options), signer_of(options)
    commit = desk.clone.commit(revision)
    case = desk.clone.case(commit, commit, branch, desk.branch.read(desk.now), desk.now)
    say_if_it_will_not_count(desk, key, branch, commit, "heartbeat")
    number, unread = next_counter(case)
    for path, why in unread:
        click.echo(f"note: {path} is not counted: {why}", err=True)
    number = max(number, counter or 1)
    beat = Heartbeat(branch, commit, desk.clone.digest(commit), number, desk.now)
    sign(desk, write(beat), options, key)


@click.command()
@click.argument("revision", default="HEAD")
@click.option(
    "--system",
    "systems",
    multiple=True,
    metavar="CLIENT/HOST=DRV,PATH,NAR",
    help="A system that was built: store paths of derivation and result, SHA-256 of its NAR.",
)
@signing_options
def release(revision: str, systems: tuple[str, ...], branch: str, **options: Any) -> None:
    """Vouch for REVISION (default: HEAD): commit, tree, a digest of every file, what was built."""
    from reconciler.trust.statements import Release, write

    desk, key = desk_of(options), signer_of(options)
    clone, commit = desk.clone, desk.clone.commit(revision)
    say_if_it_will_not_count(desk, key, branch, commit, "release")
    signed = Release(
        branch,
        commit,
        clone.digest(commit),
        clone.tree(commit),
        clone.files_digest(commit),
        desk.now,
        dict(map(_system, systems)),
    )
    sign(desk, write(signed), options, key)


def desk_of(options: dict[str, Any]) -> Desk:
    """Open the clone that the options name."""
    names = ("repository", "attestations", "remote", "as_json")
    return Desk.open(*(options[name] for name in names))


def _system(text: str) -> tuple[str, "System"]:
    from reconciler.trust.statements import System

    host, equals, rest = text.partition("=")
    parts = rest.split(",")
    if not equals or len(parts) != 3:
        raise click.UsageError("--system takes CLIENT/HOST=DRV,PATH,NAR")
    drv, path, nar_sha256 = parts
    return host, System(drv, path, nar_sha256)


def signer_of(options: dict[str, Any]) -> "Key | None":
    """The key that the options name; None: this job signs as itself, or somebody elsewhere.

    Asked for before anything is built or counted, so that nobody waits for an error.

    Raises:
        click.UsageError: Not exactly one way of signing is chosen.
        KeyMissing: The key cannot be used, or signs nothing.
    """
    from reconciler.cli.attest_keys import load

    file: Path | None = options["key"]
    chosen = [options["keyless"], file is not None, options["unsigned"] is not None]
    if sum(chosen) != 1:
        raise click.UsageError("give one of --key FILE, --keyless or --unsigned FILE")
    if file is None:
        return None
    key = load(file)
    key.to_sign_with()
    return key


def say_if_it_will_not_count(
    desk: Desk, key: "Key | None", branch: str, commit: str, role: str
) -> None:
    """A note for whoever signs with a key that the policy of the commit gives no such role.

    It is a note and no error: the next commit may give the key its role.
    """
    from reconciler.desired.attest.show import why_not

    if key is None:
        return
    case = desk.clone.case(commit, commit, branch, desk.branch.read(desk.now), desk.now)
    why = why_not(case, key.public, role)
    if why:
        click.echo(f"note: no appliance will count it: {why}", err=True)


def sign(desk: Desk, payload: bytes, options: dict[str, Any], key: "Key | None") -> None:
    """Sign a statement as the options say, and put it where they say.

    Args:
        desk: Where.
        payload: What to sign.
        options: Of the command line.
        key: What `signer_of` gave.

    Raises:
        ReconcilerError: It cannot be signed or written.
    """
    ending = Ending(options["unsigned"], options["output"])
    if options["keyless"]:
        _sign_keyless(desk, ending, payload, options)
        return
    finish_with_key(desk, ending, payload, key)


def require_to_sign(desk: Desk, statement: "Release | Heartbeat", options: dict[str, Any]) -> None:
    """See that this job can sign as itself, if it is to, before it works for an hour.

    Args:
        desk: Where.
        statement: As far as it is known.
        options: Of the command line.

    Raises:
        ReconcilerError: It gets no token, or nobody would believe it.
    """
    if options["keyless"]:
        _believers(desk, statement)
        _identity(options)


def _sign_keyless(desk: Desk, ending: Ending, payload: bytes, options: dict[str, Any]) -> None:
    from reconciler.desired.attest.branch import bundled
    from reconciler.keyless import bundles
    from reconciler.trust.statements import Heartbeat, Release, read

    statement = read(payload)
    if not isinstance(statement, Release | Heartbeat):
        raise click.UsageError("only a release or a heartbeat is signed without a key")
    believers, token = _believers(desk, statement), _identity(options)
    config: Path | None = options["trust_config"]
    bundle = bundles.sign_statement(payload, trust_config=config, identity_token=token)
    believers.hold(bundle)
    finish(desk, ending.output, payload, bundled(payload, bundle))


def _believers(desk: Desk, statement: "Release | Heartbeat") -> "Believers":
    from reconciler.desired.attest.keyless import Believers

    commit, beside = statement.commit, desk.branch.read(desk.now)
    case = desk.clone.case(commit, commit, statement.branch, beside, desk.now)
    return Believers(case, statement)


def _identity(options: dict[str, Any]) -> str:
    from reconciler.keyless import ambient

    given: Path | None = options["identity_token_file"]
    return ambient.identity_token() if given is None else _token(given)


def _token(file: Path) -> str:
    from reconciler.cli.keys_authorize import read_given

    return read_given(file, 64 * 1024).decode("ascii", "replace").strip()
