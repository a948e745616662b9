"""What vouches for the desired state of this appliance: for `reconciler doctor`. Looks only.

What nobody asked for is shown as absent: no pin, no trust policy, no attestations and no promise of
freshness are choices, and nobody should take them for success.
"""

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.desired.fleet import Fleet, read_fleet
from reconciler.engine.appliance import fleet_source, linux_target, mirror_path, read_ledger
from reconciler.engine.facts import gather
from reconciler.engine.past import Past, recall_from
from reconciler.engine.settings import Home
from reconciler.engine.trusted.freshness import is_stale, measure, seconds, words
from reconciler.engine.trusted.standing import Standing
from reconciler.errors import ReconcilerError
from reconciler.model.answer import Answer
from reconciler.model.diagnosis import Diagnosis
from reconciler.ports import Clock

_NOTHING_ACCEPTED = "nothing was accepted yet"


def diagnose_fleet(home: Home, clock: Clock) -> list[Diagnosis]:
    """Pin, trust policy, attestations, freshness and holds; never raises for what it finds.

    Args:
        home: Settings of the appliance.
        clock: The machine's.
    """
    found = [_pin(home)]
    try:
        past = recall_from(read_ledger(home))
        look = _Look(home, past, _now(past, clock), clock)
        fleet = look.fleet()
    except ReconcilerError as error:
        return [*found, Diagnosis("desired state", "broken", str(error), error.hint)]
    parts: tuple[Callable[[Fleet | None], Diagnosis], ...] = (
        look.trust,
        look.attestations,
        look.freshness,
        look.holds,
    )
    return [*found, *(part(fleet) for part in parts)]


def _now(past: Past, clock: Clock) -> Standing:
    machine = linux_target("/", lambda topic: Answer("unsupported", reason=topic))
    return past.standing.at(gather(clock, machine, 10.0).clocks())


def _pin(home: Home) -> Diagnosis:
    pin = home.settings.fleet.pin
    if pin is None:
        return Diagnosis("fleet pin", "absent", "no commit is pinned; see fleet.pin")
    return Diagnosis("fleet pin", "ok", f"the first state must follow from {pin[:12]}")


@dataclass(frozen=True, slots=True)
class _Look:
    home: Home
    past: Past
    standing: Standing
    clock: Clock

    def fleet(self) -> Fleet | None:
        """The documents that are in force; None if nothing was accepted, or the mirror is lost."""
        accepted = self.past.memory.accepted
        if accepted is None or not self._mirrored:
            return None
        return read_fleet(fleet_source(self.home).read_files(accepted.commit))

    def trust(self, fleet: Fleet | None) -> Diagnosis:
        if fleet is None:
            return Diagnosis("trust policy", "absent", self._why_nothing())
        if fleet.trust is None:
            detail = "every listed signer alone may change everything"
            hint = "Write policies/trust/policy.yaml, see docs/trust.md."
            return Diagnosis("trust policy", "absent", detail, hint)
        count = len(fleet.trust.people), len(fleet.trust.rules)
        return Diagnosis("trust policy", "ok", "{} people, {} rules".format(*count))

    def attestations(self, _fleet: Fleet | None) -> Diagnosis:
        branch, subject = self.home.settings.fleet.attestations, "attestations"
        if branch is None:
            detail = "no branch is named; approvals, releases, heartbeats and recoveries count not"
            return Diagnosis(subject, "absent", detail)
        tip = fleet_source(self.home).attestations().commit if self._mirrored else None
        if tip is None:
            detail = f"branch {branch} was not there when the fleet was last reached"
            return Diagnosis(subject, "absent", detail)
        return Diagnosis(subject, "ok", f"branch {branch} at {tip[:12]}")

    def freshness(self, fleet: Fleet | None) -> Diagnosis:
        subject = "freshness"
        if fleet is None:
            return Diagnosis(subject, "absent", self._why_nothing())
        client = fleet.clients.get(self.home.settings.client)
        limit_h = None if client is None else client.freshness_h
        found = measure(self.standing, seconds(limit_h), self.clock.now())
        newest = "no heartbeat was ever believed"
        if found.age_s is not None:
            newest = f"newest heartbeat: number {found.counter}, {words(found.age_s)} old"
        if found.limit_s is None:
            hint = "Set freshness_h in client.yaml, see docs/howto/freshness.md."
            return Diagnosis(subject, "absent", f"no limit is promised; {newest}", hint)
        detail = f"{newest}; the limit is {words(found.limit_s)}"
        if is_stale(found):
            hint = "Nothing acts until a newer heartbeat is there: see docs/howto/freshness.md."
            return Diagnosis(subject, "limited", detail, hint)
        return Diagnosis(subject, "ok", detail)

    def holds(self, _fleet: Fleet | None) -> Diagnosis:
        held = self.past.standing.held
        if not held:
            return Diagnosis("holds", "ok", "nothing holds the desired state")
        said = [f"{reason} since {since:%Y-%m-%d %H:%M} UTC" for reason, since in held.items()]
        hint = "Nothing acts until it is over; the output of a run says what is needed."
        return Diagnosis("holds", "limited", "; ".join(said), hint)

    @property
    def _mirrored(self) -> bool:
        # Asked first, because opening a mirror makes one.
        return mirror_path(self.home).exists()

    def _why_nothing(self) -> str:
        if self.past.memory.accepted is None:
            return _NOTHING_ACCEPTED
        return "the mirror of the fleet is not there; the next run builds it anew"
