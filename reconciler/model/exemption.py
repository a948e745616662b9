"""``policies/exceptions/<client>/<id>.yaml``: what a client decided about a rule that fails.

Two things that must never look alike. An *exception* has an alternative and stands where the
framework knows alternatives: 45 CFR 164.306(d)(3) for addressable specifications. A *risk accepted
without compliance* is a gap that somebody wrote down knowingly: the finding stays ``fail``.
"""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from reconciler.model.document import CalendarDate, CheckId, ControlId, Document, Name, Text
from reconciler.model.term import Term

ExceptionStatus = Literal["excepted", "risk_accepted_noncompliant"]

NOTICE = timedelta(days=30)
"""How long before its review an exception is announced to end."""


class PolicyException(Document):
    """One decision of one client (the file's folder) about one provision.

    Attributes:
        status: ``excepted`` needs a control that knows alternatives. Any control may be
            ``risk_accepted_noncompliant``: it excuses nothing, it says that the gap is known.
        alternative: Checks, or words, for what is done instead, or meanwhile.
        review_by: Last day on which it counts.
    """

    id: Name
    status: ExceptionStatus = "excepted"
    control: ControlId
    rules: tuple[Name, ...] = Field(min_length=1)
    hosts: tuple[Name, ...] = Field(min_length=1)
    assessment: Text
    decided_on: CalendarDate
    reason: Text
    alternative: tuple[CheckId | Text, ...] = Field(min_length=1)
    owner: Text
    approver: Text
    review_by: CalendarDate

    @property
    def term(self) -> Term:
        """From the decision to its review."""
        return Term(self.decided_on, self.review_by, NOTICE)
