"""Ask the program about a fleet: verify, be refused, explain; both ways must say the same."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.desired.attestations import Attestations
from reconciler.desired.trust.acceptance import Acceptance
from reconciler.desired.trust.rulings import Ruling
from reconciler.desired.trust.verify import explain, verify_new
from reconciler.errors import IntentRefused
from reconciler.evidence import signers
from reconciler.evidence.signers import AllowedSigners
from tests.support.fleet_git import START
from tests.support.trust_fleet import TrustFleet, line

NOW = START + timedelta(days=30)
PINNED = signers.parse(line("alice").encode(), "pinned")


def verify(
    fleet: TrustFleet,
    accepted: str | None,
    head: str | None = None,
    *,
    pinned: AllowedSigners = PINNED,
    now: datetime = NOW,
    **options: Any,
) -> Acceptance:
    """`verify_new` of the head; holds that `explain` agrees."""
    arguments = _arguments(fleet, accepted, head, pinned, now, options)
    acceptance = verify_new(*arguments, **_options(fleet, options))
    assert not [r for r in explain(*arguments, **_options(fleet, options)) if r.refuses]
    return acceptance


def refusal(
    fleet: TrustFleet,
    accepted: str | None,
    head: str | None = None,
    *,
    pinned: AllowedSigners = PINNED,
    now: datetime = NOW,
    **options: Any,
) -> IntentRefused:
    """Why the head is refused; holds that `explain` names it first."""
    arguments = _arguments(fleet, accepted, head, pinned, now, options)
    with pytest.raises(IntentRefused) as caught:
        verify_new(*arguments, **_options(fleet, options))
    error = caught.value
    first = next(r for r in explain(*arguments, **_options(fleet, options)) if r.refuses)
    assert (first.reason, first.commit) == (error.reason, error.commit)
    return error


def rulings(
    fleet: TrustFleet, accepted: str | None, head: str | None = None, **options: Any
) -> tuple[Ruling, ...]:
    """Everything that `explain` says."""
    now = options.pop("now", NOW)
    arguments = _arguments(fleet, accepted, head, PINNED, now, options)
    return explain(*arguments, **_options(fleet, options))


def _arguments(
    fleet: TrustFleet,
    accepted: str | None,
    head: str | None,
    pinned: AllowedSigners,
    now: datetime,
    options: dict[str, Any],
) -> tuple[Any, ...]:
    limits = options.pop("limits", None)
    found = (fleet.repository, accepted, head or fleet.head, pinned, now)
    return found if limits is None else (*found, limits)


def _options(fleet: TrustFleet, options: dict[str, Any]) -> dict[str, Any]:
    beside = Attestations(fleet.repository, fleet.attestations)
    return {"branch": fleet.branch, "attestations": beside, **options}
