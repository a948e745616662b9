"""``reconciler evidence init``, ``push`` and ``resume``."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.common import config_option, emit, home_of, json_option
from reconciler.errors import ExitCode, InputError

if TYPE_CHECKING:
    from reconciler.engine.settings import Home
    from reconciler.ledger.remote.push import PushResult
    from reconciler.transport.server import Server

_FILE = click.Path(path_type=Path, dir_okay=False)


def remote_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Where the evidence repository is, and what lets this machine in."""
    for option in (
        click.option("--token-file", type=_FILE, help="Password or access token (https)."),
        click.option(
            "--ca-file", type=_FILE, help="Only certificate authorities to trust (https)."
        ),
        click.option("--known-hosts", type=_FILE, help="Known hosts with the server's key (ssh)."),
        click.option("--ssh-key", type=_FILE, help="Private key without passphrase (ssh)."),
        click.argument("url", required=False),
    ):
        function = option(function)
    return function


def _server_of(home: "Home", url: str | None, **access: Path | None) -> "Server":
    """The server at URL, or the one that the settings name."""
    if url is not None:
        return _server(url, **access)
    from reconciler.engine.upkeep.equipment import outbox_of

    outbox = outbox_of(home)
    if outbox is None:
        message = "there is no evidence repository to talk to"
        raise InputError(message, hint="Give its URL, or set evidence.remote in reconciler.yaml.")
    return outbox.server


def _server(
    url: str,
    ssh_key: Path | None,
    known_hosts: Path | None,
    ca_file: Path | None,
    token_file: Path | None,
) -> "Server":
    from reconciler.transport.location import Access, vet
    from reconciler.transport.server import Server

    access = Access(
        ssh_key=ssh_key, known_hosts=known_hosts, ca_file=ca_file, token_file=token_file
    )
    return Server(vet(url, access, what="evidence repository"), access)


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--signers", required=True, type=_FILE, help="allowed_signers with all appliances.")
@json_option
def init(directory: Path, signers: Path, as_json: bool) -> None:
    """Make an evidence repository at DIRECTORY, on the server that appliances push to.

    A bare Git repository that only grows: its hook checks every push as the audit would, its
    settings refuse rewriting and deleting, and its housekeeping throws nothing away.
    """
    from reconciler.ledger.remote.init import init_server, templates

    program = shutil.which("reconciler")
    init_server(directory, templates(), signers, program=Path(program) if program else None)
    if as_json:
        emit({"repository": str(directory), "hook_calls": program})
        return
    click.echo(f"evidence repository {directory}")
    if program is None:
        click.echo("reconciler is not in PATH here: install it, or nothing is accepted", err=True)


@click.command("push")
@remote_options
@config_option
@click.option("--now", is_flag=True, help="Do not wait for the time of the next try.")
@json_option
def push(config: Path | None, now: bool, as_json: bool, **remote: Any) -> int:
    """Push this appliance's evidence to the repository at URL, or where the settings say.

    Only forward: a repository that holds something else is never overwritten, and stops this with
    exit 6. What cannot be pushed now waits in the ledger, without an age limit (exit 7).
    """
    from random import SystemRandom

    from reconciler.engine.clock import SystemClock
    from reconciler.ledger.remote import memory
    from reconciler.ledger.remote.push import Outbox, push_when_due

    home = home_of(config)
    settings, state = home.settings, home.path(home.settings.state)
    outbox = Outbox(
        repository=home.path(settings.evidence.repository),
        client=settings.client,
        host=settings.host,
        server=_server_of(home, **remote),
        home=state / "evidence-home",
    )
    file = state / "evidence-push.json"
    if now:
        memory.hurry(file)
    result = push_when_due(outbox, file, SystemClock().now(), SystemRandom())
    _show(result, as_json)
    return 0 if result.done else int(ExitCode.MACHINE)


@click.command("resume")
@remote_options
@config_option
@json_option
def resume(config: Path | None, as_json: bool, **remote: Any) -> None:
    """Take this appliance's ledger up again from the repository at URL, or where the settings say.

    For a machine that is new or was restored from an old copy. Everything is verified before it is
    used; a ledger that holds entries which the repository lacks is never replaced.
    """
    from reconciler.ledger.lock import HostLock
    from reconciler.ledger.remote.resume import resume as take_up
    from reconciler.ledger.verify import load_signers

    home = home_of(config)
    settings, state = home.settings, home.path(home.settings.state)
    signers_file = home.path(settings.evidence.signers)
    with HostLock(state / "lock"):
        done = take_up(
            _server_of(home, **remote),
            settings.client,
            settings.host,
            home.path(settings.evidence.repository),
            signers=load_signers(signers_file),
            signers_file=signers_file,
            home=state / "evidence-home",
        )
    if as_json:
        aside = None if done.aside is None else str(done.aside)
        emit({"tip": done.tip, "changed": done.changed, "proven": done.sentence, "aside": aside})
        return
    click.echo(f"{'resumed at' if done.changed else 'already at'} {done.tip}: {done.sentence}")
    if done.aside is not None:
        click.echo(f"the older ledger is kept at {done.aside}")


def _show(result: "PushResult", as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        emit(
            {
                **asdict(result),
                "state": result.state.value,
                "next_try": result.next_try and result.next_try.isoformat(),
            }
        )
        return
    counts = f"{result.pushed} pushed"
    counts += "" if result.pending is None else f", {result.pending} waiting"
    click.echo(f"{result.state.value}: {counts}")
    if result.lost:
        click.echo(f"the server had lost {result.lost} entries that it held before", err=True)
    if result.words is not None:
        message, hint = result.words
        codes = f" [{', '.join(result.refusals)}]" if result.refusals else ""
        click.echo(f"{message}{codes} ({result.detail})\n  hint: {hint}", err=True)
    if result.next_try is not None:
        click.echo(f"next try {result.next_try.isoformat(timespec='seconds')}", err=True)
