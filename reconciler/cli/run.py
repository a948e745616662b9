"""``reconciler run``."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.common import colour, config_option, emit, home_of, json_option, width
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.model.run import RunReport


@click.command()
@config_option
@click.option("--once", is_flag=True, help="One run, then exit with its code.")
@click.option("--dry-run", is_flag=True, help="Look and plan; act on nothing, write nothing.")
@json_option
def command(config: Path | None, once: bool, dry_run: bool, as_json: bool) -> int:
    """Reconcile this host: pull and verify desired state, look, heal, prove, sign.

    Without --once it is a daemon: it runs at the interval of its settings until SIGTERM, finishes
    the run in hand, and tells systemd how it is (Type=notify, WatchdogSec).
    """
    home = home_of(config)
    if once or dry_run:
        from reconciler.engine.appliance import open_appliance
        from reconciler.engine.run import reconcile
        from reconciler.engine.session import Options

        with open_appliance(home) as appliance:
            options = Options(dry_run=dry_run, hook=_progress(as_json))
            report = reconcile(appliance, options)
        _show(report, as_json)
        return int(report.exit_code)
    from reconciler.engine.daemon import Daemon
    from reconciler.engine.notify import Notifier

    notifier = Notifier(os.environ.get("NOTIFY_SOCKET"))
    Daemon(home, notifier, on_run=_line, on_error=_error).serve()
    return 0


def _progress(quiet: bool) -> Any:
    if quiet or not sys.stderr.isatty():
        return lambda _where: None
    return lambda where: click.echo(f"… {where}", err=True)


def _show(report: "RunReport", as_json: bool) -> None:
    from reconciler.report.run import as_document
    from reconciler.report.run import render as render_run

    if as_json:
        emit(as_document(report))
        return
    click.echo(render_run(report, width=width(), colour=colour()))


def _line(report: "RunReport") -> None:
    from reconciler.report.run import one_line

    click.echo(one_line(report))


def _error(error: ReconcilerError) -> None:
    click.echo(f"{error} ({error.hint})", err=True)
