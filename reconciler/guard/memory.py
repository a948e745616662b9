"""What the guards remember: a fold over ledger entries, and nothing else (design promise 6).

Rule 1: Memory is explicit. It starts at the genesis of a ledger; a lost one is not an empty one.
Rule 2: What does not read as memory is an error, never a fresh start.
Rule 3: Time and the counter of accepted commits never go back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.errors import LedgerDamaged
from reconciler.guard import memory_form as form
from reconciler.guard.attempt import Attempt, ended, started

FORGET = timedelta(days=90)
"""A closed attempt is forgotten after this long, so that memory does not grow with history."""

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
    """

    accepted: Accepted | None
    attempts: Mapping[str, Attempt]
    refusal: Mapping[str, str | None] | None

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
            "attempts": {key: attempt.to_body() for key, attempt in self.attempts.items()},
            "refusal": dict(self.refusal) if self.refusal else None,
        }

    @classmethod
    def from_body(cls, body: object) -> "Memory":
        """Memory as an entry of the ledger holds it.

        Raises:
            LedgerDamaged: It does not read as memory.
        """
        try:
            fields = form.fields(body, {"accepted", "attempts", "refusal"})
            attempts = form.mapping(fields["attempts"])
            return cls(
                accepted=_accepted(fields["accepted"]),
                attempts={
                    form.digest(key): Attempt.from_body(value) for key, value in attempts.items()
                },
                refusal=_refusal(fields["refusal"]),
            )
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
                return _after_intent(memory, body, recorded_at)
            case "outcome":
                return _after_outcome(memory, body, recorded_at)
            case "run":
                return _after_run(memory, form.mapping(body.get("intent")))
            case "refusal" if body.get("held") is True:
                # Of the state that is in force; the newest one that was refused is still that.
                return memory
            case "refusal":
                commit = form.optional_text(body.get("commit"))
                return memory.with_refusal(form.text(body.get("reason")), commit)
            case _:
                return memory
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
    action = form.digest(form.mapping(body.get("action")).get("id"))
    if "desired" in body:
        memory = _accept(memory, body["desired"])
    return _with_attempt(memory, action, started(memory.attempts.get(action), at), at)


def _after_outcome(memory: Memory, body: Mapping[str, Any], at: datetime) -> Memory:
    action = form.digest(body.get("action"))
    result = form.text(body.get("result"))
    return _with_attempt(memory, action, ended(memory.attempts.get(action), result, at), at)


def _after_run(memory: Memory, desired: Mapping[str, Any]) -> Memory:
    """A run under the newest desired state ends a refusal; the next one is news again."""
    if desired.get("refused") is None:
        memory = replace(memory, refusal=None)
    return _accept(memory, desired.get("accepted"))


def _with_attempt(memory: Memory, action: str, attempt: Attempt, at: datetime) -> Memory:
    """The memory with one attempt renewed, and without those that are long over."""
    kept = {k: a for k, a in memory.attempts.items() if a.open or at - a.last_at < FORGET}
    return replace(memory, attempts={**kept, action: attempt})


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
