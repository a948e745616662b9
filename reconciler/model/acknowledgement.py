"""``acknowledgements/<client>/<id>.yaml``: a person has taken an incident over.

It stops the escalation chain until a day, and opens a host again that was closed for the incident.
It is no approval: what may be done there is for every other guard to say.
"""

from typing import Annotated

from pydantic import StringConstraints

from reconciler.model.document import CalendarDate, Document, Name, Text
from reconciler.model.trust_policy import Principal

Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Acknowledgement(Document):
    """One acknowledgement of one client (the file's folder).

    Attributes:
        incident: The incident's fingerprint, as the ticket shows it.
        until: Last day on which nobody else is called.
    """

    id: Name
    incident: Fingerprint
    by: Principal
    until: CalendarDate
    note: Text | None = None
