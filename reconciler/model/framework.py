"""``policies/frameworks/<id>.yaml``: the controls of a law or standard. Data only."""

from typing import Literal

from pydantic import Field, model_validator

from reconciler.model.document import Document, FrameworkId, Text
from reconciler.model.proposed import PROPOSED, is_proposed

Requirement = Literal["required", "addressable", "compensable"]


class Control(Document):
    """One provision.

    ``requirement`` says whether an alternative may take its place. ``required``: none may.
    ``addressable``: 45 CFR 164.306(d)(3) has one, assessed and documented. ``compensable``: the
    standard knows one by another name: tailoring (NIST SP 800-53B, chapter 2), a compensating
    control (PCI DSS 4.0.1, appendices B and C), another control that meets the criterion (SOC 2).

    ``evidence`` says honestly what software can show: ``tested`` (a machine check decides),
    ``supported`` (machine facts help a person decide), ``attested`` (a person says so).
    """

    id: str = Field(pattern=r"^[A-Za-z0-9.()\-]+$", max_length=64)
    title: Text
    kind: Literal["standard", "specification", "control"]
    requirement: Requirement
    safeguard: Text
    evidence: Literal["tested", "supported", "attested"]
    note: Text | None = None

    @property
    def exceptable(self) -> bool:
        """Whether a documented alternative may take its place."""
        return self.requirement != "required"


class Framework(Document):
    """A law or standard, control by control.

    Attributes:
        status: ``proposed``: no law yet. It excuses nothing, obliges to nothing and satisfies
            nothing; what is found is shown as a look ahead.
    """

    id: FrameworkId
    title: Text
    source: Text
    status: Literal["in_force", "proposed"] = "in_force"
    controls: tuple[Control, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _says_what_it_is(self) -> "Framework":
        if (self.status == "proposed") != is_proposed(self.id):
            raise ValueError(f"the id of a proposed framework, and of no other, ends in {PROPOSED}")
        return self
