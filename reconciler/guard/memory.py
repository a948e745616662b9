"""What the guards remember: a fold over ledger entries, and nothing else (design promise 6).

Rule 1: Memory is explicit. It starts at the genesis of a ledger; a lost one is not an empty one.
Rule 2: What does not read as memory is an error, never a fresh start.
Rule 3: Time and the counter of accepted commits never go back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.errors import LedgerDamaged
from reconciler.guard import attempt, bucket, recurrence, systems, transitions, trips
from reconciler.guard import memory_form as form
from reconciler.guard.active import Active
from reconciler.guard.advice_budget import AdviceBudget, after_advice
from reconciler.guard.attempt import Attempt
from reconciler.guard.bucket import Bucket
from reconciler.guard.charge import Charge
from reconciler.guard.recurrence import Flap
from reconciler.guard.systems import Systems
from reconciler.guard.transitions import Quarantine
from reconciler.guard.trips import Ran

FORGET = timedelta(days=90)
"""What is over is forgotten after this long, so that memory does not grow with history."""

_FIRST = {"accepted", "attempts", "refusal"}
"""What memory held when there was nothing else."""
_SINCE = {"flaps", "breakers", "tokens", "onboarding", "active", "quarantined", "advice"}
"""What an older version did not remember; all of it or nothing."""
_SOME = {"systems"}  # What only a NixOS host remembers.

_HINT = "Verify the ledger (reconciler verify REPOSITORY); nothing is applied until it is whole."


@dataclass(frozen=True, slots=True)
class Accepted:
    """The newest desired state that was accepted.

    Attributes:
        commit: Hex id.
        counter: How many commits were accepted before and with this one; it only grows.
    """

    commit: str
    counter: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything guards remember of one host.

    Attributes:
        accepted: ``None`` until the first desired state was accepted.
        attempts: By action id.
        refusal: The newest refusal, ``{"reason": …, "commit": …}``, so that the same one is not
            recorded in every run.
        flaps: By bound rule that was put right.
        breakers: Newest runs, by ``<client>|<runbook>``.
        tokens: Buckets that are not full, by name (`reconciler.guard.charge`).
        onboarding: When the approval of a whole plan was first used, by its digest.
        active: Open intents, by action id.
        quarantined: What the host is closed for, by incident id.
        advice: Questions to a language model: how many, of what, and how its endpoint behaved.
        systems: Of a NixOS host: which is trusted, which ran last, which failed.
    """

    accepted: Accepted | None
    attempts: Mapping[str, Attempt]
    refusal: Mapping[str, str | None] | None
    flaps: Mapping[str, Flap] = field(default_factory=dict)
    breakers: Mapping[str, tuple[Ran, ...]] = field(default_factory=dict)
    tokens: Mapping[str, Bucket] = field(default_factory=dict)
    onboarding: Mapping[str, datetime] = field(default_factory=dict)
    active: Mapping[str, Active] = field(default_factory=dict)
    quarantined: Mapping[str, Quarantine] = field(default_factory=dict)
    advice: AdviceBudget = field(default_factory=AdviceBudget.empty)
    systems: Systems = field(default_factory=Systems)

    @classmethod
    def empty(cls) -> "Memory":
        """The memory of a ledger that has just been made. Not for a ledger that was lost."""
        return cls(None, {}, None)

    def with_refusal(self, reason: str, commit: str | None) -> "Memory":
        """The memory after a refusal."""
        return replace(self, refusal={"reason": reason, "commit": commit})

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence; `from_body` is the inverse."""
        accepted = self.accepted
        return {
            "accepted": accepted and {"commit": accepted.commit, "counter": accepted.counter},
            "attempts": {key: each.to_body() for key, each in self.attempts.items()},
            "refusal": dict(self.refusal) if self.refusal else None,
            "flaps": {key: each.to_body() for key, each in self.flaps.items()},
            "breakers": {key: [r.to_body() for r in runs] for key, runs in self.breakers.items()},
            "tokens": {key: each.to_body() for key, each in self.tokens.items()},
            "onboarding": {key: form.stamp(at) for key, at in self.onboarding.items()},
            "active": {key: each.to_body() for key, each in self.active.items()},
            "quarantined": {key: each.to_body() for key, each in self.quarantined.items()},
            "advice": self.advice.to_body(),
            **({"systems": self.systems.to_body()} if self.systems != Systems() else {}),
        }

    @classmethod
    def from_body(cls, body: object) -> "Memory":
        """Memory as an entry of the ledger holds it.

        Raises:
            LedgerDamaged: It does not read as memory.
        """
        try:
            fields = form.mapping(body)
            older = set(fields) == _FIRST
            names = _FIRST | _SINCE | _SOME & set(fields)
            fields = fields if older else form.fields(fields, names)
            first = cls(
                accepted=_accepted(fields["accepted"]),
                attempts=form.table(fields["attempts"], form.digest, Attempt.from_body),
                refusal=_refusal(fields["refusal"]),
            )
            return first if older else _with_the_rest(first, fields)
        except form.Malformed as error:
            raise LedgerDamaged(f"the guards' memory is garbled: {error}", hint=_HINT) from error


def fold(memory: Memory, kind: str, body: Mapping[str, Any], recorded_at: datetime) -> Memory:
    """The memory after one more entry of the ledger.

    Args:
        memory: Before the entry.
        kind: The entry's kind; one that guards do not care about changes nothing.
        body: The entry's body.
        recorded_at: The entry's time.

    Raises:
        LedgerDamaged: The body does not say what its kind must say, or goes back.
    """
    try:
        match kind:
            case "intent":
                memory = _after_intent(memory, body, recorded_at)
            case "outcome":
                memory = _after_outcome(memory, body, recorded_at)
            case "run":
                memory = _after_run(memory, body, recorded_at)
            case "advice":
                advice = after_advice(memory.advice, body, recorded_at)
                memory = replace(memory, advice=advice)
            case "refusal":
                return _after_refusal(memory, body)
            case "ticket" | "system":
                pass
            case _:
                return memory
        memory = replace(memory, systems=systems.after(memory.systems, kind, body, recorded_at))
        return _after_transitions(memory, body, recorded_at)
    except form.Malformed as error:
        raise LedgerDamaged(f"entry {kind} is garbled: {error}", hint=_HINT) from error


def accept(memory: Memory, commit: str | None, counter: int) -> Memory:
    """The memory after a desired state was accepted, or accepted again.

    Raises:
        LedgerDamaged: The counter goes back, or stays and the commit changes.
    """
    if commit is None:
        return memory
    before = memory.accepted
    if before is not None and before != Accepted(commit, counter) and counter <= before.counter:
        raise LedgerDamaged(
            f"acceptance goes back from {before.commit[:12]} (number {before.counter}) "
            f"to {commit[:12]} (number {counter})",
            hint=_HINT,
        )
    return replace(memory, accepted=Accepted(commit, counter))


def _after_intent(memory: Memory, body: Mapping[str, Any], at: datetime) -> Memory:
    action = form.mapping(body.get("action"))
    key, target = form.digest(action.get("id")), form.text(action.get("target"))
    if "desired" in body:
        memory = _accept(memory, body["desired"])
    charge = Charge.from_body(body.get("charge"), target)
    started = Active(
        target=target,
        site=charge.site,
        roles=charge.roles,
        runbook=form.text(action.get("runbook")),
        trips=charge.trips,
        at=at,
    )
    memory = _with_attempt(memory, key, attempt.started(memory.attempts.get(key), at), at)
    # An intent that was never closed is a failure of its own.
    memory = _with_run(memory, key, "interrupted", at)
    memory = _spent(memory, charge, at)
    flaps = recurrence.came_back(memory.flaps, memory.systems.relapsed(action), at)
    return replace(memory, flaps=flaps, active={**memory.active, key: started})


def _after_outcome(memory: Memory, body: Mapping[str, Any], at: datetime) -> Memory:
    key = form.digest(body.get("action"))
    result = form.text(body.get("result"))
    ended = attempt.ended(memory.attempts.get(key), result, at)
    memory = _with_run(_with_attempt(memory, key, ended, at), key, result, at)
    if result == "healed":
        rules = form.texts(body.get("rules"))
        memory = replace(memory, flaps=recurrence.held(memory.flaps, rules, at, FORGET))
    return memory


def _after_run(memory: Memory, body: Mapping[str, Any], at: datetime) -> Memory:
    """A run under the newest desired state ends a refusal; the next one is news again."""
    desired = form.mapping(body.get("intent"))
    if desired.get("refused") is None:
        memory = replace(memory, refusal=None)
    for left in form.sequence(body.get("not_done", ())):
        said = form.mapping(left)
        if said.get("guard") == "flap":
            rules = form.texts(said.get("rules"))
            memory = replace(memory, flaps=recurrence.came_back(memory.flaps, rules, at))
    return _accept(memory, desired.get("accepted"))


def _after_refusal(memory: Memory, body: Mapping[str, Any]) -> Memory:
    if body.get("held") is True:
        # Of the state that is in force; the newest one that was refused is still that.
        return memory
    commit = form.optional_text(body.get("commit"))
    return memory.with_refusal(form.text(body.get("reason")), commit)


def _after_transitions(memory: Memory, body: Mapping[str, Any], at: datetime) -> Memory:
    for each in transitions.read(body):
        flaps = transitions.flaps(memory.flaps, each, at, FORGET)
        closed = transitions.quarantined(memory.quarantined, each, at)
        memory = replace(memory, flaps=flaps, quarantined=closed)
    return memory


def _with_attempt(memory: Memory, action: str, attempt: Attempt, at: datetime) -> Memory:
    kept = {k: a for k, a in memory.attempts.items() if a.open or at - a.last_at < FORGET}
    return replace(memory, attempts={**kept, action: attempt})


def _with_run(memory: Memory, action: str, result: str, at: datetime) -> Memory:
    """The memory without an open intent, which ended like this."""
    began = memory.active.get(action)
    if began is None:
        return memory
    return replace(
        memory,
        breakers=trips.after(memory.breakers, began, result, at),
        active={key: each for key, each in memory.active.items() if key != action},
    )


def _spent(memory: Memory, charge: Charge, at: datetime) -> Memory:
    used = {key: first for key, first in memory.onboarding.items() if at - first < FORGET}
    if charge.onboarding is not None:
        used.setdefault(charge.onboarding, at)
    tokens = bucket.spent(memory.tokens, charge.refill_s, at)
    return replace(memory, tokens=tokens, onboarding=used)


def _accept(memory: Memory, desired: object) -> Memory:
    accepted = _accepted(desired)
    return memory if accepted is None else accept(memory, accepted.commit, accepted.counter)


def _accepted(body: object) -> Accepted | None:
    if body is None:
        return None
    fields = form.fields(body, {"commit", "counter"})
    return Accepted(form.text(fields["commit"]), form.count(fields["counter"]))


def _refusal(body: object) -> Mapping[str, str | None] | None:
    if body is None:
        return None
    fields = form.fields(body, {"reason", "commit"})
    return {"reason": form.text(fields["reason"]), "commit": form.optional_text(fields["commit"])}


def _with_the_rest(first: Memory, fields: Mapping[str, Any]) -> Memory:
    return replace(
        first,
        flaps=form.table(fields["flaps"], form.text, Flap.from_body),
        breakers=form.table(fields["breakers"], form.text, trips.from_body),
        tokens=form.table(fields["tokens"], form.text, Bucket.from_body),
        onboarding=form.table(fields["onboarding"], form.digest, form.time),
        active=form.table(fields["active"], form.digest, Active.from_body),
        quarantined=form.table(fields["quarantined"], form.text, Quarantine.from_body),
        advice=AdviceBudget.from_body(fields["advice"]),
        systems=Systems.from_body(fields["systems"]) if "systems" in fields else Systems(),
    )
