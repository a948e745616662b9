"""``reconciler release``: build what every NixOS host of a commit is to run, and sign its name."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.attest_ci import (
    desk_of,
    say_if_it_will_not_count,
    sign,
    signer_of,
    signing_options,
)

if TYPE_CHECKING:
    from reconciler.cli.attest_common import Desk
    from reconciler.engine.releasing import Workshop

_any_folder = click.Path(path_type=Path, file_okay=False)
_given_file = click.Path(path_type=Path, dir_okay=False, exists=True)
_folder = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command()
@click.argument("revision", default="HEAD")
@click.option("--cache", metavar="URL", help="Binary cache that the closures are copied to.")
@click.option(
    "--cache-key",
    type=_given_file,
    help="Secret key of Nix that signs them before; hosts take nothing unsigned.",
)
@click.option(
    "--earlier",
    metavar="URL",
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
      5  bad input: no such commit, a document, a flake that gives no system
      6  a key cannot be used
      7  an evaluation, a build or a copy failed, or Nix is not here
    """
    from reconciler.desired.trust.systems import releases_along
    from reconciler.engine.releasing import build_systems, fitted
    from reconciler.trust.statements import Release

    desk, key = desk_of(options), signer_of(options)
    clone, commit = desk.clone, desk.clone.commit(revision)
    say_if_it_will_not_count(desk, key, branch, commit, "release")
    beside = desk.branch.read(desk.now)
    earlier = releases_along(
        clone.repository, commit, branch=branch, now=desk.now, attestations=beside
    )
    systems = build_systems(clone, commit, _workshop(options), earlier)
    if not systems:
        click.echo("note: the commit has no NixOS host; the release names no system", err=True)
    signed = Release(
        branch,
        commit,
        clone.digest(commit),
        clone.tree(commit),
        clone.files_digest(commit),
        _now(desk),
        systems,
    )
    sign(desk, fitted(signed), options, key)


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
