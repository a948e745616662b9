"""What has begun and has no outcome yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.guard import memory_form as form


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """One open intent.

    Attributes:
        target: ``<client>/<host>``.
        site: ``<client>/<site>``; the client alone where a host names no site.
        roles: The host's.
        runbook: What runs.
        trips: Under how many trips of its breaker it began; more than 0 is a probe.
        at: When it was announced.
    """

    target: str
    site: str
    roles: tuple[str, ...]
    runbook: str
    trips: int
    at: datetime

    @property
    def client(self) -> str:
        """The client's id."""
        return self.target.partition("/")[0]

    @property
    def breaker(self) -> str:
        """Which breaker counts it: ``<client>|<runbook>``."""
        return f"{self.client}|{self.runbook}"

    def to_body(self) -> dict[str, Any]:
        """JSON values; times are whole microseconds since 1970."""
        return {
            "target": self.target,
            "site": self.site,
            "roles": list(self.roles),
            "runbook": self.runbook,
            "trips": self.trips,
            "at": form.stamp(self.at),
        }

    @classmethod
    def from_body(cls, body: object) -> "Active":
        """The inverse of `to_body`.

        Raises:
            Malformed: It does not read as an open intent.
        """
        fields = form.fields(body, {"target", "site", "roles", "runbook", "trips", "at"})
        return cls(
            target=form.text(fields["target"]),
            site=form.text(fields["site"]),
            roles=form.texts(fields["roles"]),
            runbook=form.text(fields["runbook"]),
            trips=form.count(fields["trips"]),
            at=form.time(fields["at"]),
        )
