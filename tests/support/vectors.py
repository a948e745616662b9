"""Recorded answers of machines as JSON, and what a check must make of them.

``tests/vectors/checks/<check id>/<case>/raw.json``::

    {"source": "Debian 12, recorded 2026-11-23",
     "params": {},
     "answers": [{"probe": {"kind": "ReadFile", "path": "/etc/passwd"},
                  "status": "ok", "data": "root:x:0:0::/root:/bin/bash"}]}

``expected.json``: ``{"values": {…}}``, ``{"not_applicable": "part of the reason"}`` or
``{"unobservable": "part of the reason"}``. Fields of a probe that have their default may be left
out. Bytes are ``{"$base64": "…"}``.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, get_args

from reconciler.model.answer import Answer, Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.parameter import bind
from reconciler.model.probe import Probe
from reconciler.model.values import Params, Value

ROOT = Path(__file__).parents[1] / "vectors" / "checks"

_KINDS = {kind.__name__: kind for kind in get_args(Probe)}


@dataclass(frozen=True)
class Vector:
    """One recorded case of one check."""

    check: str
    case: str
    params: Params
    answers: Mapping[Probe, Answer]
    expected: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.check}/{self.case}"


def all_vectors() -> list[Vector]:
    """Every recorded case, sorted."""
    return [load_vector(path.parent) for path in sorted(ROOT.glob("*/*/raw.json"))]


def load_vector(folder: Path) -> Vector:
    raw = json.loads((folder / "raw.json").read_text(encoding="utf-8"))
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    unknown = set(raw) - {"source", "params", "answers"}
    assert not unknown, f"{folder}: unknown keys {unknown}"
    return Vector(
        check=folder.parent.name,
        case=folder.name,
        params={name: to_value(value) for name, value in raw.get("params", {}).items()},
        answers=dict(map(_load_answer, raw["answers"])),
        expected=expected,
    )


def _load_answer(item: Mapping[str, Any]) -> tuple[Probe, Answer]:
    unknown = set(item) - {"probe", "status", "data", "reason"}
    assert not unknown, f"unknown keys of an answer: {unknown}"
    answer = Answer(item["status"], _load_data(item.get("data")), item.get("reason", ""))
    return probe_from_json(item["probe"]), answer


def bound_params(check: Check, params: Params) -> Params:
    """Parameters with defaults filled in; the test fails when they do not fit."""
    bound, problems = bind(dict(check.params), params)
    assert not problems, problems
    return bound


def run(check: Check, vector: Vector) -> Values | NotApplicable:
    """What the check makes of the recorded answers.

    Raises:
        Unobservable: As the parser does.
        AssertionError: The recording does not answer exactly what the check asks.
    """
    params = bound_params(check, vector.params)
    asked, recorded = set(check.probes(params)), set(vector.answers)
    assert asked == recorded, f"not recorded: {asked - recorded}; never asked: {recorded - asked}"
    return check.parse(params, Answers(vector.answers))


def to_value(raw: Any) -> Value:
    """A JSON value as the model's value: lists become tuples."""
    return tuple(raw) if isinstance(raw, list) else raw


def probe_to_json(probe: Probe) -> dict[str, Any]:
    """A probe as JSON: its kind, and the fields that do not have their default."""
    given = {
        field.name: getattr(probe, field.name)
        for field in fields(probe)
        if field.default is MISSING or getattr(probe, field.name) != field.default
    }
    return {"kind": type(probe).__name__, **given}


def probe_from_json(raw: Mapping[str, Any]) -> Probe:
    given = {name: _deep_tuple(value) for name, value in raw.items() if name != "kind"}
    return _KINDS[raw["kind"]](**given)


def dump_vector(folder: Path, source: str, params: Params, answers: Mapping[Probe, Answer]) -> None:
    """Write ``raw.json`` from what a real machine answered."""
    recorded = [
        {"probe": probe_to_json(probe), "status": answer.status}
        | ({"data": _dump_data(answer.data)} if answer.status == "ok" else {})
        | ({"reason": answer.reason} if answer.reason else {})
        for probe, answer in answers.items()
    ]
    raw = {"source": source, "params": dict(params), "answers": recorded}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "raw.json").write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")


def _deep_tuple(value: Any) -> Any:
    return tuple(map(_deep_tuple, value)) if isinstance(value, list) else value


def _load_data(data: Any) -> Any:
    if isinstance(data, dict) and set(data) == {"$base64"}:
        return base64.b64decode(data["$base64"], validate=True)
    return data


def _dump_data(data: Any) -> Any:
    if isinstance(data, bytes):
        return {"$base64": base64.b64encode(data).decode("ascii")}
    return data
