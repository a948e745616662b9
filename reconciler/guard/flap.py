"""A fix that does not hold is not done again and again: somebody else owns the setting.

Each time a verified fix is undone costs a penalty, which halves in ``half_life_s``. At
``suppress_at``, or at the ``most_recurrences``-th time within ``within_days``, nothing more is done
until it has come down to ``reuse_at``; people are asked meanwhile. Why six hours: a group policy
puts a setting back every 90 to 120 minutes, and with a shorter half-life the score would never
stop it.

Rule 1: A failing rule that was verified and is to be put right again is a recurrence already, so
        the fix that would be one too many is the first that is not done.
Rule 2: Time alone releases it.
Rule 3: A newer system is not stopped by how well an older one held.
"""

from reconciler.guard import recurrence
from reconciler.guard.context import Guard, GuardContext
from reconciler.guard.lost import without_memory
from reconciler.guard.recurrence import Flap
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "flap"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Defer while one of the rules is suppressed; the one that takes longest decides."""
    if context.memory is None:
        return without_memory(NAME, context)
    flaps, systems = context.memory.flaps, context.memory.systems
    wanted = action.params.get("system")
    rules = [r for r in action.rules if r in flaps and not systems.renews(r, wanted)]
    verdicts = [_of(rule, flaps[rule], context) for rule in rules]
    return max(verdicts, key=lambda v: v.retry_after_s or 0, default=Verdict("allow", NAME))


def _of(rule: str, flap: Flap, context: GuardContext) -> Verdict:
    settings = context.desired.guards.flap
    # Whoever asks has seen it fail: a fix that was verified has not held.
    flap = recurrence.recurred(flap, context.now)
    damping = recurrence.damping(flap, settings, context.now)
    if not damping.suppressed:
        return Verdict("allow", NAME)
    reason = (
        f"{rule} does not hold: it came back {damping.recurrences} times in "
        f"{settings.within_days} days, score {damping.score} (stopped at "
        f"{settings.most_recurrences} times or {settings.suppress_at}, free at "
        f"{settings.reuse_at}); find what puts it back"
    )
    return Verdict("defer", NAME, reason, recurrence.release_s(flap, settings, context.now))


GUARD = Guard(NAME, judge)
