"""What an intent says that it spends, so that the ledger alone tells how full every bucket is.

An intent of a version that had no buckets says nothing; it spent a token of its host and of its
client, by the numbers that hold where a fleet names no others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.guard import memory_form as form
from reconciler.model.guard_settings import TokenSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What one action spends when it begins.

    Attributes:
        site: ``<client>/<site>``; the client alone where the host names no site.
        roles: The host's.
        refill_s: Which buckets lose a token, each with the seconds after which it comes back.
        onboarding: Digest of the approval of a whole plan that it begins under, if one.
        trips: Trips of its breaker that it begins under; more than 0 is a probe.
    """

    site: str
    roles: tuple[str, ...]
    refill_s: Mapping[str, int]
    onboarding: str | None
    trips: int

    def to_body(self) -> dict[str, Any]:
        """JSON values, for the member ``charge`` of an intent."""
        return {
            "site": self.site,
            "roles": list(self.roles),
            "refill_s": dict(self.refill_s),
            "onboarding": self.onboarding,
            "trips": self.trips,
        }

    @classmethod
    def from_body(cls, body: object, target: str) -> "Charge":
        """The inverse of `to_body`; nothing is what an older version spent.

        Raises:
            Malformed: It does not read as a charge.
        """
        if body is None:
            return _older(target)
        fields = form.fields(body, {"site", "roles", "refill_s", "onboarding", "trips"})
        return cls(
            site=form.text(fields["site"]),
            roles=form.texts(fields["roles"]),
            refill_s={
                form.text(name): form.count(seconds)
                for name, seconds in form.mapping(fields["refill_s"]).items()
            },
            onboarding=form.optional_digest(fields["onboarding"]),
            trips=form.count(fields["trips"]),
        )


def host_bucket(target: str) -> str:
    """The name of a host's bucket."""
    return f"host:{target}"


def client_bucket(client: str) -> str:
    """The name of a client's bucket."""
    return f"client:{client}"


def site_bucket(site: str) -> str:
    """The name of a site's bucket of disruptive actions."""
    return f"site:{site}"


def _older(target: str) -> Charge:
    client, numbers = target.partition("/")[0], TokenSettings()
    return Charge(
        site=client,
        roles=(),
        refill_s={
            host_bucket(target): numbers.host_refill_s,
            client_bucket(client): numbers.client_refill_s,
        },
        onboarding=None,
        trips=0,
    )
