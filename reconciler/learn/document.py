"""The text of a learned rule: YAML that an appliance's own parser reads back.

Every value is written as JSON, which YAML reads as the same value, whatever is in it. The same
candidate gives the same bytes.
"""

import json
from collections.abc import Iterator

from reconciler.learn.candidates import Candidate

PRIORITY = 50
"""Where learned rules begin: below the 100 that people's rules have unless they say otherwise."""


def path_of(rule: str) -> str:
    """Where a healing rule belongs."""
    return f"policies/healing/{rule}.yaml"


def document(candidate: Candidate, priority: int) -> str:
    """The file of the rule that a ripe candidate becomes.

    Args:
        candidate: Ripe.
        priority: One that no other rule of the same check has.
    """
    return "\n".join(_lines(candidate, priority)) + "\n"


def disabled(text: str, why: str) -> str:
    """A rule's file with the rule switched off, and why; all else stays as it is.

    Args:
        text: The file, in block style. In any other style nothing is changed; read it back.
        why: One line, for people.
    """
    lines = [line for line in text.splitlines() if not line.startswith("enabled:")]
    heads = [number for number, line in enumerate(lines) if line.startswith("id:")]
    for number in heads[:1]:
        lines[number + 1 : number + 1] = [f"# {why}", "enabled: false"]
    return "\n".join(lines) + "\n" if heads else text


def _lines(candidate: Candidate, priority: int) -> Iterator[str]:
    choice = candidate.choice
    yield "# Learned from evidence by `reconciler propose`. Whoever signs it answers for it."
    yield f"id: {candidate.id}"
    title = f"{choice.check} is answered by {choice.runbook}, as it was {candidate.successes} times"
    yield f"title: {_json(title)}"
    yield "enabled: true"
    yield "match:"
    yield f"  check: {choice.check}"
    yield f"  severity: {_json(list(candidate.severity))}"
    yield "  where:"
    for name, condition in candidate.where.items():
        yield f"    observed.{name}: {_json(condition)}"
    yield f"priority: {priority}"
    yield f"runbook: {choice.runbook}"
    yield f"params: {_json(_given(choice.params))}"
    yield "source: promoted"
    yield "evidence:"
    yield from (f"  - {_json(reference)}" for reference in candidate.references)
    yield f"note: {_json(_note(candidate))}"


def _given(params: bytes) -> dict[str, object]:
    """What was given; a parameter without a value is left to the runbook."""
    return {name: value for name, value in json.loads(params).items() if value is not None}


def _note(candidate: Candidate) -> str:
    bound = f"{candidate.bound // 100}.{candidate.bound % 100:02}"
    span = "" if candidate.first is None or candidate.last is None else (
        f" from {candidate.first:%Y-%m-%d} to {candidate.last:%Y-%m-%d}"
    )  # fmt: skip
    return (
        f"{candidate.successes} verified successes and no failure on {len(candidate.hosts)} hosts"
        f"{span}; Wilson 95 % lower bound {bound} %; runbook sha256:{candidate.choice.digest}"
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)
