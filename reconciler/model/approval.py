"""``approvals/<client>/<id>.yaml``: a person's yes to what one host is held to, until a day.

It names the digest of the whole plan of a host and the digests of runbooks. Change either and it
binds nothing any more: what a person has not seen they have not approved.
"""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field

from reconciler.model.approved import Digest
from reconciler.model.document import CalendarDate, Document, Name, RunbookId, Text
from reconciler.model.term import Term
from reconciler.model.trust_policy import Principal

NOTICE = timedelta(days=7)
LONGEST = timedelta(days=90)
"""A quarter: what nobody used by then should be looked at again."""


class Approval(Document):
    """One approval of one client (the file's folder).

    Attributes:
        approver: Principal of the person, as in ``policies/trust/allowed_signers``. What makes it
            theirs is the signed commit that brings the file, by the rule that owns its path.
        hosts: Host ids, each with the digest of its plan.
        runbooks: Runbooks that may run there, each with the digest of its file.
        expires: Last day on which it counts.
    """

    id: Name
    approver: Principal
    hosts: Mapping[Name, Digest] = Field(min_length=1, max_length=1000)
    runbooks: Mapping[RunbookId, Digest] = Field(min_length=1, max_length=100)
    reason: Text
    issued_on: CalendarDate
    expires: CalendarDate

    @property
    def term(self) -> Term:
        """From the day it was given to the day it ends."""
        return Term(self.issued_on, self.expires, NOTICE)
