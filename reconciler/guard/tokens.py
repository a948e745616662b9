"""Only so many actions may begin: on a host, for a client, and few that people notice at a site.

Each has a bucket of tokens that come back one at a time. An action needs one of each; it is the
intent that takes them, so what is turned away here or later takes none.
"""

from datetime import timedelta

from reconciler.guard import bucket
from reconciler.guard.charging import Need, needs
from reconciler.guard.context import Guard, GuardContext
from reconciler.guard.lost import without_memory
from reconciler.guard.memory import Memory
from reconciler.guard.waiting import seconds_until
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "tokens"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Defer while a bucket is empty; the one that takes longest decides."""
    memory = context.memory
    if memory is None:
        return without_memory(NAME, context)
    waits = [(_wait(need, context, memory), need) for need in needs(action, context, memory)]
    longest, need = max(waits, key=lambda pair: pair[0], default=(timedelta(0), None))
    if need is None or not longest:
        return Verdict("allow", NAME)
    said = f"no token is left for {need.what}: {need.size} at once, then one in {need.refill_s} s"
    return Verdict("defer", NAME, said, seconds_until(context.now + longest, context.now))


def _wait(need: Need, context: GuardContext, memory: Memory) -> timedelta:
    found = memory.tokens.get(need.bucket)
    return bucket.wait(found, need.size, need.refill_s, context.now)


GUARD = Guard(NAME, judge)
