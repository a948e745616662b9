"""``acknowledgements/<client>/<id>.yaml``: a person has taken an incident over.

It stops the escalation chain until a day, and opens a host again that was closed for the incident.
It is no approval: what may be done there is for every other guard to say.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

from reconciler.model.document import CalendarDate, Document, Name, Text
from reconciler.model.trust_policy import Principal

Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _moment(raw: Any) -> Any:
    """A moment in UTC as text (RFC 3339, whole seconds), which is all that our YAML knows."""
    if not isinstance(raw, str):
        return raw
    try:
        return datetime.strptime(raw, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{raw[:40]!r} is not a moment such as 2026-01-31T18:00:00Z") from None


Moment = Annotated[datetime, BeforeValidator(_moment)]


class Acknowledgement(Document):
    """One acknowledgement of one client (the file's folder).

    Attributes:
        incident: The incident's fingerprint, as the ticket shows it.
        until: Last day on which nobody else is called.
        looked_at: When the person looked at the machine, UTC. It opens a host that was closed
            before, and not one that is closed for the same fault again; without it, none.
    """

    id: Name
    incident: Fingerprint
    by: Principal
    until: CalendarDate
    looked_at: Moment | None = None
    note: Text | None = None

    def opens(self, fingerprint: str, closed: datetime, today: date, now: datetime) -> bool:
        """Whether it opens a host that was closed for an incident.

        Args:
            fingerprint: The incident's.
            closed: When the host was closed.
            today: The client's day.
            now: A look that is yet to come opens nothing.
        """
        looked = self.looked_at
        in_force = self.incident == fingerprint and today <= self.until
        return in_force and looked is not None and closed <= looked <= now
