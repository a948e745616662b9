"""How often a language model may be asked, folded from the ``advice`` entries.

Rule 1: What is counted is the question, from the entry that precedes it: a crash between question
        and answer does not make a question free.
Rule 2: The same fault has one budget, however often it comes back as a new incident (lesson 6: 790
        questions about one).
Rule 3: An endpoint that did not answer is left alone, longer after each failure, by all runs.
Rule 4: What was chosen is remembered with its incident, so that a choice that has to wait is not
        asked for again.
Rule 5: Time never goes back; under a clock that did, nothing is free.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from reconciler.evidence.canonical import digest
from reconciler.guard import memory_form as form
from reconciler.guard.advice_form import fault_of, incident_id, one_of, pair
from reconciler.model.guard_settings import AdviceSettings

Level = Literal["json-schema", "json-object-schema", "json-object", "text"]
"""How strictly an endpoint is asked for the form of its answer, strictest first."""

Result = Literal[
    "accepted",
    "escalate",
    "invalid",
    "contradiction",
    "low-confidence",
    "unreachable",
    "timeout",
    "over-budget",
]
"""How a question ended. Only ``accepted`` leads to an action."""

LEVELS: tuple[Level, ...] = get_args(Level)
FORGET = timedelta(days=7)
"""A fault is forgotten this long after the last question about it."""
FORGET_CHOICE = timedelta(days=30)
"""A choice is forgotten after this long, carried out or not."""
BASE_S = 300
CAP_S = 6 * 3600
_MOST_DOUBLINGS = 10
_MOST_ENDPOINTS = 4
_SPOKE = frozenset({"accepted", "escalate", "contradiction", "low-confidence"})
_SILENT = frozenset({"unreachable", "timeout"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions about one fault."""

    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen for an incident: the id of the action."""

    action: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """How one endpoint behaved.

    Attributes:
        level: Where the next question begins: what worked, or the one below what was refused.
        failures: Questions without an answer since the last answer.
        last_at: When it last answered, or did not.
    """

    level: Level
    failures: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceBudget:
    """What is remembered of questions to language models.

    Attributes:
        day: The UTC day of the newest question; never goes back.
        today: Questions on that day.
        faults: By the first 12 hex digits of the fingerprint.
        endpoints: By `endpoint_key`.
        choices: Accepted ones, by the incident's id.
    """

    day: str | None = None
    today: int = 0
    faults: Mapping[str, Asked] = field(default_factory=dict)
    endpoints: Mapping[str, Heard] = field(default_factory=dict)
    choices: Mapping[str, Chosen] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> "AdviceBudget":
        """The budget of a ledger without a question."""
        return cls()

    def level(self, endpoint: str) -> Level:
        """Where the next question to an endpoint begins."""
        heard = self.endpoints.get(endpoint)
        return LEVELS[0] if heard is None else heard.level

    def to_body(self) -> dict[str, Any]:
        """JSON values; `from_body` is the inverse."""
        return {
            "day": self.day,
            "today": self.today,
            "faults": {k: [one.count, form.stamp(one.last_at)] for k, one in self.faults.items()},
            "endpoints": {
                key: {
                    "level": one.level,
                    "failures": one.failures,
                    "last_at": form.stamp(one.last_at),
                }
                for key, one in self.endpoints.items()
            },
            "choices": {k: [one.action, form.stamp(one.at)] for k, one in self.choices.items()},
        }

    @classmethod
    def from_body(cls, body: object) -> "AdviceBudget":
        """The budget as a run entry holds it.

        Raises:
            Malformed: It does not read as one.
        """
        fields = form.fields(body, {"day", "today", "faults", "endpoints", "choices"})
        day = form.optional_text(fields["day"])
        if day is not None and not _DAY.fullmatch(day):
            raise form.Malformed("a day is missing")
        faults = form.mapping(fields["faults"])
        endpoints = form.mapping(fields["endpoints"])
        choices = form.mapping(fields["choices"])
        return cls(
            day=day,
            today=form.count(fields["today"]),
            faults={fault_of(f"{key}-1"): _asked(value) for key, value in faults.items()},
            endpoints={form.digest(key): _heard(value) for key, value in endpoints.items()},
            choices={incident_id(key): _chosen(value) for key, value in choices.items()},
        )


def endpoint_key(endpoint: str, model: str) -> str:
    """What the behaviour of an endpoint is remembered under."""
    return digest({"endpoint": endpoint, "model": model})


def after_advice(budget: AdviceBudget, body: Mapping[str, Any], at: datetime) -> AdviceBudget:
    """The budget after one more ``advice`` entry.

    Raises:
        Malformed: The body does not say what such an entry must say.
    """
    if body.get("phase") == "asked":
        return _after_asked(budget, body, at)
    if body.get("phase") == "answered":
        return _after_answered(budget, body, at)
    raise form.Malformed("advice is neither asked nor answered")


def refusal(
    budget: AdviceBudget, incident: str, endpoint: str, numbers: AdviceSettings, now: datetime
) -> Literal["over-budget", "unreachable"] | None:
    """Why nothing may be asked about an incident now; None if it may.

    Args:
        budget: Folded from the ledger.
        incident: Its id.
        endpoint: `endpoint_key`.
        numbers: Of the desired state in force.
        now: Wall time.
    """
    asked = budget.faults.get(fault_of(incident))
    if asked and now - asked.last_at < FORGET and asked.count >= numbers.per_incident:
        return "over-budget"
    spent = budget.today if budget.day is not None and _day(now) <= budget.day else 0
    if not numbers.per_incident or spent >= numbers.per_client_day:
        return "over-budget"
    until = silence_ends(budget, endpoint)
    return "unreachable" if until is not None and now < until else None


def silence_ends(budget: AdviceBudget, endpoint: str) -> datetime | None:
    """Until when an endpoint that did not answer is left alone; None if it answered last."""
    heard = budget.endpoints.get(endpoint)
    if heard is None or not heard.failures:
        return None
    return heard.last_at + _backoff(heard.failures)


def refused_form(result: object, status: object) -> bool:
    """Whether an answer says that the endpoint does not take the form it was asked for."""
    return result == "invalid" and type(status) is int and status != 200


def below(level: Level) -> Level:
    """The next less strict level; the last stays."""
    return LEVELS[min(LEVELS.index(level) + 1, len(LEVELS) - 1)]


def _after_asked(budget: AdviceBudget, body: Mapping[str, Any], at: datetime) -> AdviceBudget:
    day = max(_day(at), budget.day or "")
    fault = fault_of(body.get("incident"))
    kept = {key: one for key, one in budget.faults.items() if at - one.last_at < FORGET}
    before = kept.get(fault)
    asked = Asked(1, at) if before is None else Asked(before.count + 1, max(at, before.last_at))
    return replace(
        budget,
        day=day,
        today=budget.today + 1 if day == budget.day else 1,
        faults={**kept, fault: asked},
    )


def _after_answered(budget: AdviceBudget, body: Mapping[str, Any], at: datetime) -> AdviceBudget:
    result, level = one_of(body.get("result"), get_args(Result)), _level(body.get("level"))
    if result == "over-budget":
        return budget
    endpoint, model = form.text(body.get("endpoint")), form.text(body.get("model"))
    key = endpoint_key(endpoint, model)
    before = budget.endpoints.get(key) or Heard(LEVELS[0], 0, at)
    after = replace(before, failures=0, last_at=max(at, before.last_at))
    if result in _SILENT:
        # Refused in every form: then it was never the form, and the strictest is worth a try again.
        refused = level == LEVELS[-1] and body.get("status") is not None
        level = LEVELS[0] if refused else before.level
        after = replace(after, level=level, failures=before.failures + 1)
    elif result in _SPOKE:
        after = replace(after, level=level)
    elif refused_form(result, body.get("status")):
        after = replace(after, level=below(level))
    if result == "accepted":
        budget = _with_choice(budget, body, at)
    newest = sorted(budget.endpoints.items(), key=lambda item: item[1].last_at)
    kept = [item for item in newest if item[0] != key][1 - _MOST_ENDPOINTS :]
    return replace(budget, endpoints={**dict(kept), key: after})


def _with_choice(budget: AdviceBudget, body: Mapping[str, Any], at: datetime) -> AdviceBudget:
    kept = {key: one for key, one in budget.choices.items() if at - one.at < FORGET_CHOICE}
    chosen = Chosen(form.digest(body.get("action")), at)
    return replace(budget, choices={**kept, incident_id(body.get("incident")): chosen})


def _backoff(failures: int) -> timedelta:
    return timedelta(seconds=min(BASE_S << min(failures - 1, _MOST_DOUBLINGS), CAP_S))


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()


def _asked(body: object) -> Asked:
    count, at = pair(body)
    return Asked(form.count(count), form.time(at))


def _chosen(body: object) -> Chosen:
    action, at = pair(body)
    return Chosen(form.digest(action), form.time(at))


def _heard(body: object) -> Heard:
    fields = form.fields(body, {"level", "failures", "last_at"})
    return Heard(
        _level(fields["level"]), form.count(fields["failures"]), form.time(fields["last_at"])
    )


def _level(value: object) -> Level:
    return one_of(value, LEVELS)
