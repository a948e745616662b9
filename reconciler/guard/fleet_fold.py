"""What the runs of many hosts say of one version of a runbook: switched off, or a stage further.

Rule 1: A breaker opens when enough distinct hosts failed the same digest within the time. A fix
        that came undone later is no failure of the runbook: somebody else owns the setting.
Rule 2: Nothing here closes a breaker or takes a stage back; people do.
Rule 3: A stage is left when its hosts healed with it, the soak included, and no host had it fail
        or come undone. Of every tenth, as many must have healed as a breaker would need to open.
Rule 4: A host whose evidence cannot be read vouches for nothing, and holds its stage.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from reconciler.guard.rollout import reaches
from reconciler.model.fleet_wide import (
    FleetBreakers,
    FleetMove,
    OpenBreaker,
    Rollout,
    Stage,
    StageName,
)
from reconciler.model.guard_settings import BreakerSettings

Ending = Literal["healed", "failed", "undone", "open"]

_FOLLOWING: Mapping[StageName, StageName] = {"canary": "tenth", "tenth": "all"}
_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run of a runbook on one host.

    Attributes:
        target: ``<client>/<host>``.
        digest: ``sha256:<hex>`` of the runbook's file.
        at: When it began.
        ending: ``healed`` once the soak is over; ``undone`` when the fix did not hold through it.
        reference: The entry that shows it, ``<branch>@<seq>:sha256:<digest>``.
    """

    target: str
    runbook: str
    digest: str
    at: datetime
    ending: Ending
    reference: str


def newly_open(
    runs: Iterable[Ran],
    numbers: BreakerSettings,
    known: FleetBreakers,
    in_use: Mapping[str, str],
    today: date,
) -> tuple[OpenBreaker, ...]:
    """Breakers to add: of versions in use that no breaker names yet.

    Args:
        runs: Of any number of hosts.
        numbers: How many hosts, within how long.
        known: Breakers that are open already.
        in_use: Digest of every runbook as it is now, by id.
        today: The day that they open.
    """
    named = {breaker.digest for breaker in known.breakers}
    failed: dict[tuple[str, str], list[Ran]] = {}
    for run in sorted(runs, key=lambda run: (run.at, run.target)):
        if run.ending == "failed" and run.digest not in named:
            failed.setdefault((run.runbook, run.digest), []).append(run)
    return tuple(
        _breaker(burst, numbers, today)
        for (runbook, digest), failures in sorted(failed.items())
        if in_use.get(runbook) == digest and (burst := _burst(failures, numbers))
    )


def moves(
    rollout: Rollout,
    runs: Collection[Ran],
    numbers: BreakerSettings,
    targets: Collection[str],
    *,
    in_use: Mapping[str, str],
    off: Collection[str],
    unread: Collection[str],
) -> tuple[FleetMove, ...]:
    """What becomes of every version that has not come to ``all`` yet.

    Args:
        rollout: As it stands.
        runs: Of any number of hosts.
        numbers: How many hosts of every tenth must have healed.
        targets: Every host of the fleet.
        in_use: Digest of every runbook as it is now, by id.
        off: Digests that a breaker switches off.
        unread: Hosts whose evidence cannot be read.
    """
    found = []
    for runbook, stage in sorted(rollout.runbooks.items()):
        if stage.stage == "all":
            continue
        mine = [run for run in runs if run.runbook == runbook and run.digest == stage.digest]
        if in_use.get(runbook) != stage.digest:
            waits: str | None = "is not the version in use"
        elif stage.digest in off:
            waits = "is switched off by a breaker"
        else:
            waits = _waits(stage, mine, numbers, targets, unread)
        after = stage.stage if waits else _FOLLOWING[stage.stage]
        why = waits or f"healed on {_several({run.target for run in _healed(mine)})}"
        found.append(
            FleetMove(
                runbook=runbook, digest=stage.digest, before=stage.stage, after=after, why=why
            )
        )
    return tuple(found)


def _burst(failures: Sequence[Ran], numbers: BreakerSettings) -> list[Ran]:
    """The first failures of enough hosts within the time; by time."""
    within = timedelta(seconds=numbers.fleet_within_s)
    for last, newest in enumerate(failures):
        window = [run for run in failures[: last + 1] if newest.at - run.at <= within]
        if len({run.target for run in window}) >= numbers.fleet_hosts:
            return window
    return []


def _breaker(burst: Sequence[Ran], numbers: BreakerSettings, today: date) -> OpenBreaker:
    hosts = sorted({run.target for run in burst})
    return OpenBreaker(
        runbook=burst[0].runbook,
        digest=burst[0].digest,
        opened_on=today,
        hosts=tuple(hosts[:_MOST]),
        evidence=tuple(dict.fromkeys(run.reference for run in burst))[:_MOST],
        reason=f"failed on {len(hosts)} hosts within {numbers.fleet_within_s} s",
    )


def _waits(
    stage: Stage,
    runs: Sequence[Ran],
    numbers: BreakerSettings,
    targets: Collection[str],
    unread: Collection[str],
) -> str | None:
    """What a stage waits for; ``None`` when it may be left."""
    bad = {run.target for run in runs if run.ending in {"failed", "undone"}}
    if bad:
        return f"failed or came undone on {_several(bad)}"
    reached = {target for target in targets if reaches(stage, target)} | set(stage.hosts)
    blind = reached & set(unread)
    if blind:
        return f"evidence cannot be read: {_several(blind)}"
    if not reached:
        return "reaches no host of the fleet"
    healed = {run.target for run in _healed(runs)} & reached
    if stage.stage == "canary":
        missing = reached - healed
        return f"has not healed on {_several(missing)} yet" if missing else None
    wanted = min(len(reached), numbers.fleet_hosts)
    if len(healed) < wanted:
        return f"has healed on {len(healed)} of the {wanted} hosts that it takes"
    beyond = reached - set(stage.hosts)
    return "has healed on its canaries only" if beyond and not healed & beyond else None


def _healed(runs: Iterable[Ran]) -> list[Ran]:
    return [run for run in runs if run.ending == "healed"]


def _several(targets: Collection[str]) -> str:
    names = sorted(targets)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")
