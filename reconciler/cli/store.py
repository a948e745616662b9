"""``reconciler store``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.engine.store_verify import Look

_RECORD = "/var/lib/reconciler/store-verify.json"
_SHOWN = 20


@click.group()
def command() -> None:
    """Look whether the Nix store holds what its database says."""


@command.command("verify")
@click.option(
    "--system",
    metavar="PATH",
    help="Store path of a system, or a link to one. Default: what runs here.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(_RECORD),
    show_default=True,
    help="File that the check LNX-SYS-003 reads.",
)
@click.option(
    "--seconds",
    type=click.IntRange(1, 86_400),
    default=3 * 3600,
    show_default=True,
    help="No further paths are begun after so long; the next call goes on there.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/"),
    show_default=True,
    help="What the store lies under.",
)
@click.option(
    "--nix",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory of the programs of Nix. Default: where NixOS and packages put them.",
)
@json_option
def verify_command(
    system: str | None, record: Path, seconds: int, root: Path, nix: Path | None, as_json: bool
) -> int:
    """Hash every path of the running system and compare it with the Nix database.

    \b
    Equal store paths mean the same recipe, not the same bytes. This finds what was
    changed on the disk, by somebody or by the disk, and writes a record: which system,
    when, how many paths, which are corrupt or missing. It may be cut off at any time;
    the next call goes on where it was.

    \b
    Exit codes:
      0  every path is there and is what the database says
      1  paths are corrupt or missing
      3  the time is over and paths are left
    """
    from reconciler.engine.clock import SystemClock
    from reconciler.engine.store_verify import verify_store
    from reconciler.nix.process import DIRECTORIES, NixStore

    state = NixStore(
        directories=DIRECTORIES if nix is None else (str(nix.absolute()),),
        remote="" if root == Path("/") else str(root.absolute()),
    )
    look = verify_store(record, SystemClock(), state, system=system, seconds=seconds)
    if as_json:
        emit(look.to_record())
    else:
        _tell(look)
    if look.finished is None:
        return ExitCode.UNKNOWN
    return ExitCode.CLEAN if look.sound else ExitCode.DRIFT


def _tell(look: "Look") -> None:
    done = "verified" if look.sound else "looked at, not all of them sound"
    state = done if look.finished else "looked at so far; call again to go on"
    click.echo(f"{look.system}: {look.paths} paths {state}")
    for word, paths in (("corrupt", look.corrupt), ("missing", look.missing)):
        for path in sorted(paths)[:_SHOWN]:
            click.echo(f"  {word}  {path}")
        if len(paths) > _SHOWN:
            click.echo(f"  … and {len(paths) - _SHOWN} more that are {word}")
    if look.untrusted:
        click.echo(f"  {len(look.untrusted)} paths have no signature that this Nix trusts")
