"""Faults that somebody could put into the guards, and the tests that must notice each.

An edit is one text of one file that is replaced; it must be there exactly once, so that a seed
which no longer fits the code fails instead of proving nothing.
"""

from dataclasses import dataclass

UNIT, PROPERTY = "tests/unit/guard/test_{}.py", "tests/property/test_guard_{}.py"
SHAM = "sham"
"""A seed that changes nothing, so it must survive: whoever kills it kills everything."""


@dataclass(frozen=True, slots=True)
class Seed:
    """One fault.

    Attributes:
        name: What it does, in a few words.
        file: In ``reconciler/guard``.
        old: What stands there.
        new: What stands there instead.
        tests: Files that must fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def unit(name: str) -> tuple[str, ...]:
    return (UNIT.format(name),)


def proven(name: str) -> tuple[str, ...]:
    return (PROPERTY.format(name),)


BUCKETS, BREAKER, FLAP = proven("tokens"), proven("breaker"), proven("flap")
PEOPLE, COOLDOWN, MUTEX = unit("people_and_fleet"), proven("cooldown"), proven("mutex")

SEEDS: tuple[Seed, ...] = (
    # --- buckets ---
    Seed("one token too many", "bucket.py", "* (size - 1)", "* size", BUCKETS),
    Seed("one token too few", "bucket.py", "* (size - 1)", "* (size - 2)", unit("tokens")),
    Seed(
        "a debt is forgotten",
        "bucket.py",
        "begin = at if bucket is None else max(at, bucket.full_at)",
        "begin = at",
        BUCKETS,
    ),
    Seed(
        "a charge takes nothing",
        "bucket.py",
        "full_at=begin + timedelta(seconds=refill_s)",
        "full_at=begin",
        BUCKETS,
    ),
    Seed(
        "a clock that goes back charges the past",
        "bucket.py",
        "at = max(at, bucket.at)",
        "at = min(at, bucket.at)",
        unit("tokens"),
    ),
    Seed(
        "buckets that are not full are forgotten",
        "bucket.py",
        "if bucket.full_at > at}",
        "if bucket.full_at < at}",
        unit("tokens"),
    ),
    Seed(
        "the client's bucket is not charged",
        "charging.py",
        "client_bucket(client), numbers.client,",
        "host_bucket(host), numbers.client,",
        BUCKETS,
    ),
    Seed(
        "disruptive costs nothing",
        "charging.py",
        "if pinned is not None and pinned.runbook.disruptive:",
        "if pinned is None:",
        BUCKETS,
    ),
    Seed(
        "every approval of a plan is free",
        "charging.py",
        "if plan is None or plan.digest not in memory.onboarding:",
        "if plan is None:",
        unit("tokens"),
    ),
    Seed(
        "the approval of a plan is never used up",
        "memory.py",
        "used.setdefault(charge.onboarding, at)",
        "used.pop(charge.onboarding, at)",
        unit("tokens"),
    ),
    Seed(
        "an intent spends nothing",
        "memory.py",
        "memory = _spent(memory, charge, at)",
        "memory = memory",
        BUCKETS,
    ),
    Seed("the shortest wait decides", "tokens.py", "= max(waits,", "= min(waits,", unit("tokens")),
    # --- breaker ---
    Seed("four in a row", "trips.py", "failures >= settings.c", "failures > settings.c", BREAKER),
    Seed(
        "failures in a row within the hour only",
        "trips.py",
        "failures = before.failures + 1 if last.bad else 0",
        "failures = sum(r.bad for r in runs if (last.at - r.at).total_seconds() < 3600)",
        BREAKER,
    ),
    Seed("a success forgets nothing", "trips.py", "if last.bad else 0", "", unit("breaker")),
    Seed(
        "more than half bad",
        "trips.py",
        "bad * 100 >= settings.bad_percent",
        "bad * 100 > settings.bad_percent",
        unit("breaker"),
    ),
    Seed(
        "one run more",
        "trips.py",
        "len(recent) >= settings.runs",
        "len(recent) > settings.runs",
        BREAKER,
    ),
    Seed(
        "it opens no longer each time",
        "trips.py",
        "settings.open_s << min(max(trips - 1, 0), _MOST_DOUBLINGS)",
        "settings.open_s",
        BREAKER,
    ),
    Seed("a failed probe counts as none", "trips.py", "trips=run.trips + 1", "trips=1", BREAKER),
    Seed(
        "one success closes",
        "trips.py",
        "successes >= settings.close_after",
        "successes >= 1",
        BREAKER,
    ),
    Seed(
        "a late success closes",
        "trips.py",
        "elif state.opened_at is None or run.began > state.opened_at:",
        "else:",
        unit("breaker"),
    ),
    Seed("many probes", "breaker.py", "if any(each.breaker == name", "if any(not name", BREAKER),
    Seed(
        "open is half open",
        "breaker.py",
        "if now < switch.opened_at + lasts:",
        "if now < switch.opened_at:",
        BREAKER,
    ),
    Seed(
        "a crash is no failure",
        "trips.py",
        'frozenset({"failed", "rolled_back", "interrupted"})',
        'frozenset({"failed", "rolled_back"})',
        unit("breaker"),
    ),
    Seed(
        "outcomes are not counted",
        "memory.py",
        "breakers=trips.after(memory.breakers, began, result, at),",
        "breakers=memory.breakers,",
        BREAKER,
    ),
    # --- flap ---
    Seed("never released", "recurrence.py", "and score > settings.reuse_at,", ",", FLAP),
    Seed(
        "no decay between recurrences",
        "recurrence.py",
        "decayed(score, settings.half_life_s, at - last)",
        "score",
        FLAP,
    ),
    Seed(
        "above and not at",
        "recurrence.py",
        "or often or score >= settings.suppress_at",
        "or often",
        unit("flap"),
    ),
    Seed(
        "the third in a week is free",
        "recurrence.py",
        ">= settings.most_recurrences",
        "> settings.most_recurrences",
        unit("flap"),
    ),
    Seed(
        "counted again in every run",
        "recurrence.py",
        "    if not flap.held:\n        return flap\n",
        "",
        FLAP,
    ),
    Seed(
        "no cap",
        "recurrence.py",
        "min(score + settings.penalty, settings.cap)",
        "score + settings.penalty",
        FLAP,
    ),
    Seed(
        "released a second early",
        "recurrence.py",
        "if left <= settings.reuse_at else (middle + 1, high)",
        "if left <= settings.reuse_at + 1 else (middle + 1, high)",
        FLAP,
    ),
    Seed(
        "the one fix too many is done",
        "flap.py",
        "flap = recurrence.recurred(flap, context.now)",
        "flap = flap",
        unit("flap"),
    ),
    Seed(
        "what was turned away is not counted",
        "memory.py",
        'if said.get("guard") == "flap":',
        'if said.get("guard") == "none":',
        FLAP,
    ),
    # --- cooldown ---
    Seed(
        "no doubling",
        "cooldown.py",
        "settings.base_s << min(",
        "settings.base_s + min(",
        unit("cooldown"),
    ),
    Seed(
        "no cap", "cooldown.py", "return min(doubled, settings.cap_s)", "return doubled", COOLDOWN
    ),
    Seed(
        "from the beginning of the attempt",
        "attempt.py",
        "closed = replace(attempt, last_at=max(at, attempt.last_at)",
        "closed = replace(attempt, last_at=attempt.last_at",
        unit("cooldown"),
    ),
    Seed(
        "a clock that went back frees",
        "cooldown.py",
        "if context.now < attempt.last_at:",
        "if context.now > attempt.last_at:",
        unit("cooldown"),
    ),
    Seed(
        "lost memory is empty",
        "cooldown.py",
        "return without_memory(NAME, context)",
        'return Verdict("allow", NAME)',
        unit("cooldown"),
    ),
    Seed(
        "a success leaves no wait",
        "attempt.py",
        "failures=0, last_success_at",
        "failures=-9, last_success_at",
        unit("memory"),
    ),
    # --- mutex, quarantine ---
    Seed(
        "two on a host",
        "mutex.py",
        "if each.target == action.target:",
        "if not each.target:",
        unit("mutex"),
    ),
    Seed("three in a site", "mutex.py", "if len(here) >= d", "if len(here) > d", MUTEX),
    Seed(
        "two domain controllers",
        "mutex.py",
        "if ALONE in desired.host.roles and ALONE in",
        "if ALONE not in desired.host.roles and ALONE in",
        MUTEX,
    ),
    Seed("an outcome frees nobody", "memory.py", "if key != action}", "}", MUTEX),
    Seed(
        "another incident opens the host",
        "transitions.py",
        "closed.pop(each.incident, None)",
        "closed.clear()",
        unit("quarantine"),
    ),
    Seed(
        "what was taken over once is open for ever",
        "quarantine.py",
        "one.opens(each.fingerprint, each.at, today, context.now)",
        "one.opens(each.fingerprint, each.at, one.until, context.now)",
        unit("quarantine"),
    ),
    Seed(
        "a look from before it was closed opens it",
        "quarantine.py",
        "one.opens(each.fingerprint, each.at, today",
        "one.opens(each.fingerprint, one.looked_at or each.at, today",
        unit("quarantine"),
    ),
    # --- systems ---
    Seed(
        "a system that failed runs again by itself",
        "revision.py",
        "if failed is None or not failed.quarantined:",
        "if failed is None or failed.quarantined:",
        unit("revision"),
    ),
    Seed(
        "one crash is a failure",
        "systems.py",
        "self.crashes >= CRASHES",
        "self.crashes >= 1",
        unit("revision"),
    ),
    Seed(
        "a cache that cannot be reached condemns a system",
        "systems.py",
        "not prepared_only(step)",
        "count >= 1",
        unit("revision"),
    ),
    Seed(
        "a look from before the failure lets it run",
        "revision.py",
        "one.opens(each, failed.at, today, context.now)",
        "one.opens(each, one.looked_at or failed.at, today, context.now)",
        unit("revision"),
    ),
    Seed(
        "an unmoved attempt forgets the failure",
        "systems.py",
        "elif before.failures or before.crashes:",
        "elif False:",
        unit("revision"),
    ),
    Seed(
        "release after release is a fix that does not hold",
        "systems.py",
        "if not self.renews(r, system)",
        "if r",
        unit("flap"),
    ),
    Seed(
        "a newer system waits for how an older one held",
        "flap.py",
        "and not systems.renews(r, wanted)",
        "and r",
        unit("flap"),
    ),
    Seed(
        "a restart that was not begun condemns a system",
        "systems.py",
        "and not did_not_restart(body)",
        "and count",
        unit("revision"),
    ),
    # --- what people decided ---
    Seed(
        "a client's switch is not looked at",
        "kill_switch.py",
        '"client": context.desired.client.kill_switch,',
        '"client": None,',
        unit("guards"),
    ),
    Seed(
        "a held state is acted on",
        "hold.py",
        "if context.holds:",
        "if not context.holds:",
        unit("hold"),
    ),
    Seed("every tier heals", "tier.py", 'if "heal" in', 'if "observe" in', unit("tier")),
    Seed(
        "observing clients are changed",
        "mode.py",
        'if mode != "enforce":',
        'if mode == "":',
        unit("guards"),
    ),
    Seed(
        "what changed since still runs",
        "allow_list.py",
        "if action.runbook_digest != pinned.digest:",
        "if not pinned.digest:",
        unit("guards"),
    ),
    Seed(
        "what is not approved runs",
        "allow_list.py",
        "if not pinned.approved:",
        "if pinned.approved is None:",
        unit("guards"),
    ),
    Seed(
        "an approval of another plan binds",
        "approval.py",
        'yield "is for another plan"',
        "return",
        unit("approvals"),
    ),
    Seed(
        "one person is enough",
        "approval.py",
        "if each.people < _people(pinned):",
        "if each.people < 1:",
        unit("approvals"),
    ),
    Seed(
        "the last day of a freeze is free",
        "freeze.py",
        "<= context.calendar.day <= each.last",
        "<= context.calendar.day < each.last",
        PEOPLE,
    ),
    Seed(
        "one excepted rule excuses all",
        "exception.py",
        "if not held or len(held) < len(covers):",
        "if not held:",
        PEOPLE,
    ),
    Seed(
        "a switched off version runs",
        "fleet_breaker.py",
        "if breaker.digest in digests:",
        "if breaker.digest not in digests:",
        PEOPLE,
    ),
    Seed(
        "the canary is everywhere",
        "rollout.py",
        'if stage.stage == "all" or',
        "if stage or",
        PEOPLE,
    ),
    Seed(
        "a condition that fails is met",
        "precheck.py",
        '{"pass", "unknown"}',
        '{"pass", "unknown", "fail"}',
        unit("guards"),
    ),
    Seed(
        "the way in may be cut",
        "access_path_safe.py",
        "    if cut:\n",
        "    if not access:\n",
        unit("access_path_safe"),
    ),
    # --- the gate ---
    Seed(
        "it goes on after a refusal",
        "gate.py",
        'if verdict.ruling != "allow":',
        'if verdict.ruling == "deny":',
        unit("gate"),
    ),
    Seed(
        "some of the guards are enough",
        "gate.py",
        "return allowed and names == [guard.name for guard in GUARDS]",
        "return allowed",
        unit("gate"),
    ),
    Seed("a guard is left out", "gate.py", "    breaker.GUARD,\n", "", unit("gate")),
)


def control() -> Seed:
    """The guards as they are, under every test that a seed names."""
    tests = tuple(dict.fromkeys(test for seed in SEEDS for test in seed.tests))
    return Seed(SHAM, "gate.py", '"""The guards, in order', '"""Guards, in their order', tests)
