"""What a language model may choose from: computed by code, complete, at most five (tier L2).

Rule 1: Only a runbook that is approved as it is, fixes this check on this platform, and that the
        client does not deny. What only people do is not offered.
Rule 2: Every parameter comes from the runbook (its enum, its default), from what the host declares
        or from a typed value that was observed and that the runbook's own pattern, enum or bounds
        hold in. A parameter that has no such source makes the runbook no candidate.
Rule 3: Nothing that anybody wrote or a machine said becomes a parameter by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product, zip_longest
from typing import Any

from reconciler.errors import EvidenceError
from reconciler.model.desired import BoundRule, DesiredState, PinnedRunbook
from reconciler.model.document import Document
from reconciler.model.finding import Finding
from reconciler.model.host import Declares
from reconciler.model.parameter import Parameter, bind
from reconciler.model.plan import Action
from reconciler.model.scrub import scrub_value
from reconciler.model.values import Value
from reconciler.plan.planner import action_id

MOST = 5
_ITEMS = ("units", "certificates", "backups", "secret_files", "mounts")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One runbook with parameters, as an action that the guards still have to judge."""

    pinned: PinnedRunbook
    action: Action


def candidates(
    rule: BoundRule, finding: Finding, desired: DesiredState
) -> tuple[tuple[Candidate, ...], int]:
    """What may be chosen for a failing finding.

    Returns:
        At most `MOST` candidates, of every runbook one before any has two; and how many more there
        were, counted no further than `MOST` for each runbook.
    """
    fitting = [
        list(islice(_of_runbook(pinned, rule, finding, desired), MOST))
        for _name, pinned in sorted(desired.runbooks.items())
        if _may_be_offered(pinned, rule, desired)
    ]
    in_turn = [one for row in zip_longest(*fitting) for one in row if one is not None]
    return tuple(in_turn[:MOST]), len(in_turn[MOST:])


def _may_be_offered(pinned: PinnedRunbook, rule: BoundRule, desired: DesiredState) -> bool:
    runbook = pinned.runbook
    return (
        pinned.approved
        and runbook.mode != "never"
        and rule.check in runbook.fixes
        and desired.host.kind in runbook.platforms
        and runbook.id not in desired.client.denied_runbooks
    )


def _of_runbook(
    pinned: PinnedRunbook, rule: BoundRule, finding: Finding, desired: DesiredState
) -> Iterator[Candidate]:
    parameters = dict(pinned.runbook.parameters)
    declared = _declared(rule, desired.host.declares)
    choices = [_values(name, one, declared, finding) for name, one in parameters.items()]
    seen: set[str] = set()
    for values in product(*choices):
        params, problems = bind(parameters, dict(zip(parameters, values, strict=True)))
        action = None if problems else _action(pinned, rule, params, desired.target)
        if action is not None and action.id not in seen:
            seen.add(action.id)
            yield Candidate(pinned, action)


def _action(
    pinned: PinnedRunbook, rule: BoundRule, params: Mapping[str, Value], target: str
) -> Action | None:
    try:
        work = action_id(target, pinned.runbook.id, pinned.digest, params)
    except EvidenceError:
        # A value without a canonical form, such as a number beyond 2^53: nobody could sign it.
        return None
    return Action(
        id=work,
        target=target,
        tier="L2",
        rules=(rule.id,),
        runbook=pinned.runbook.id,
        runbook_digest=pinned.digest,
        params=params,
    )


def _values(
    name: str, parameter: Parameter, declared: Mapping[str, list[Value]], finding: Finding
) -> list[Value]:
    """Every value that a parameter may take, the likeliest first; at most `MOST`."""
    found = [value for value in declared.get(name, []) if parameter.problem(value) is None]
    observed = finding.observed.get(name)
    if observed is not None and _taken(parameter, observed):
        found.append(observed)
    if not parameter.required:
        found.append(parameter.default)
    if parameter.enum is not None and not parameter.type.startswith("list"):
        found.extend(parameter.enum)
    elif parameter.type == "bool":
        found.extend((False, True))
    # 1 and true are equal, and not the same value.
    return list({(type(value), value): value for value in found}.values())[:MOST]


def _taken(parameter: Parameter, observed: Value) -> bool:
    """Whether an observed value may become a parameter.

    Parameters stand in evidence as they are, so what the scrubber would change is none.
    """
    fits = parameter.bounded and parameter.problem(observed) is None
    return fits and scrub_value(observed) == observed


def _declared(rule: BoundRule, declares: Declares) -> dict[str, list[Value]]:
    """Values by name that the rule is bound to, or that the host declares of what it is about."""
    found: dict[str, list[Value]] = {}
    for name, value in (*_lists(declares), *_items_of(rule, declares), *rule.params.items()):
        if value is not None and value not in found.setdefault(name, []):
            # What the rule itself is bound to comes before what else the host declares.
            found[name].insert(0, value)
    return found


def _lists(declares: Declares) -> Iterator[tuple[str, Value]]:
    for name in Declares.model_fields:
        if name not in _ITEMS:
            yield name, getattr(declares, name)


def _items_of(rule: BoundRule, declares: Declares) -> Iterator[tuple[str, Value]]:
    for name in _ITEMS:
        for item in getattr(declares, name):
            fields = _fields(item)
            if any(rule.params.get(key) == value for key, value in fields.items() if value):
                yield from fields.items()


def _fields(item: Document) -> dict[str, Any]:
    return item.model_dump(exclude={"name"})
