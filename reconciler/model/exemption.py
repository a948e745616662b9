"""``policies/exceptions/<client>/<id>.yaml``: a documented, expiring exception.

45 CFR 164.306(d)(3): an addressable specification may be met by an equivalent alternative when
the covered entity has assessed it and documented why. A required one may not.
"""

from pydantic import Field

from reconciler.model.document import CalendarDate, CheckId, ControlId, Document, Name, Text


class PolicyException(Document):
    """One exception of one client (the file's folder) for one provision."""

    id: Name
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
