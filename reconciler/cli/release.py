"""``reconciler release``: build what every NixOS host of a commit is to run, and sign its name."""

import re
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.attest_ci import (
    desk_of,
    require_to_sign,
    say_if_it_will_not_count,
    sign,
    signer_of,
    signing_options,
)

if TYPE_CHECKING:
    from reconciler.cli.attest_common import Desk
    from reconciler.engine.releasing import Workshop
    from reconciler.trust.statements import System

_ADDRESS = re.compile(r"(?:file:///|https?://|s3://|ssh://|ssh-ng://)[!-~]+")
_SECRET_KEY = re.compile(rb"[^:\s]+:[A-Za-z0-9+/]{86}==\s*")


def _address(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """An address of a cache: what else Nix takes for one is a store of this machine."""
    if value is not None and _ADDRESS.fullmatch(value) is None:
        raise click.BadParameter("write it as an address: file:///srv/cache, https://…, s3://…")
    return value


_any_folder = click.Path(path_type=Path, file_okay=False)
_given_file = click.Path(path_type=Path, dir_okay=False, exists=True)
_folder = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command()
@click.argument("revision", default="HEAD")
@click.option(
    "--cache",
    metavar="URL",
    callback=_address,
    help="Binary cache that the closures are copied to.",
)
@click.option(
    "--cache-key",
    type=_given_file,
    help="Secret key of Nix that signs them before; hosts take nothing unsigned.",
)
@click.option(
    "--earlier",
    metavar="URL",
    callback=_address,
    help="Cache with the systems of earlier releases, to say what differs. Default: --cache.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.IntRange(10, 24 * 3600),
    default=7200,
    show_default=True,
    help="Seconds for each evaluation, for the build and for the copy.",
)
@click.option(
    "--memory",
    "mebibytes",
    type=click.IntRange(256, 1024 * 1024),
    help="Mebibytes that one evaluation may use. Default: no limit.",
)
@click.option("--root", type=_any_folder, help="What the store lies under, if not /.")
@click.option("--programs", type=_folder, help="Where nix is, if not where it usually is.")
@click.option("--settings", type=_folder, help="Directory of nix.conf, if not /etc/nix.")
@signing_options
def command(revision: str, branch: str, **options: Any) -> None:
    """Build the system of every NixOS host of REVISION (default: HEAD), and sign a release of it.

    \b
    The commit is read from Git, evaluated without its own Nix settings, built, and
    described: store path, NAR hash, a digest of the whole closure, and what differs
    from the release before. Appliances realise exactly these paths from the cache,
    and evaluate nothing.

    \b
    Examples:
      reconciler release --key ci.key --cache file:///srv/cache --cache-key cache.sec
      reconciler release --keyless --output attested --cache file:///srv/cache --cache-key cache.sec

    \b
    Exit codes:
      0  every system is built, copied and signed
      2  wrong usage of the command line
      4  the trust files of the commit, or its tree, would be refused
      5  bad input: no such commit, half a clone, a document, a flake that gives no system
      6  a key cannot be used
      7  an evaluation, a build or a copy failed, or Nix is not here
    """
    from reconciler.desired.trust.systems import releases_along
    from reconciler.engine.releasing import build_systems, fitted
    from reconciler.trust.statements import Release

    _check_cache_key(options["cache"], options["cache_key"])
    desk, key = desk_of(options), signer_of(options)
    clone, commit = desk.clone, desk.clone.commit(revision)
    say_if_it_will_not_count(desk, key, branch, commit, "release")
    _say_if_hosts_will_not_find_it(options["cache"], options["cache_key"])
    beside = desk.branch.read(desk.now)
    if not beside.released():
        _note(
            f"this clone knows no release on branch {desk.name}: there is nothing to compare with"
        )
    earlier = releases_along(
        clone.repository, commit, branch=branch, now=desk.now, attestations=beside
    )
    signed = Release(
        branch,
        commit,
        clone.digest(commit),
        clone.tree(commit),
        clone.files_digest(commit),
        desk.now,
        {},
    )
    require_to_sign(desk, signed, options)
    with _end_of_the_job():
        systems = build_systems(clone, commit, _workshop(options), earlier)
    if not systems:
        _note("the commit has no NixOS host; the release names no system")
    payload = fitted(replace(signed, time=_now(desk), systems=systems))
    if not desk.as_json:
        _show(systems)
    sign(desk, payload, options, key)


@contextmanager
def _end_of_the_job() -> Iterator[None]:
    """Let SIGTERM end the builds, too, and take away what was exported: CI cancels jobs so."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_cache_key(cache: str | None, file: Path | None) -> None:
    """What would end the command after everything is built.

    Raises:
        click.UsageError: A key, and nothing to sign.
        KeyMissing: It is no secret key of Nix.
    """
    from reconciler.cli.keys_authorize import read_given
    from reconciler.errors import KeyMissing

    if file is None:
        return
    if cache is None:
        raise click.UsageError("--cache-key signs what is copied: give --cache URL, too")
    if _SECRET_KEY.fullmatch(read_given(file, 4096)) is None:
        raise KeyMissing(
            f"{file} is not a secret key of Nix",
            hint="Make one: nix-store --generate-binary-cache-key NAME-1 cache.sec cache.pub",
        )


def _say_if_hosts_will_not_find_it(cache: str | None, file: Path | None) -> None:
    if cache is None:
        _note("without --cache the closures stay here; copy them to where hosts fetch from")
    elif file is None and "secret-key=" not in cache:
        _note("without --cache-key hosts take only what this Nix signs (secret-key-files)")


def _show(systems: "Mapping[str, System]") -> None:
    from reconciler.report.system import diff_lines

    for host, system in systems.items():
        click.echo(f"system   {host} {system.path}")
        if system.diff is not None and system.diff.since is not None:
            click.echo("\n".join(diff_lines(system.diff.to_body())))


def _note(text: str) -> None:
    click.echo(f"note: {text}", err=True)


def _workshop(options: dict[str, Any]) -> "Workshop":
    from reconciler.engine.releasing import Workshop
    from reconciler.nix.process import DIRECTORIES, NixStore

    mebibytes: int | None = options["mebibytes"]
    programs, settings, root = (options[name] for name in ("programs", "settings", "root"))
    state = NixStore(
        directories=(str(programs.resolve()),) if programs else DIRECTORIES,
        remote=str(root.resolve()) if root else "",
        conf_dir=str(settings.resolve()) if settings else None,
    )
    return Workshop(
        state=state,
        timeout_s=float(options["timeout_s"]),
        memory_bytes=None if mebibytes is None else mebibytes << 20,
        cache=options["cache"],
        cache_key=options["cache_key"],
        earlier=options["earlier"],
        told=lambda said: click.echo(said.decode("utf-8", "replace"), err=True),
    )


def _now(desk: "Desk") -> Any:
    """The time after the build: who signs must not date it before what was built."""
    from reconciler.engine.clock import SystemClock

    return max(desk.now, SystemClock().now().replace(microsecond=0))
