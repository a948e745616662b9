"""Whether a language model is asked (tier L2), and why not: for `reconciler doctor`. Looks only."""

from datetime import datetime

from reconciler.advise.adviser import Adviser
from reconciler.desired.fleet import Fleet, read_fleet
from reconciler.engine.advice.advising import absent
from reconciler.engine.advice.endpoint import adviser_of
from reconciler.engine.appliance import fleet_source, read_ledger
from reconciler.engine.inquiry.explain import newest_run
from reconciler.engine.past import recall_from
from reconciler.engine.settings import Home
from reconciler.errors import ReconcilerError
from reconciler.guard.advice_budget import AdviceBudget, endpoint_key, silence_ends
from reconciler.model.diagnosis import Diagnosis

SUBJECT = "advice"
_WITHOUT = "findings without a rule go to people"


def diagnose_advice(home: Home, now: datetime) -> Diagnosis:
    """Tier L2 of this appliance; never raises for what it finds, and asks nobody.

    Args:
        home: Settings of the appliance.
        now: Wall time.
    """
    try:
        adviser = adviser_of(home)
        if adviser is None:
            detail = f"not asked for; see advise in reconciler.yaml; {_WITHOUT}"
            return Diagnosis(SUBJECT, "absent", detail)
        why_not = _decided(home)
        budget = recall_from(read_ledger(home)).memory.advice
    except ReconcilerError as error:
        return Diagnosis(SUBJECT, "limited", f"{error}; {_WITHOUT}", error.hint)
    if why_not is not None:
        hint = "See the client's tier and advice in client.yaml of the fleet repository."
        return Diagnosis(SUBJECT, "limited", f"off: {why_not}; {_WITHOUT}", hint)
    return _heard(adviser, budget, now)


def _decided(home: Home) -> str | None:
    """Why the accepted desired state has it off; None if it has it on."""
    accepted = newest_run(home)[0].entry.body["intent"]["accepted"]
    if accepted is None:
        return "no desired state was accepted yet"
    fleet: Fleet = read_fleet(fleet_source(home).read_files(accepted["commit"]))
    client = fleet.clients.get(home.settings.client)
    tier = None if client is None else fleet.tiers.get(client.tier)
    if client is None or tier is None:
        return "the accepted desired state does not know this client"
    return absent(client, tier.features)


def _heard(adviser: Adviser, budget: AdviceBudget, now: datetime) -> Diagnosis:
    endpoint = adviser.endpoint
    key = endpoint_key(endpoint.name, endpoint.model)
    asked = budget.today if budget.day == now.date().isoformat() else 0
    detail = f"on: {endpoint.name}, {endpoint.model}; {asked} questions today"
    until = silence_ends(budget, key)
    if until is not None and now < until:
        minutes = int((until - now).total_seconds()) // 60 + 1
        hint = "See the endpoint, its key and the network; nothing waits for it meanwhile."
        detail = f"{detail}; it did not answer, and is left alone for {minutes} min"
        return Diagnosis(SUBJECT, "limited", detail, hint)
    return Diagnosis(SUBJECT, "ok", detail)
