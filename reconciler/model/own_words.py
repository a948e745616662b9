"""What the desired state in force says, so that evidence may say it again.

Everything here was reviewed, signed and is in the history of the fleet repository for good: a path
that a rule is about says nothing new when a reason names it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from reconciler.model.desired import DesiredState
from reconciler.model.quotable import EDGES, Own
from reconciler.model.runbook import Runbook

_PART = re.compile(r"[A-Za-z0-9']+")


def own_words(desired: DesiredState | None, places: Iterable[str] = ()) -> Own:
    """The names and words of a desired state.

    Args:
        desired: In force; None if there is none.
        places: Further names, from the settings: the address of the fleet repository.
    """
    if desired is None:
        return Own(names=frozenset(places))
    names = {*places, desired.client.id, desired.host.id, desired.target, *_rules(desired)}
    names |= {exception.id for exception in desired.exceptions}
    names |= set(_days(desired))
    names |= {desired.client.tier, f"sha256:{desired.plan_digest}", *_approvals(desired)}
    for pinned in desired.runbooks.values():
        names |= set(_runbook(pinned.runbook))
    return Own(frozenset(names - {""}), frozenset(_words(_written(desired))))


def _rules(desired: DesiredState) -> Iterator[str]:
    for rule in desired.rules:
        yield from (rule.id, rule.rule)
        yield from _texts(rule.params)
        if rule.remedy is not None:
            yield from _texts(rule.remedy.params)


def _approvals(desired: DesiredState) -> Iterator[str]:
    """Who agreed to what, until when: evidence of an act must name the yes that it rests on."""
    yield from (f"sha256:{pinned.digest}" for pinned in desired.runbooks.values())
    for pinned in desired.approvals:
        given = pinned.approval
        yield from (given.id, given.approver, f"sha256:{pinned.digest}")
        yield from (given.issued_on.isoformat(), given.expires.isoformat())


def _days(desired: DesiredState) -> Iterator[str]:
    """Days on which something that guards tell of begins or ends."""
    yield from (exception.review_by.isoformat() for exception in desired.exceptions)
    yield from (breaker.opened_on.isoformat() for breaker in desired.breakers.breakers)
    for freeze in desired.client.freeze:
        yield from (freeze.first.isoformat(), freeze.last.isoformat())


def _runbook(runbook: Runbook) -> Iterator[str]:
    yield runbook.id
    for step in runbook.steps:
        yield from (step.id, step.use)
        yield from _texts(step.params)
    for condition in (*runbook.precheck, *runbook.also_verify):
        yield from _texts(condition.params)


def _texts(params: Mapping[str, object]) -> Iterator[str]:
    for value in params.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, str))


def _written(desired: DesiredState) -> Iterator[str]:
    """What people wrote: reasons of exceptions, freezes, breakers, engaged switches, conditions."""
    yield from (exception.reason for exception in desired.exceptions)
    yield from (freeze.reason for freeze in desired.client.freeze)
    yield from (breaker.reason for breaker in desired.breakers.breakers)
    switches = (desired.client.kill_switch, desired.host.kill_switch)
    for switch in (*switches, *desired.kill_switches.values()):
        if switch is not None:
            yield switch.reason
    for pinned in desired.runbooks.values():
        runbook = pinned.runbook
        yield from (one.reason for one in (*runbook.precheck, *runbook.also_verify))


def _words(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (word.strip(EDGES) for word in text.split())
        yield from _PART.findall(text)
