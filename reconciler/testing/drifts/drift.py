"""One way to go wrong, as a document: ours beside this file, a fleet's in ``rehearsals/``.

A proof is a shell script that knows nothing of this project: it asks systemd, sshd, the kernel,
OpenSSL or restic. It must say no while the drift is there and yes once it is gone.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from reconciler.model.document import Document, Name, RunbookId, Text
from reconciler.model.host import Declares
from reconciler.model.rule import ExpectationField

Script = Annotated[str, StringConstraints(min_length=1, max_length=8192)]
BoundRuleId = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9-]{1,63}(\[[A-Za-z0-9:_.\\@-]{1,255}\])?$")
]


class Drift(Document):
    """One way to go wrong.

    Attributes:
        id: Unique in its catalogue.
        title: For people: what is wrong.
        inject: Shell script that breaks it, in the guest, as root.
        found: By bound rule: exactly the fields that must be judged wrong, each with what must be
            seen, in the words of a rule's ``expect``.
        heals: Runbooks that put it right in one run, in the order of the plan; none where people
            must.
        proof: Shell script that succeeds when all is well.
        undo: Shell script that takes it back, where no runbook does.
    """

    id: Name
    title: Text
    inject: Script
    found: Mapping[BoundRuleId, Mapping[str, ExpectationField]] = Field(min_length=1)
    heals: tuple[RunbookId, ...] = ()
    proof: Script
    undo: Script | None = None

    @model_validator(mode="after")
    def _somebody_takes_it_back(self) -> "Drift":
        if not self.heals and self.undo is None:
            raise ValueError("a drift that no runbook heals has an undo")
        return self


class DriftFile(Document):
    """A file of the catalogue: drifts about one subject."""

    drifts: tuple[Drift, ...]


class RehearsalFile(Document):
    """``rehearsals/<RUNBOOK>.yaml``: how a fleet's own runbook is rehearsed.

    Attributes:
        runbook: The runbook that every drift of the file is healed by, first of all.
        policies: Baselines that the rehearsed machine is held to.
        declares: What the machine declares beside what the rehearsal's own declares.
        drifts: At least one, each with an id of its own.
    """

    runbook: RunbookId
    policies: tuple[Name, ...] = ("linux-hipaa-v1",)
    declares: Declares = Declares()
    drifts: tuple[Drift, ...]

    @model_validator(mode="after")
    def _drifts_are_of_the_runbook(self) -> "RehearsalFile":
        if not self.drifts:
            raise ValueError("there is no drift in it")
        for drift in self.drifts:
            if self.runbook not in drift.heals:
                raise ValueError(f"drift {drift.id}: {self.runbook} is not among what heals it")
        ids = [drift.id for drift in self.drifts]
        if len(set(ids)) != len(ids):
            raise ValueError("two drifts have one id")
        return self
