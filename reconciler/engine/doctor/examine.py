"""What this machine lacks for each part of a run. Looks only; changes nothing."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from reconciler.checks import catalogue as checks
from reconciler.engine.appliance import linux_target, read_ledger
from reconciler.engine.clock import SystemClock
from reconciler.engine.doctor.advice import diagnose_advice
from reconciler.engine.doctor.evidence import diagnose_evidence
from reconciler.engine.doctor.fleet import diagnose_fleet
from reconciler.engine.doctor.policy import diagnose_policy
from reconciler.engine.doctor.system import diagnose_system
from reconciler.engine.doctor.tickets import diagnose_tickets
from reconciler.engine.settings import Home, load_settings
from reconciler.errors import ReconcilerError
from reconciler.ledger.verify import load_signers
from reconciler.model.answer import Answer
from reconciler.model.diagnosis import Diagnosis
from reconciler.model.probe import (
    AuditStatus,
    Command,
    FailedUnits,
    FirewallChains,
    Probe,
    ReadFile,
)
from reconciler.ports import Clock
from reconciler.steps import catalogue as steps

PROBES: tuple[tuple[str, Probe, str], ...] = (
    ("systemd over D-Bus", FailedUnits(), "Checks of units need systemd as PID 1."),
    ("account database", ReadFile("/etc/shadow"), "Run as root to see password locks."),
    ("packet filter", FirewallChains(), "Run as root (CAP_NET_ADMIN) to see the firewall."),
    ("kernel audit", AuditStatus(), "Run as root (CAP_AUDIT_CONTROL) outside of containers."),
    ("sshd", Command(("sshd", "-V")), "Install OpenSSH if this host should have it."),
    ("restic", Command(("restic", "version")), "Install restic to check and prove backups."),
    ("journal", Command(("journalctl", "--version")), "Log-in monitoring needs the journal."),
)


def diagnose(
    config: Path, *, credentials: Path | None = None, clock: Clock | None = None
) -> list[Diagnosis]:
    """Look at every part, worst news included; never raises for what it finds.

    Args:
        config: The settings file.
        credentials: Directory of the credentials that systemd passes; None if it passes none.
        clock: Another clock, for tests.
    """
    found = [_python(), _catalogues()]
    try:
        home = load_settings(config, credentials)
    except ReconcilerError as error:
        found.append(_broken("settings", error))
    else:
        found.append(Diagnosis("settings", "ok", str(config)))
        found += _appliance(home)
        clock = clock or SystemClock()
        now = clock.now()
        found += diagnose_fleet(home, clock)
        found += diagnose_evidence(home, now)
        found += diagnose_policy(home, now.date())
        found.append(diagnose_advice(home, now))
        found += diagnose_tickets(home)
        found += diagnose_system(home)
    return [*found, *_machine()]


def _python() -> Diagnosis:
    return Diagnosis("Python", "ok", sys.version.split()[0])


def _catalogues() -> Diagnosis:
    counts = f"{len(checks.load())} checks, {len(steps.load())} kinds of step"
    if not checks.load() or not steps.load():
        return Diagnosis("catalogues", "broken", counts, "Reinstall the package.")
    return Diagnosis("catalogues", "ok", counts)


def _appliance(home: Home) -> Iterator[Diagnosis]:
    evidence, fleet = home.settings.evidence, home.settings.fleet
    parts: tuple[tuple[str, Callable[[], str]], ...] = (
        ("fleet signers", lambda: _signers(home.path(fleet.signers))),
        ("evidence signers", lambda: _signers(home.path(evidence.signers))),
        ("ledger", lambda: f"entry {next(read_ledger(home)).entry.seq} verifies"),
    )
    for subject, look in parts:
        try:
            yield Diagnosis(subject, "ok", look())
        except ReconcilerError as error:
            yield _broken(subject, error)
    state = home.path(home.settings.state)
    if os.access(state, os.W_OK | os.X_OK):
        yield Diagnosis("state directory", "ok", str(state))
    else:
        hint = "Make it, and let the user that runs the reconciler write there."
        yield Diagnosis("state directory", "broken", f"cannot write {state}", hint)


def _signers(file: Path) -> str:
    return f"{len(load_signers(file).signers)} keys in {file}"


def _machine() -> Iterator[Diagnosis]:
    target = linux_target("/", lambda topic: Answer("unsupported", reason=topic))
    answers = target.ask([probe for _, probe, _ in PROBES], 10.0)
    for subject, probe, hint in PROBES:
        answer = answers[probe]
        if answer.status == "ok":
            yield Diagnosis(subject, "ok", "answers")
        else:
            yield Diagnosis(subject, "limited", answer.reason or answer.status, hint)


def _broken(subject: str, error: ReconcilerError) -> Diagnosis:
    return Diagnosis(subject, "broken", str(error), error.hint)
