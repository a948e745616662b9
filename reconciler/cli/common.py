"""What several commands share: where the settings are, and how output leaves."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from reconciler.engine.settings import Home

DEFAULT_CONFIG = "/etc/reconciler/reconciler.yaml"

config_option = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Settings of the appliance. Default: $RECONCILER_CONFIG, else {DEFAULT_CONFIG}.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


def home_of(config: Path | None) -> "Home":
    """Load the settings named on the command line, in the environment, or at the default place."""
    from reconciler.engine.settings import load_settings

    return load_settings(config_path(config), credentials())


def config_path(config: Path | None) -> Path:
    """Where the settings are: as the command line says, or the environment, or the default."""
    return config or Path(os.environ.get("RECONCILER_CONFIG", DEFAULT_CONFIG))


def credentials() -> Path | None:
    """The directory of the credentials that systemd passes to this process, if it passes any."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(directory) if directory else None


def emit(document: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def colour() -> bool:
    """Colour only on a terminal, and not where NO_COLOR says so."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def width() -> int:
    """Columns to use; a pipe gets room for whole lines."""
    return shutil.get_terminal_size((180, 40)).columns if sys.stdout.isatty() else 180
