"""From ``notify:`` of the settings to channels that can be used, or the reason why not."""

from importlib.util import find_spec

from reconciler.engine.secret_files import secret_line
from reconciler.engine.settings import Home
from reconciler.engine.tickets.settings import (
    AppriseChannel,
    ChannelSettings,
    FileChannel,
    GitHubChannel,
    WebhookChannel,
)
from reconciler.errors import InputError, MachineError
from reconciler.escalate import address
from reconciler.escalate.by_apprise import ByApprise
from reconciler.escalate.file import Shelf
from reconciler.escalate.github import GitHub
from reconciler.escalate.post import Channel, Way
from reconciler.escalate.webhook import Webhook


def open_channel(home: Home, name: str) -> Channel:
    """Make a channel ready; secrets are read now, and nothing is sent.

    Args:
        home: Settings that name it.
        name: Its name.

    Raises:
        InputError: There is no such channel, an address must not be asked, or a file that it names
            cannot be used.
        MachineError: A library that it needs is not installed.
    """
    settings = home.settings.notify.get(name)
    if settings is None:
        known = ", ".join(sorted(home.settings.notify)) or "none"
        raise InputError(
            f"there is no channel {name}",
            hint=f"Channels of these settings: {known}.",
            where=home.where("notify"),
        )
    return Channel(
        name=name,
        way=_way(home, name, settings),
        timeout_s=float(settings.timeout_s),
        per_hour=settings.per_hour,
    )


def _way(home: Home, name: str, settings: ChannelSettings) -> Way:
    match settings:
        case FileChannel():
            return Shelf(_directory(home, name, settings.directory))
        case WebhookChannel():
            _need(name, "httpx")
            return Webhook(
                url=_address(home, f"notify.{name}.url", settings.url),
                secret=secret_line(home, settings.secret, f"notify.{name}.secret"),
                ca_file=_ca_file(home, name, settings.ca_file),
            )
        case GitHubChannel():
            _need(name, "httpx")
            return GitHub(
                api=_address(home, f"notify.{name}.api", settings.api),
                repository=settings.repository,
                token=secret_line(home, settings.token, f"notify.{name}.token"),
                labels=settings.labels,
                ca_file=_ca_file(home, name, settings.ca_file),
            )
        case AppriseChannel():
            _need(name, "apprise")
            return ByApprise(secret_line(home, settings.url, f"notify.{name}.url"))


def _directory(home: Home, name: str, text: str) -> str:
    path = home.path(text)
    if not path.is_dir():
        raise InputError(
            "there is no such directory",
            hint="Make it, writable by the appliance, where whoever picks tickets up can read it.",
            where=home.where(f"notify.{name}.directory"),
        )
    return str(path)


def _address(home: Home, field: str, url: str) -> str:
    try:
        return address.vet(url)
    except InputError as error:
        raise InputError(error.message, hint=error.hint, where=home.where(field)) from error


def _ca_file(home: Home, name: str, text: str | None) -> str | None:
    if text is None:
        return None
    path = home.path(text)
    if not path.is_file():
        raise InputError(
            "there is no such file",
            hint="Name a PEM file with the authorities that the receiver's certificate leads to.",
            where=home.where(f"notify.{name}.ca_file"),
        )
    return str(path)


def _need(name: str, library: str) -> None:
    """Raise unless a library is there: what is asked for is never skipped."""
    if find_spec(library) is None:
        message = f"notify.{name} is set, and {library} is not installed here"
        raise MachineError(message, hint="pip install 'reconciler[notify]'")
