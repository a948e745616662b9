"""The order of upkeep after a run, and what is said when something did not come about."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from reconciler.engine.appliance import Appliance
from reconciler.engine.kept import Kept
from reconciler.engine.session import Session
from reconciler.engine.upkeep import anchors, checkpoints, copies, packing, pushing, witnesses
from reconciler.engine.upkeep.ages import Ages, Event, alarm_problem, failed
from reconciler.engine.upkeep.equipment import Equipment
from reconciler.errors import ReconcilerError
from reconciler.model.run import UpkeepProblem

Part = Callable[[Session], list[Event]]

ORDER: Mapping[str, Part] = {
    checkpoints.PART: checkpoints.checkpoint,
    "witnesses": witnesses.ask_witnesses,
    anchors.PART: anchors.keep_anchors,
    copies.PART: copies.copy,
    pushing.PART: pushing.push,
    packing.PART: packing.repack,
}
"""Each part vouches for, or carries away, what the ones before it wrote."""


def keep(session: Session) -> tuple[UpkeepProblem, ...]:
    """Do what is due, part by part, until the end is asked for.

    Returns:
        What did not come about, and alarms for what has not for too long; never raises for it.
    """
    appliance = session.appliance
    appliance.ages.begin(parts_of(appliance.equipment), appliance.clock.now())
    problems: list[UpkeepProblem] = []
    for name, part in ORDER.items():
        if session.options.stopping():
            break
        session.options.hook(f"upkeep:{name}")
        problems += _done(session, name, part)
    problems += _alarms(appliance, {problem.part for problem in problems})
    try:
        appliance.ages.save()
    except ReconcilerError as error:
        problems.append(UpkeepProblem("ages", error.message, error.hint))
    session.options.hook("upkeep-ended")
    return tuple(problems)


def parts_of(equipment: Equipment) -> list[str]:
    """The parts that were asked for, each with an age of its own."""
    wanted = [checkpoints.PART, *(witness.name for witness in equipment.witnesses)]
    for part, asked in (
        (anchors.PART, equipment.anchors),
        (copies.PART, equipment.store),
        (pushing.PART, equipment.outbox),
        (packing.PART, equipment.repack or None),
    ):
        wanted += [] if asked is None else [part]
    return wanted


def alarms(
    ages: Ages, equipment: Equipment, kept: Kept, checkpoint_at: datetime | None, now: datetime
) -> Iterator[UpkeepProblem]:
    """Parts that have not come about for too long.

    Args:
        ages: What is remembered of them.
        equipment: What was asked for.
        kept: What the ledger says.
        checkpoint_at: When the log's root was last signed, as the ledger says.
        now: Wall time.
    """
    known = {name: vouched.at for name, vouched in kept.cosigned.items()}
    if kept.copied is not None:
        known[copies.PART] = kept.copied.at
    if checkpoint_at is not None:
        known[checkpoints.PART] = checkpoint_at
    for part in parts_of(equipment):
        # Anchors have alarms of their own, for each way to an independent time.
        message = None if part == anchors.PART else ages.alarm(part, now, known.get(part))
        if message is not None:
            yield alarm_problem(part, message)


def _done(session: Session, name: str, part: Part) -> list[UpkeepProblem]:
    appliance = session.appliance
    try:
        events = part(session)
    except ReconcilerError as error:
        events = [failed(name, error.message, error.hint)]
    now = appliance.clock.now()
    # The last word of a part counts: a problem stays, whatever else went well.
    for event in sorted(events, key=lambda one: one.problem is not None):
        appliance.ages.note(event, now)
    return [event.problem for event in events if event.problem is not None]


def _alarms(appliance: Appliance, said: set[str]) -> Iterator[UpkeepProblem]:
    past, now = appliance.past, appliance.clock.now()
    for problem in alarms(appliance.ages, appliance.equipment, past.kept, past.checkpoint_at, now):
        if problem.part not in said:
            yield problem
