"""Which system a NixOS host is meant to run: the newest release that counts and its ring opened.

Rule 1: What is in force stays so until something newer may follow. A release that is shown no more
        is still in the ledger, so a server cannot take a system away, or bring an older one back.
Rule 2: Of releases that do not count, or contradict one another, none is taken; the run says so.
Rule 3: What a revoked key signed is not trusted, however long it was in force.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.desired.refusal import Reason
from reconciler.desired.trust.systems import Floor, Named, Objection, Releases
from reconciler.engine.appliance import Appliance
from reconciler.engine.past import Past
from reconciler.engine.trusted.intent import Intent, reason_of
from reconciler.errors import InputError, IntentRefused, MachineError, ReconcilerError
from reconciler.model.desired import DesiredState
from reconciler.model.system import InForce, SystemStatus, TrustedSystem
from reconciler.trust.rings import may_run

KIND = "nixos"


def attach(
    appliance: Appliance, intent: Intent, now: datetime, *, evaluating: bool = False
) -> Intent:
    """The desired state with the system that is trusted now, if it is of a NixOS host.

    Args:
        appliance: Open.
        intent: What is in force.
        now: Wall time.
        evaluating: Whether this host may evaluate and build, if its settings say so.
    """
    desired = intent.desired
    if desired is None or desired.host.kind != KIND:
        return intent
    before = remembered(appliance.past)
    settings = appliance.home.settings.system
    if settings is not None and settings.evaluate is not None:
        # Only a host that evaluates by itself needs to know anything of Nix.
        from reconciler.engine.trusted.evaluated import evaluated  # noqa: PLC0415 - lazy: see above

        free = evaluating and not intent.status.holds
        status = (
            evaluated(appliance, settings, desired, before, now)
            if free
            else _kept(before, Chosen())
        )
    else:
        status = _released(appliance, desired, before, now)
    return replace(
        intent,
        desired=replace(desired, system=status.trusted),
        status=replace(intent.status, system=status),
    )


def _released(
    appliance: Appliance, desired: DesiredState, before: InForce | None, now: datetime
) -> SystemStatus:
    try:
        return judged(appliance.source.releases(desired.commit, now), desired, before)
    except (IntentRefused, InputError, MachineError) as error:
        return _unread(before, error)


def remembered(past: Past) -> InForce | None:
    """The system that the ledger says was trusted last; None before the first."""
    return past.memory.systems.trusted


def choose(found: Iterator[Named | Objection], desired: DesiredState) -> "Chosen":
    """The newest system that this host may run, what waits, and what was wrong with newer ones.

    Args:
        found: Newest first.
        desired: In force; says how far rings are opened.
    """
    chosen = Chosen()
    for one in found:
        if isinstance(one, Objection):
            chosen.objection = chosen.objection or one
            continue
        shut = may_run(desired, one.revision)
        if shut is None:
            chosen.system = one
            break
        if chosen.waiting is None:
            chosen.waiting, chosen.ring = one.commit, shut
    return chosen


@dataclass(slots=True)
class Chosen:
    """What a host may run.

    Attributes:
        system: The newest that its ring has come to; None if there is none.
        waiting: Commit of the newest that it has not come to.
        ring: Why not.
        objection: What is wrong with the newest releases that name no system.
    """

    system: Named | None = None
    waiting: str | None = None
    ring: str = ""
    objection: Objection | None = None


def judged(releases: Releases, desired: DesiredState, before: InForce | None) -> SystemStatus:
    """What releases name for a host, and what of it follows what was in force.

    Args:
        releases: Along the line of what is accepted.
        desired: In force.
        before: What the caller remembers; None before the first.

    Raises:
        MirrorDamaged: An object is missing.
    """
    floor = None if before is None else Floor(before.system.release, before.time)
    chosen = choose(releases.systems(desired.target, floor), desired)
    new = chosen.system
    if before is not None and releases.revoked(before.key):
        return _revoked(before) if new is None else _taken(before, new, chosen)
    if new is None:
        return _kept(before, chosen)
    if before is not None and _contradicts(new, before):
        words = "has a release that names another system than the one in force"
        wrong = Objection(new.commit, Reason.RELEASE_CONFLICT, words)
        return _kept(before, replace(chosen, objection=wrong))
    return _taken(before, new, chosen)


def _contradicts(new: Named, before: InForce) -> bool:
    """Whether a release of the very commit that is in force says something else than it did."""
    old, closure = before.system, new.system.closure
    if new.commit != old.release:
        return False
    if (new.system.path, new.system.nar_sha256) != (old.path, old.nar_sha256):
        return True
    both = closure is not None and old.closure_sha256 is not None
    return both and closure is not None and closure.sha256 != old.closure_sha256


def _next(before: InForce | None, new: Named) -> InForce:
    """What is in force from now on; the same as before where nothing changed."""
    closure = new.system.closure
    system = TrustedSystem(
        path=new.system.path,
        drv=new.system.drv,
        nar_sha256=new.system.nar_sha256,
        closure_sha256=None if closure is None else closure.sha256,
        release=new.commit,
        revision=new.revision,
    )
    if before is None:
        return InForce(system=system, number=1, time=new.time, by=new.by, key=new.key)
    if before.system == system and before.key == new.key:
        return before
    return InForce(
        system=system,
        number=before.number + 1,
        time=new.time,
        by=new.by,
        key=new.key,
        before=before.followed_by(system),
    )


def _taken(before: InForce | None, new: Named, chosen: Chosen) -> SystemStatus:
    return replace(_kept(_next(before, new), chosen), diff=new.system.diff)


def _kept(in_force: InForce | None, chosen: Chosen) -> SystemStatus:
    """What is in force, and what does not follow it."""
    system = None if in_force is None else replace(in_force.system, waiting=chosen.waiting)
    if system is not None and system.waiting == system.release:
        # It runs already; that its ring was closed since then takes nothing back.
        system = replace(system, waiting=None)
    wrong = chosen.objection
    return SystemStatus(
        trusted=system,
        in_force=in_force,
        refused=None if wrong is None else wrong.reason.value,
        refused_release=None if wrong is None else wrong.commit,
        message="" if wrong is None else f"fleet commit {wrong.commit[:12]} {wrong.words}",
        ring=chosen.ring,
    )


def _revoked(before: InForce) -> SystemStatus:
    return SystemStatus(
        trusted=None,
        in_force=before,
        refused=Reason.RELEASE_REVOKED.value,
        refused_release=before.system.release,
        message="the key that signed the release in force is revoked",
    )


def _unread(before: InForce | None, error: ReconcilerError) -> SystemStatus:
    """What is in force while nobody can say what releases there are."""
    return SystemStatus(
        trusted=None if before is None else before.system,
        in_force=before,
        refused=reason_of(error),
        message=error.message,
    )
