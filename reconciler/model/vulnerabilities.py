"""``policies/vulnerabilities/<client>/<host>.yaml``: what a scanner found in one system.

An appliance fetches no advisories. CI scans what a system is made of, a person signs the report
like all of the fleet, and the host it lies under holds it against the system that runs there.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from reconciler.model.document import CalendarDate, Document
from reconciler.model.system import StorePathText

Severity = Literal["critical", "high", "medium", "low", "info", "none", "unknown"]
"""As CycloneDX rates; ``unknown`` where nobody has."""

MOST_OPEN = 1000

AdvisoryId = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{2,16}-[A-Za-z0-9][A-Za-z0-9.:_-]{0,60}$")
]
PackageName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9@._+?=-][A-Za-z0-9@._+?=:/~-]{0,210}$")
]
"""What the name of a store path may hold, too: a bill of materials has it from there."""

Version = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9._+?=-][A-Za-z0-9._+?=:~-]{0,208}$")
]
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]


class Tool(Document):
    """The scanner."""

    name: ToolName
    version: Version


class OpenAdvisory(Document):
    """One advisory that is open in one package.

    Attributes:
        version: Of the package in the system; ``None`` where it has none.
        fixed: The version that mends it, where the scanner says one.
    """

    id: AdvisoryId
    package: PackageName
    version: Version | None = None
    fixed: Version | None = None
    severity: Severity

    @property
    def what(self) -> tuple[str, str, str]:
        """What tells it from every other: advisory, package, version."""
        return self.id, self.package, self.version or ""


class Vulnerabilities(Document):
    """The report of one scan.

    Attributes:
        system: Store path of the system that was scanned; the report is about no other.
        scanned: Day of the scan, UTC.
        advisories_as_of: Day of what the scanner knew, UTC.
        packages: How many packages it looked at; in what it cannot read it finds nothing.
    """

    system: StorePathText
    scanned: CalendarDate
    advisories_as_of: CalendarDate
    tool: Tool
    packages: int = Field(ge=1, le=1_000_000)
    open: tuple[OpenAdvisory, ...] = Field(max_length=MOST_OPEN)

    @model_validator(mode="after")
    def _plausible(self) -> Self:
        if self.advisories_as_of > self.scanned:
            raise ValueError("advisories_as_of is after scanned; no scan knows later advisories")
        seen = [one.what for one in self.open]
        if len(set(seen)) != len(seen):
            raise ValueError("an advisory is listed twice for one version of a package")
        return self
