"""What was wrong is evidence: healed drift leaves no trace in the findings of the run's end."""

import json

import pytest

from reconciler.report.run import as_document
from tests.support.drill import SECRET, Drill, break_secret

pytestmark = pytest.mark.integration


def test_an_intent_says_what_was_found_and_the_report_what_was_there_before(drill: Drill) -> None:
    drill.run()
    break_secret(drill.machine)

    report = drill.run()

    document = json.loads(json.dumps(as_document(report)))
    before = {finding["rule"]: finding for finding in document["before"]}
    after = {finding["rule"]: finding for finding in document["findings"]}
    assert (before[SECRET]["status"], after[SECRET]["status"]) == ("fail", "pass")
    (intent,) = drill.bodies("intent")
    assert intent["found"] == [before[SECRET]]
