"""What people decided and what ends soon, for `reconciler doctor`. Looks only."""

from datetime import date

from reconciler.desired.ending import ending
from reconciler.desired.fleet import read_fleet
from reconciler.engine.appliance import fleet_source
from reconciler.engine.inquiry.explain import newest_run
from reconciler.engine.settings import Home
from reconciler.errors import LedgerMissing, ReconcilerError
from reconciler.model.diagnosis import Diagnosis

SUBJECT = "exceptions and approvals"


def diagnose_policy(home: Home, today: date) -> list[Diagnosis]:
    """One line for each decision of this client that ends soon or is over; never raises.

    Args:
        home: Settings of the appliance.
        today: In UTC.
    """
    try:
        accepted = newest_run(home)[0].entry.body["intent"]["accepted"]
    except LedgerMissing as error:
        return [Diagnosis(SUBJECT, "absent", str(error), error.hint)]
    except ReconcilerError as error:
        return [Diagnosis(SUBJECT, "limited", str(error), error.hint)]
    if accepted is None:
        hint = "Run once with the fleet repository in reach."
        return [Diagnosis(SUBJECT, "absent", "no desired state was accepted yet", hint)]
    try:
        fleet = read_fleet(fleet_source(home).read_files(accepted["commit"]))
    except ReconcilerError as error:
        return [Diagnosis(SUBJECT, "limited", str(error), error.hint)]
    folder = f"/{home.settings.client}/"
    soon = [problem for problem in ending(fleet, today) if folder in problem.where.file]
    if not soon:
        return [Diagnosis(SUBJECT, "ok", "none ends soon")]
    return [Diagnosis(SUBJECT, "limited", str(problem), problem.hint) for problem in soon]
