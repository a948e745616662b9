"""What should be done about the findings, before any guard has spoken."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.model.values import Value

Tier = Literal["L1", "L2", "L3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One runbook with parameters, for the rules it should put right.

    Attributes:
        id: Hex SHA-256 over (target, runbook, runbook digest, parameters): the same work has the
            same id in every run, which is what cooldowns count.
        target: ``<client>/<host>``.
        tier: Who chose it.
        rules: Bound rules whose findings it should turn to ``pass``.
        runbook: Id.
        runbook_digest: Hex SHA-256 of the runbook as it was when planned; pinned to execution.
        params: Bound parameters.
        healing: Healing rules that chose it; empty when only rules' own remedies did.
    """

    id: str
    target: str
    tier: Tier
    rules: tuple[str, ...]
    runbook: str
    runbook_digest: str
    params: Mapping[str, Value]
    healing: tuple[str, ...] = ()


UnplannedReason = Literal[
    "observe",
    "no-remedy",
    "no-runbook",
    "not-fixed-by-runbook",
    "not-for-this-platform",
    "bad-parameters",
    "conflict",
]
"""Why nothing was planned for a failing finding. Only ``observe`` is a choice; ``no-remedy`` is a
person's work; the others are faults of the fleet repository."""


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A finding that fails and that nothing was planned for; it is a person's.

    Attributes:
        rule: Id of the bound rule.
        reason: From the closed list.
        detail: What a person needs to know about it; may be empty.
    """

    rule: str
    reason: UnplannedReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The actions of one run, in the order they are tried, and what is left to people.

    Attributes:
        digest: Hex SHA-256 over the actions and what is left.
    """

    actions: tuple[Action, ...]
    unplanned: tuple[Unplanned, ...]
    digest: str
