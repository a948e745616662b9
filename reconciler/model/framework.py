"""``policies/frameworks/<id>.yaml``: the controls of a law or standard. Data only."""

from typing import Literal

from pydantic import Field

from reconciler.model.document import Document, Name, Text


class Control(Document):
    """One provision.

    ``evidence`` says honestly what software can show: ``tested`` (a machine check decides),
    ``supported`` (machine facts help a person decide), ``attested`` (a person says so).
    """

    id: str = Field(pattern=r"^[A-Za-z0-9.()\-]+$", max_length=64)
    title: Text
    kind: Literal["standard", "specification", "control"]
    requirement: Literal["required", "addressable"]
    safeguard: Text
    evidence: Literal["tested", "supported", "attested"]
    note: Text | None = None


class Framework(Document):
    """A law or standard, control by control."""

    id: Name
    title: Text
    source: Text
    controls: tuple[Control, ...] = Field(min_length=1)
