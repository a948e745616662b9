"""The system that this host evaluates by itself from the verified commit, if settings say so.

Rule 1: Only the commit in force, exported by our own reader, without its settings of Nix, within
        memory and time; once for each commit, and after a failure not before an hour has gone by.
Rule 2: What cannot be evaluated or built changes nothing; the run says so.
Rule 3: Rings go by releases. A fleet that has them evaluates nowhere but in CI.
"""

import hashlib
from datetime import datetime

from reconciler.engine.appliance import Appliance
from reconciler.engine.system_settings import EvaluateSettings, SystemSettings
from reconciler.errors import InputError, IntentRefused, MachineError
from reconciler.evidence import canonical
from reconciler.model.desired import DesiredState
from reconciler.model.system import InForce, SystemStatus, TrustedSystem
from reconciler.nix import build
from reconciler.nix.build import Built
from reconciler.nix.evaluate import evaluate

FAILED = "evaluation-failed"
_RINGS = "the fleet has rings, which go by releases: take system.evaluate out of the settings"
_MIB = 1 << 20


def evaluated(
    appliance: Appliance,
    settings: SystemSettings,
    desired: DesiredState,
    before: InForce | None,
    now: datetime,
) -> SystemStatus:
    """The system of the commit in force, evaluated and built here if it was not yet.

    Args:
        appliance: Open.
        settings: They have ``evaluate``.
        desired: In force.
        before: What the ledger remembers.
        now: Wall time.
    """
    if _is_of(before, desired.commit):
        return SystemStatus(trusted=None if before is None else before.system, in_force=before)
    tried = appliance.evaluations
    why = _RINGS if desired.rings.rings else tried.why_not(desired.commit, now)
    if why is not None:
        return _kept(before, desired.commit, why)
    try:
        built = _built(appliance, settings, desired)
    except (InputError, IntentRefused, MachineError) as error:
        tried.fails(desired.commit, now, error.message)
        return _kept(before, desired.commit, error.message)
    found = _in_force(before, built, desired, now)
    return SystemStatus(trusted=found.system, in_force=found)


def _is_of(before: InForce | None, commit: str) -> bool:
    if before is None:
        return False
    return before.system.source == "evaluated" and before.system.release == commit


def _built(appliance: Appliance, settings: SystemSettings, desired: DesiredState) -> Built:
    """Evaluate and build.

    Raises:
        InputError, IntentRefused, MachineError: The flake, its tree or Nix does not allow it.
    """
    limits = settings.evaluate or EvaluateSettings()
    until = appliance.clock.monotonic() + limits.timeout_s
    memory_bytes = limits.memory_mebibytes * _MIB
    with appliance.source.exported(desired.commit) as flake:
        left = until - appliance.clock.monotonic()
        system = evaluate(flake, desired.target, timeout_s=left, memory_bytes=memory_bytes)
    left = until - appliance.clock.monotonic()
    build.build([system], timeout_s=left, options=_options(settings))
    return build.facts_of(system)


def _options(settings: SystemSettings) -> tuple[tuple[str, str], ...]:
    return (
        ("substituters", " ".join(settings.caches)),
        ("trusted-public-keys", " ".join(settings.public_keys)),
        ("require-sigs", "true"),
        ("max-jobs", "1"),
    )


def _in_force(
    before: InForce | None, built: Built, desired: DesiredState, now: datetime
) -> InForce:
    alone = canonical.encode({desired.target: built.path})
    system = TrustedSystem(
        path=built.path,
        drv=built.drv,
        nar_sha256=built.nar_sha256,
        closure_sha256=built.closure.sha256,
        release=desired.commit,
        revision=hashlib.sha256(alone).hexdigest(),
        source="evaluated",
    )
    return InForce(
        system=system,
        number=1 if before is None else before.number + 1,
        time=now.replace(microsecond=0),
        by=desired.target,
        key=None,
        before=() if before is None else before.followed_by(system),
    )


def _kept(before: InForce | None, commit: str, why: str) -> SystemStatus:
    return SystemStatus(
        trusted=None if before is None else before.system,
        in_force=before,
        refused=FAILED,
        refused_release=commit,
        message=why,
    )
