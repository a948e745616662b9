"""``runbooks/<ID>.yaml``: a pre-approved way to put something right."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from reconciler.model.check import Platform
from reconciler.model.document import CheckId, ControlId, Document, Name, RunbookId, Text
from reconciler.model.parameter import Parameter
from reconciler.model.rule import ExpectationField, ParameterValue

RunbookMode = Literal["auto", "approve", "window", "never"]
Risk = Literal["low", "medium", "high"]


class RunbookStep(Document):
    """One step: a kind of step (``use``) with its parameters.

    A parameter value ``"{name}"`` takes the runbook's parameter with its type; inside a longer
    string it is put in as text. Nothing else is interpreted: there is no shell and no template
    language.
    """

    id: Name
    use: str = Field(pattern=r"^[a-z_]+\.[a-z_]+$")
    params: Mapping[str, ParameterValue] = Field(default={}, alias="with")


class Condition(Document):
    """A check that must meet an expectation, by the comparator that judges rules."""

    check: CheckId
    params: Mapping[str, ParameterValue] = {}
    expect: Mapping[str, ExpectationField] = Field(min_length=1)
    reason: Text


class Runbook(Document):
    """A pre-approved way to put something right.

    Attributes:
        fixes: Checks whose findings it may be used for.
        precheck: What must hold before the first step; otherwise the action is denied.
        steps: In order. Undone in reverse order when one fails or verification fails. One of
            mode ``never`` needs none: its procedure says what people do.
        also_verify: What must hold afterwards beside the rules that called for it.
        settle_s: Longest wait for the second look to pass.
        mode: ``auto`` may run unattended; ``window`` only in a maintenance window; ``approve``
            needs a person; ``never`` documents what people do.
        risk: How bad a wrong run would be. A ``high`` one needs the yes of two people.
        disruptive: Whether people at the clinic notice while it runs; one an hour and site.
        blast_radius: What it can disturb.
        access_guarded: It may touch the host's access path, because its steps prove that the path
            still works and undo themselves when it does not.
    """

    id: RunbookId
    title: Text
    version: int = Field(ge=1)
    platforms: tuple[Platform, ...] = Field(min_length=1)
    fixes: tuple[CheckId, ...] = Field(min_length=1)
    controls: tuple[ControlId, ...] = Field(min_length=1)
    mode: RunbookMode
    risk: Risk
    disruptive: bool = False
    parameters: Mapping[str, Parameter] = {}
    precheck: tuple[Condition, ...] = ()
    steps: tuple[RunbookStep, ...] = ()
    also_verify: tuple[Condition, ...] = ()
    settle_s: int = Field(default=30, ge=0, le=3600)
    blast_radius: Text
    access_guarded: bool = False
    procedure: Text | None = None

    @model_validator(mode="after")
    def _high_risk_asks_people(self) -> "Runbook":
        if self.risk == "high" and self.mode in {"auto", "window"}:
            raise ValueError("a runbook of high risk is of mode approve or never")
        return self

    @model_validator(mode="after")
    def _steps_or_a_procedure(self) -> "Runbook":
        if self.steps or (self.mode == "never" and self.procedure is not None):
            return self
        raise ValueError("a runbook has steps, or is of mode never and has a procedure for people")
