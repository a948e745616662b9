"""What is remembered of a NixOS host's systems: a fold over entries, like all memory.

Rule 1: A system is a failed one when an action that activated it, or restarted into it, did not
        heal. What went wrong before anything of it ran (a cache that cannot be reached) is only a
        failed attempt, and cools down.
Rule 2: A crash says little about a system: `CRASHES` of them count as one failure.
Rule 3: A verified success forgets both.
Rule 4: Where another system is wanted than a rule was last put right with, the rule does not fail
        because a fix did not hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.evidence.activation import did_not_restart, prepared_only
from reconciler.guard import memory_form as form
from reconciler.guard import transitions, trusted_system
from reconciler.model.system import InForce

CRASHES = 3
REMEMBERED = 16
"""Failed systems that are remembered; a host is never offered so many at once."""

FORGET = timedelta(days=90)
_BAD = frozenset({"failed", "rolled_back"})
_FINGERPRINTS = 16
_FIELDS = {"trusted", "recorded", "failed", "opened"}


@dataclass(frozen=True, slots=True)
class Failed:
    """How a system failed on this host.

    Attributes:
        at: When it last did.
        failures: Activations that did not heal.
        crashes: Activations that a crash cut off since then.
        fingerprints: Of the incidents that the last failure belongs to.
    """

    at: datetime
    failures: int
    crashes: int
    fingerprints: tuple[str, ...]

    @property
    def quarantined(self) -> bool:
        """Whether it counts as a failed one."""
        return self.failures > 0 or self.crashes >= CRASHES

    def to_body(self) -> dict[str, Any]:
        """JSON values; times are whole microseconds since 1970."""
        return {
            "at": form.stamp(self.at),
            "failures": self.failures,
            "crashes": self.crashes,
            "fingerprints": list(self.fingerprints),
        }

    @classmethod
    def from_body(cls, body: object) -> "Failed":
        """The inverse of `to_body`.

        Raises:
            Malformed: It does not read as one.
        """
        fields = form.fields(body, {"at", "failures", "crashes", "fingerprints"})
        prints = tuple(form.digest(each) for each in form.sequence(fields["fingerprints"]))
        counts = (form.count(fields["failures"]), form.count(fields["crashes"]))
        return cls(form.time(fields["at"]), *counts, prints)


@dataclass(frozen=True, slots=True)
class Systems:
    """The systems of one host.

    Attributes:
        trusted: Which is in force, by which release; ``None`` before the first.
        recorded: Path that the newest entry of kind ``system`` says runs; ``None`` before it.
        failed: By store path.
        opened: Systems of intents that have no outcome yet, by action id.
        healed: With which system a bound rule was last put right.
    """

    trusted: InForce | None = None
    recorded: str | None = None
    failed: Mapping[str, Failed] = field(default_factory=dict)
    opened: Mapping[str, str] = field(default_factory=dict)
    healed: Mapping[str, str] = field(default_factory=dict)

    def renews(self, rule: str, system: object) -> bool:
        """Whether another system is wanted than a rule was last put right with (Rule 4)."""
        before = self.healed.get(rule)
        return isinstance(system, str) and before is not None and before != system

    def relapsed(self, action: Mapping[str, Any]) -> tuple[str, ...]:
        """The rules of an announced action, but for those for which another system is wanted.

        Raises:
            Malformed: It does not say what an action must say.
        """
        system = form.mapping(action.get("params", {})).get("system")
        return tuple(r for r in form.texts(action.get("rules")) if not self.renews(r, system))

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence; `from_body` is the inverse."""
        return {
            "trusted": self.trusted and self.trusted.to_body(),
            "recorded": self.recorded,
            "failed": {path: each.to_body() for path, each in self.failed.items()},
            "opened": dict(self.opened),
            **({"healed": dict(self.healed)} if self.healed else {}),
        }

    @classmethod
    def from_body(cls, body: object) -> "Systems":
        """Systems as memory holds them.

        Raises:
            Malformed: It does not read as such.
        """
        said = form.mapping(body)
        fields = form.fields(said, _FIELDS | ({"healed"} & set(said)))
        trusted = fields["trusted"]
        return cls(
            trusted=None if trusted is None else trusted_system.read(trusted),
            recorded=form.optional_text(fields["recorded"]),
            failed=form.table(fields["failed"], form.text, Failed.from_body),
            opened=form.table(fields["opened"], form.digest, form.text),
            healed=form.table(fields.get("healed", {}), form.text, form.text),
        )


def after(systems: Systems, kind: str, body: Mapping[str, Any], at: datetime) -> Systems:
    """The systems after one more entry.

    Raises:
        Malformed: The body does not say what its kind must say.
    """
    systems = replace(
        systems,
        trusted=trusted_system.after(systems.trusted, kind, body),
        recorded=form.text(body.get("to")) if kind == "system" else systems.recorded,
    )
    if kind == "intent":
        return _begun(systems, body)
    return _ended(systems, body, at) if kind == "outcome" else systems


def _begun(systems: Systems, body: Mapping[str, Any]) -> Systems:
    action = form.mapping(body.get("action"))
    path = form.mapping(action.get("params", {})).get("system")
    if not isinstance(path, str):
        return systems
    return replace(systems, opened={**systems.opened, form.digest(action.get("id")): path})


def _ended(systems: Systems, body: Mapping[str, Any], at: datetime) -> Systems:
    action, result = form.digest(body.get("action")), form.text(body.get("result"))
    path = systems.opened.get(action)
    if path is None:
        return systems
    opened = {key: value for key, value in systems.opened.items() if key != action}
    failed = {p: f for p, f in systems.failed.items() if at - f.at < FORGET}
    before = failed.pop(path, Failed(at, 0, 0, ()))
    if result == "healed":
        healed = {**systems.healed, **dict.fromkeys(form.texts(body.get("rules")), path)}
        return replace(systems, opened=opened, failed=failed, healed=healed)
    if result == "interrupted":
        failed[path] = replace(before, at=at, crashes=before.crashes + 1)
    elif result in _BAD and _ran(body):
        failed[path] = Failed(at, before.failures + 1, 0, _fingerprints(body))
    elif before.failures or before.crashes:
        failed[path] = before
    newest = sorted(failed.items(), key=lambda item: item[1].at)[-REMEMBERED:]
    return replace(systems, opened=opened, failed=dict(newest))


def _ran(body: Mapping[str, Any]) -> bool:
    """Whether anything of the system ran (Rule 1)."""
    for each in form.sequence(body.get("steps", ())):
        step = form.mapping(each)
        count = len(form.sequence(step.get("results", ())))
        if step.get("kind") == "system.activate" and not prepared_only(step):
            return True
        restarted = body.get("rollback") == "none" and not did_not_restart(body)
        if step.get("kind") == "system.reboot" and count and restarted:
            return True
    return False


def _fingerprints(body: Mapping[str, Any]) -> tuple[str, ...]:
    found = {each.fingerprint for each in transitions.read(body)}
    return tuple(sorted(found))[:_FINGERPRINTS]
