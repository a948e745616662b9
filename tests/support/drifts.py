"""The catalogue of drift, as tests break a clinic with it; see `reconciler.testing.drifts`."""

from reconciler.testing.drifts import catalogue
from reconciler.testing.drifts.drift import Drift
from reconciler.testing.rehearsal.practice import RESTIC
from tests.support.guest import Guest

DRIFTS = catalogue.load()


def begin(drift: Drift, guest: Guest) -> None:
    """Break it."""
    shell(guest, drift.inject)


def gone(drift: Drift, guest: Guest) -> bool:
    """Whether the proof says that all is well."""
    command = ("bash", "-eu", "-c", drift.proof)
    return guest.run(*command, env=RESTIC, check=False, timeout=120).returncode == 0


def shell(guest: Guest, script: str, timeout: float = 120) -> str:
    """Run a script in the guest; any command of it that fails is a failure."""
    return guest.run("bash", "-euo", "pipefail", "-c", script, env=RESTIC, timeout=timeout).stdout
