"""``policies/healing/<id>.yaml``: which runbook answers which finding (tier L1).

A rule of ``policies/rules`` may name one remedy of its own. Healing rules are for what depends on
more than the check: on the host's roles and tags, on the severity, on what was observed. They speak
before the rule's own remedy, the highest priority first.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from reconciler.model.document import CheckId, Document, Name, RunbookId, Text
from reconciler.model.finding import Severity
from reconciler.model.rule import ExpectationField, RawExpectation, Ref

FactName = Annotated[str, StringConstraints(pattern=r"^(observed|param)\.[a-z_][a-z0-9_]{0,62}$")]
"""A field that the check observed, or a parameter that the rule gave it."""


class FactRef(Document):
    """A value of the finding: ``{ref: observed.unit}`` or ``{ref: param.unit}``."""

    ref: FactName


HealingValue = FactRef | bool | int | str | tuple[bool | int | str, ...]


def refers(raw: RawExpectation) -> bool:
    """Whether an expectation takes what a host declares."""
    return isinstance(raw.operand, Ref) or any(map(refers, raw.inner))


class Match(Document):
    """Which findings a healing rule is for; every condition that is given must hold.

    Attributes:
        check: The check that failed.
        rules: Ids of rules (without their item); empty is any.
        roles: The host has at least one of them; empty is any.
        tags: The host has all of them.
        severity: The finding's severity is one of them; empty is any.
        where: Facts of the finding, each with what it must be.
    """

    check: CheckId
    rules: tuple[Name, ...] = ()
    roles: tuple[Name, ...] = ()
    tags: tuple[Name, ...] = ()
    severity: tuple[Severity, ...] = ()
    where: Mapping[FactName, ExpectationField] = {}

    @field_validator("where")
    @classmethod
    def _literal(cls, where: Mapping[str, RawExpectation]) -> Mapping[str, RawExpectation]:
        for name, raw in where.items():
            if refers(raw):
                raise ValueError(f"{name} is compared with values, not with {{ref: ...}}")
        return where

    @property
    def narrows(self) -> bool:
        """Whether anything but the check is asked for."""
        return bool(self.rules or self.roles or self.tags or self.severity or self.where)


class HealingRule(Document):
    """One answer to some findings.

    Attributes:
        priority: The highest that matches decides; two equal ones are a conflict.
        source: Whether a person wrote it or `reconciler propose` did, from evidence.
        evidence: Entries that a promoted one rests on, ``<branch>@<seq>:sha256:<digest>``.
    """

    id: Name
    title: Text
    enabled: bool = True
    match: Match
    priority: int = Field(default=100, ge=1, le=10_000)
    runbook: RunbookId
    params: Mapping[str, HealingValue] = {}
    source: Literal["human", "promoted"] = "human"
    evidence: tuple[Text, ...] = Field(default=(), max_length=200)
    note: Text | None = None

    @model_validator(mode="after")
    def _promoted_rests_on_evidence(self) -> "HealingRule":
        if self.source == "promoted" and not self.evidence:
            raise ValueError("a promoted rule names the evidence that it rests on")
        return self

    @model_validator(mode="after")
    def _promoted_is_narrow(self) -> "HealingRule":
        # Lesson 27: a learned rule without conditions matched everything.
        if self.source == "promoted" and not self.match.narrows:
            raise ValueError(
                "a promoted rule needs a condition beside its check: "
                "rules, roles, tags, severity or where"
            )
        return self
