"""``approvals/<client>/<id>.yaml``: a person's yes to what one host is held to, until a day.

It names the digest of the whole plan of a host and the digests of runbooks. Change either and it
binds nothing any more: what a person has not seen they have not approved.
"""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field, model_validator

from reconciler.model.approved import Digest
from reconciler.model.document import CalendarDate, Document, Name, RunbookId, Text
from reconciler.model.term import Term
from reconciler.model.trust_policy import Principal

NOTICE = timedelta(days=7)
EMERGENCY = timedelta(days=2)
LONGEST = timedelta(days=90)
"""A quarter: what nobody used by then should be looked at again."""


class Approval(Document):
    """One approval of one client (the file's folder).

    Attributes:
        approver: Principal of the person, as in ``policies/trust/allowed_signers``. What makes it
            theirs is the signed commit that brings the file, by the rule that owns its path.
        hosts: Host ids, each with the digest of its plan.
        runbooks: Runbooks that may run there, each with the digest of its file.
        emergency: Outside windows and on frozen days, too; for two days at most.
        onboarding: All that the plan asks for may begin one after the other: together it spends
            one token of the host.
        expires: Last day on which it counts.
    """

    id: Name
    approver: Principal
    hosts: Mapping[Name, Digest] = Field(min_length=1, max_length=1000)
    runbooks: Mapping[RunbookId, Digest] = Field(min_length=1, max_length=100)
    emergency: bool = False
    onboarding: bool = False
    reason: Text
    issued_on: CalendarDate
    expires: CalendarDate

    @model_validator(mode="after")
    def _emergencies_are_short(self) -> "Approval":
        if self.emergency and self.expires - self.issued_on > EMERGENCY:
            raise ValueError(f"an emergency lasts {EMERGENCY.days} days at most")
        return self

    @property
    def term(self) -> Term:
        """From the day it was given to the day it ends; a short one is announced late."""
        return Term(self.issued_on, self.expires, min(NOTICE, (self.expires - self.issued_on) // 2))
