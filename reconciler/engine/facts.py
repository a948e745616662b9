"""What a run must know about the machine's time, and when it must not sign."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.engine.trusted.standing import Reading
from reconciler.errors import ClockWrong
from reconciler.evidence.entry import Clock as ClockReading
from reconciler.evidence.entry import stamp
from reconciler.model.probe import ClockState, ReadFile
from reconciler.ports import Clock, Target

BOOT_ID = ReadFile("/proc/sys/kernel/random/boot_id")
CLOCK = ClockState()
JUMP_LIMIT_S = 600
"""Wall time may differ from elapsed time by this much within one boot before we refuse to sign."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The machine's time at the start of a run.

    Attributes:
        at: Wall time, UTC.
        uptime_s: Whole seconds since boot, suspended time included.
        boot_id: The kernel's random id of this boot; empty when it cannot be read.
        synchronised: Whether the kernel clock is disciplined; ``None`` when that is unknown.
        offset_us: The kernel's idea of the remaining offset, microseconds.
    """

    at: datetime
    uptime_s: int
    boot_id: str
    synchronised: bool | None
    offset_us: int | None

    def reading(self, at: datetime) -> ClockReading:
        """As an entry says it that is recorded at ``at``."""
        age = (at - self.at) // timedelta(milliseconds=1)
        source = "kernel" if self.synchronised is not None else "unknown"
        return ClockReading(source, self.synchronised, self.offset_us, self.uptime_s, max(age, 0))

    def clocks(self) -> Reading:
        """The clocks, for what counts elapsed time."""
        return Reading(self.at, self.uptime_s, self.boot_id)

    def body(self) -> dict[str, object]:
        """What the next run compares with, see `refuse_jump`."""
        return {"at": stamp(self.at), "uptime_s": self.uptime_s, "boot_id": self.boot_id}


def gather(clock: Clock, target: Target, deadline_s: float) -> Facts:
    """Read the clocks once; everything in the run takes time from here."""
    answers = target.ask((BOOT_ID, CLOCK), deadline_s)
    boot, kernel = answers[BOOT_ID], answers[CLOCK]
    disciplined = kernel.data if kernel.status == "ok" else {}
    return Facts(
        at=clock.now(),
        uptime_s=int(clock.monotonic()),
        boot_id=boot.data.strip() if boot.status == "ok" else "",
        synchronised=disciplined.get("synchronised"),
        offset_us=disciplined.get("offset_us"),
    )


def refuse_jump(facts: Facts, last_at: datetime, last_clock: Mapping[str, object]) -> None:
    """Refuse to sign under a clock that jumped (evidence with a wrong time cannot be withdrawn).

    Within one boot, wall time must have advanced as elapsed time did since both were last read
    together, unless the kernel says that the clock has been synchronised since. Between boots only
    going back can be seen, and the ledger refuses that itself.

    Args:
        facts: The machine's time now.
        last_at: When the newest entry was recorded.
        last_clock: `Facts.body` of the newest entry that has it.

    Raises:
        ClockWrong: The wall clock went back, or jumped ahead without being synchronised.
    """
    if facts.at < last_at:
        raise ClockWrong(
            f"the clock says {facts.at:%Y-%m-%dT%H:%M:%SZ}, but the newest evidence is from "
            f"{last_at:%Y-%m-%dT%H:%M:%SZ}: nothing can be signed before it",
            hint="Set the clock right (for example: chronyc makestep), then run again.",
        )
    read_at, last_uptime = last_clock.get("at"), last_clock.get("uptime_s")
    if not isinstance(read_at, str) or not isinstance(last_uptime, int):
        return
    if facts.boot_id != last_clock.get("boot_id"):
        return
    elapsed = (facts.at - datetime.fromisoformat(read_at)).total_seconds()
    drift = elapsed - (facts.uptime_s - last_uptime)
    if abs(drift) > JUMP_LIMIT_S and facts.synchronised is not True:
        raise ClockWrong(
            f"the clock jumped by {int(drift)} s since the newest evidence and is not synchronised",
            hint="Synchronise the clock (chronyc tracking shows its state), then run again.",
        )
