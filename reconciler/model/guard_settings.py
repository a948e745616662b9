"""``policies/guards.yaml``: the numbers that guards judge by, for the whole fleet.

Every number has the default that was measured and simulated; a fleet that has no such file has
those. `reconciler check` lets the guards run under a fake clock and says which numbers cannot work.
"""

from pydantic import Field, model_validator

from reconciler.model.document import Document


class CooldownSettings(Document):
    """Seconds between two attempts at the same action: base x 2^failures, at most the cap."""

    base_s: int = Field(default=300, ge=60, le=3600)
    cap_s: int = Field(default=6 * 3600, ge=300, le=24 * 3600)


class FlapSettings(Document):
    """A fix that does not hold. Each recurrence adds ``penalty``; it halves in ``half_life_s``."""

    penalty: int = Field(default=1000, ge=100, le=10_000)
    half_life_s: int = Field(default=6 * 3600, ge=600, le=48 * 3600)
    suppress_at: int = Field(default=2500, ge=200, le=50_000)
    reuse_at: int = Field(default=750, ge=50, le=50_000)
    cap: int = Field(default=6000, ge=200, le=100_000)
    most_recurrences: int = Field(default=3, ge=2, le=20)
    within_days: int = Field(default=7, ge=1, le=30)

    @model_validator(mode="after")
    def _in_order(self) -> "FlapSettings":
        if not self.reuse_at < self.suppress_at <= self.cap:
            raise ValueError("reuse_at must be below suppress_at, and suppress_at at most cap")
        return self


class BreakerSettings(Document):
    """When a runbook is switched off for a client, and for how long."""

    consecutive: int = Field(default=3, ge=1, le=20)
    runs: int = Field(default=4, ge=2, le=32)
    within_s: int = Field(default=3600, ge=300, le=24 * 3600)
    bad_percent: int = Field(default=50, ge=10, le=100)
    open_s: int = Field(default=1800, ge=60, le=24 * 3600)
    cap_s: int = Field(default=8 * 3600, ge=60, le=7 * 24 * 3600)
    close_after: int = Field(default=2, ge=1, le=10)
    fleet_hosts: int = Field(default=3, ge=2, le=100)
    fleet_within_s: int = Field(default=3600, ge=300, le=7 * 24 * 3600)


class TokenSettings(Document):
    """How many actions may begin: a bucket of each size, refilled one token at a time."""

    host: int = Field(default=3, ge=1, le=100)
    host_refill_s: int = Field(default=900, ge=10, le=24 * 3600)
    client: int = Field(default=10, ge=1, le=1000)
    client_refill_s: int = Field(default=360, ge=10, le=24 * 3600)
    disruptive_refill_s: int = Field(default=3600, ge=60, le=7 * 24 * 3600)


class AdviceSettings(Document):
    """Most questions to a language model, and how long one may take."""

    per_incident: int = Field(default=2, ge=0, le=5)
    per_client_day: int = Field(default=60, ge=0, le=1000)
    timeout_s: int = Field(default=20, ge=1, le=120)
    least_confidence_percent: int = Field(default=60, ge=0, le=100)


class GuardSettings(Document):
    """The numbers of every guard.

    Attributes:
        confirm_s: Seconds between the first sighting of a finding that is not critical and the
            one that confirms it; 0 confirms by a second look in the same run.
        soak_s: How long a verified fix must hold before its incident is closed.
        approval_wait_s: How long an incident waits for an approval before people are called again.
        per_site: Most actions at the same time in one site.
        staged_rollout: A new digest of a runbook runs where ``policies/rollout.yaml`` says, and
            nowhere else.
    """

    confirm_s: int = Field(default=0, ge=0, le=24 * 3600)
    soak_s: int = Field(default=3600, ge=60, le=7 * 24 * 3600)
    approval_wait_s: int = Field(default=24 * 3600, ge=600, le=7 * 24 * 3600)
    per_site: int = Field(default=2, ge=1, le=100)
    staged_rollout: bool = False
    cooldown: CooldownSettings = CooldownSettings()
    flap: FlapSettings = FlapSettings()
    breaker: BreakerSettings = BreakerSettings()
    tokens: TokenSettings = TokenSettings()
    advice: AdviceSettings = AdviceSettings()
