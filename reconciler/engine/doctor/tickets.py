"""Whether people can be called: each channel of ``notify:``, and how it did last."""

from collections.abc import Iterator
from pathlib import Path

from reconciler.engine.appliance import read_ledger
from reconciler.engine.past import recall_from
from reconciler.engine.settings import Home
from reconciler.engine.tickets.channels import open_channel
from reconciler.errors import ReconcilerError
from reconciler.escalate.by_apprise import ByApprise
from reconciler.escalate.file import Shelf
from reconciler.escalate.github import GitHub
from reconciler.escalate.post import Way, usable
from reconciler.escalate.webhook import Webhook
from reconciler.incident.ticket import Line
from reconciler.incident.tickets import Tickets
from reconciler.model.diagnosis import Diagnosis

_ABSENT = "nobody is told of incidents that software may not fix"


def diagnose_tickets(home: Home) -> Iterator[Diagnosis]:
    """One line a channel; nothing is sent, and nobody is asked."""
    if not home.settings.notify:
        hint = "Name a channel under notify: in reconciler.yaml; see docs/howto/tickets.md."
        yield Diagnosis("tickets", "absent", _ABSENT, hint)
        return
    lines = _remembered(home).lines
    for name in sorted(home.settings.notify):
        yield _channel(home, name, lines.get(name))


def _remembered(home: Home) -> Tickets:
    try:
        return recall_from(read_ledger(home)).tickets
    except ReconcilerError:
        # What is wrong with the ledger is said where the ledger is looked at.
        return Tickets.empty()


def _channel(home: Home, name: str, line: Line | None) -> Diagnosis:
    subject = f"tickets {name}"
    settings = home.settings.notify[name]
    try:
        channel = open_channel(home, name)
    except ReconcilerError as error:
        if _only_the_service(home, settings):
            detail = f"{settings.kind}; only the service has its secret"
            return Diagnosis(subject, "limited", detail, "Look as the service: systemd-run.")
        return Diagnosis(subject, "broken", str(error), error.hint)
    if isinstance(channel.way, ByApprise) and not usable(channel.way):
        hint = "Its secret file must hold one apprise URL whose service is encrypted."
        return Diagnosis(subject, "broken", "apprise cannot use its URL", hint)
    detail = f"{settings.kind}{_where(channel.way)}"
    if line is not None and line.failures:
        detail += f"; the last {line.failures} tries did not arrive"
        return Diagnosis(subject, "limited", detail, f"Try it: reconciler tickets test {name}")
    return Diagnosis(subject, "ok", detail)


def _only_the_service(home: Home, settings: object) -> bool:
    """Whether a secret is a credential, and this process is not the service."""
    references = (getattr(settings, field, None) for field in ("secret", "token", "url"))
    named = any(isinstance(one, str) and one.startswith("credential:") for one in references)
    return named and home.credentials is None


def _where(way: Way) -> str:
    match way:
        case Shelf(directory):
            return f", in {Path(directory)}"
        case Webhook(url):
            return f", to {url}"
        case GitHub(repository=repository):
            return f", issues of {repository}"
        case ByApprise():
            return ", by apprise"
