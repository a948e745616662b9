"""What differs between two plans of one host, value by value.

Rule 1: Equal plans have no change, and every difference of two plans is in exactly one place.
Rule 2: Old and new are told alike: the change back is this one with both sides exchanged.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.evidence.canonical import digest, encode
from reconciler.model.expectation import Expectation
from reconciler.model.review import Change, FieldChange, HostChange, RuleChange, RunbookChange

NONE = "-"
_EXPECTATION = {"op", "value", "inner"}

Plan = Mapping[str, Any]
Flat = Mapping[str, Any]


def host_change(old: Plan | None, new: Plan | None) -> HostChange | None:
    """What becomes of a host; ``None`` when nothing does.

    Args:
        old: `reconciler.plan.host_plan.host_plan` under the base; ``None`` when it is added.
        new: The same under the head; ``None`` when it is removed.
    """
    present = new or old
    if present is None or _same(old, new):
        return None
    return HostChange(
        target=present["target"],
        change=_change(old, new),
        old_digest=digest(old) if old else None,
        new_digest=digest(new) if new else None,
        settings=fields(_settings(old), _settings(new)),
        rules=tuple(_rules(old, new)),
        runbooks=tuple(_runbooks(old, new)),
        exceptions=tuple(_exceptions(old, new)),
    )


def fields(old: Flat, new: Flat) -> tuple[FieldChange, ...]:
    """The JSON values that differ, by name, in words."""
    return tuple(
        FieldChange(name, *_both(old.get(name), new.get(name)))
        for name in sorted(old.keys() | new.keys())
        if not _same(old.get(name), new.get(name))
    )


def show(value: Any) -> str:
    """One JSON value as a person would say it."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(show, value)) + "]"
    if isinstance(value, dict):
        return str(_expectation(value)) if value.keys() == _EXPECTATION else _mapping(value)
    return str(value)


def _mapping(value: Plan) -> str:
    return "{" + ", ".join(f"{key}: {show(value[key])}" for key in sorted(value)) + "}"


def _same(old: Any, new: Any) -> bool:
    # By bytes: to Python, 1 and true are equal.
    return encode(old) == encode(new)


def _both(old: Any, new: Any) -> tuple[str, str]:
    """Both sides in words; as JSON where words do not tell them apart (``true`` and true)."""
    shown = show(old), show(new)
    return shown if shown[0] != shown[1] else (encode(old).decode(), encode(new).decode())


def _change(old: object, new: object) -> Change:
    if old is None:
        return "added"
    return "removed" if new is None else "changed"


def _settings(plan: Plan | None) -> dict[str, Any]:
    """Everything that is not told rule by rule, under the name of its place."""
    told = {"format", "target", "rules", "healing", "runbooks", "exceptions"}
    found: dict[str, Any] = {}
    for name, value in plan.items() if plan else ():
        if isinstance(value, dict):
            found |= _prefixed(f"{name}.", value)
        elif name not in told:
            found[name] = value
    for healing in plan["healing"] if plan else ():
        found |= _prefixed(f"healing.{healing['id']}.", _healing(healing))
    return found


def _healing(healing: Plan) -> dict[str, Any]:
    """A healing rule by its conditions; one that asks for nothing is not told."""
    plain = {
        name: value for name, value in healing.items() if name not in {"id", "where", "params"}
    }
    return {
        **{name: value for name, value in plain.items() if value != []},
        **_prefixed("where.", healing["where"]),
        **_prefixed("params.", healing["params"]),
    }


def _prefixed(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}{name}": value for name, value in values.items()}


def _pairs(name: str, old: Plan | None, new: Plan | None) -> Iterator[tuple[str, Any, Any]]:
    """What differs in a list of things with an id: the id, the old one and the new one."""
    before = {item["id"]: item for item in (old or {}).get(name, ())}
    after = {item["id"]: item for item in (new or {}).get(name, ())}
    for key in sorted(before.keys() | after.keys()):
        if not _same(before.get(key), after.get(key)):
            yield key, before.get(key), after.get(key)


def _rules(old: Plan | None, new: Plan | None) -> Iterator[RuleChange]:
    for key, one, other in _pairs("rules", old, new):
        yield RuleChange(key, _change(one, other), fields(_rule(one), _rule(other)))


def _rule(rule: Plan | None) -> dict[str, Any]:
    if rule is None:
        return {}
    remedy = rule["remedy"] or {"runbook": None, "params": {}}
    return {
        "check": rule["check"],
        "controls": rule["controls"],
        "mode": "enforce" if rule["enforce"] else "observe",
        "remedy": remedy["runbook"],
        "severity": rule["severity"],
        **_prefixed("expect.", rule["expect"]),
        **_prefixed("params.", rule["params"]),
        **_prefixed("remedy.", remedy["params"]),
    }


def _expectation(raw: Plan) -> Expectation:
    value = tuple(raw["value"]) if isinstance(raw["value"], list) else raw["value"]
    return Expectation(raw["op"], value, tuple(map(_expectation, raw["inner"])))


def _runbooks(old: Plan | None, new: Plan | None) -> Iterator[RunbookChange]:
    for key, one, other in _pairs("runbooks", old, new):
        present = other or one
        yield RunbookChange(
            runbook=key,
            change=_change(one, other),
            mode=present["mode"],
            blast_radius=present["blast_radius"],
            digest=present["digest"],
            approved=present["approved"],
            rules=_leads((*present["actions"], *present["by_observation"])),
            fields=fields(_runbook(one), _runbook(other)) if one and other else (),
        )


def _leads(actions: Iterable[Plan]) -> tuple[str, ...]:
    return tuple(sorted({rule for action in actions for rule in action["rules"]}))


def _runbook(runbook: Plan) -> dict[str, Any]:
    plain = {name: value for name, value in runbook.items() if name not in {"id", "actions"}}
    # Actions by what they do, not by id: ids change with the digest, which is told above.
    work = [{"params": a["params"], "rules": a["rules"]} for a in runbook["actions"]]
    return plain | {"runs": sorted(work, key=encode)}


def _exceptions(old: Plan | None, new: Plan | None) -> Iterator[RuleChange]:
    for key, one, other in _pairs("exceptions", old, new):
        yield RuleChange(key, _change(one, other), fields(one or {}, other or {}))
