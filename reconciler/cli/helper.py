"""``reconciler helper``."""

import os
import pwd
import socket
from pathlib import Path

import click

from reconciler.cli.common import config_option, home_of
from reconciler.errors import InputError, MachineError

_FIRST = 3
"""The first descriptor that systemd passes (sd_listen_fds(3))."""


@click.command()
@config_option
@click.option(
    "--user",
    default="reconciler",
    show_default=True,
    help="Whose process may ask; nobody else is answered.",
)
def command(config: Path | None, user: str) -> int:
    """Carry out steps for a reconciler that does not run as root.

    Started by systemd when the reconciler connects to its socket (reconciler-helper.socket). It
    takes one operation a connection, of a closed set that NixOS hosts need, and finds out by itself
    which system is trusted here. It ends when nobody asks for a minute.
    """
    from reconciler.engine.appliance import local_target
    from reconciler.engine.clock import SystemClock
    from reconciler.engine.helping import OwnTrust
    from reconciler.engine.notify import Notifier
    from reconciler.targets.helper.serve import Terms, serve

    home = home_of(config)
    terms = Terms(uid=_uid(user))
    with _listening() as listening:
        target = local_target(home, OwnTrust(home, SystemClock().now))
        notifier = Notifier(os.environ.get("NOTIFY_SOCKET"))
        notifier.ready()
        serve(listening, target, terms, _log)
        notifier.stopping()
    return 0


def _uid(user: str) -> int:
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError as error:
        hint = "Name the user that the reconciler runs as: --user USER."
        raise InputError(f"there is no user {user[:64]}", hint=hint) from error


def _listening() -> socket.socket:
    """The socket that systemd passes; there is exactly one, or none was meant for us."""
    meant = os.environ.get("LISTEN_PID") == str(os.getpid())
    if not meant or os.environ.get("LISTEN_FDS") != "1":
        raise MachineError(
            "the helper was given no socket",
            hint="Start it by its socket unit: systemctl start reconciler-helper.socket",
        )
    try:
        found = socket.socket(fileno=_FIRST)
    except OSError as error:
        hint = "Look at the socket unit: ListenStream= and Accept=no."
        raise MachineError(f"the socket cannot be used: {error.strerror}", hint=hint) from error
    found.set_inheritable(False)
    return found


def _log(line: str) -> None:
    click.echo(line, err=True)
