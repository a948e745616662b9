"""What the whole fleet knows of runbooks: ``policies/breakers.yaml``, ``policies/rollout.yaml``.

No appliance sees another's evidence. Who keeps the evidence of the fleet counts there
(`reconciler guard fleet`) and writes what it found into the fleet repository, signed like all else;
every appliance follows at its next pull.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from reconciler.model.approved import Digest
from reconciler.model.document import CalendarDate, Document, RunbookId, Text

Target = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9-]{0,62}$")
]


StageName = Literal["canary", "tenth", "all"]


class OpenBreaker(Document):
    """One version of a runbook that is switched off everywhere.

    Attributes:
        hosts: Where it failed, ``<client>/<host>``.
        evidence: The outcomes, ``<branch>@<seq>:sha256:<digest>``.
    """

    runbook: RunbookId
    digest: Digest
    opened_on: CalendarDate
    hosts: tuple[Target, ...] = Field(min_length=1, max_length=1000)
    evidence: tuple[Text, ...] = Field(min_length=1, max_length=1000)
    reason: Text


class FleetBreakers(Document):
    """Every version of a runbook that is switched off."""

    breakers: tuple[OpenBreaker, ...] = Field(default=(), max_length=1000)


class Stage(Document):
    """How far one version of a runbook has come.

    Attributes:
        stage: ``canary``: on ``hosts`` only; ``tenth``: there, and on every tenth host; ``all``.
    """

    digest: Digest
    stage: StageName
    hosts: tuple[Target, ...] = Field(default=(), max_length=1000)


class Rollout(Document):
    """Every runbook whose present version is being rolled out."""

    runbooks: Mapping[RunbookId, Stage] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetMove:
    """What evidence says of one version that is being rolled out.

    Attributes:
        after: Its stage from now on; the same as ``before`` where it stays.
        why: What it moved on by, or waits for.
    """

    runbook: str
    digest: str
    before: StageName
    after: StageName
    why: str

    @property
    def moves_on(self) -> bool:
        """Whether it comes a stage further."""
        return self.after != self.before
