import json
from typing import Any

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence.record import Record
from reconciler.report import oscal as module
from reconciler.report.control_state import ControlFacts
from reconciler.report.oscal import oscal
from reconciler.report.oscal_parts import token, tokens
from reconciler.report.period import parse
from reconciler.report.survey import survey
from tests.support.entries import again, finding, record, run

GOOD, BAD = finding("r", "pass"), finding("r", "fail")
AUDIT = ControlFacts("hipaa:164.312(b)", "Audit controls", "tested")
OTHER = ControlFacts("hipaa:164.310(c)", "Workstation security", "attested")


def results(*oldest_first: Record, controls: tuple[ControlFacts, ...] = (AUDIT, OTHER)) -> Any:
    found = survey(reversed(oldest_first), "smile", "desk", parse("2026-03-01"))
    return json.loads(oscal(found, controls, lambda where: f"{where.seq:064x}"))[
        "assessment-results"
    ]


def states(document: Any) -> dict[str, str]:
    (result,) = document["results"]
    return {f["title"]: f["target"]["status"]["state"] for f in result["findings"]}


def props(thing: Any) -> dict[str, str]:
    return {p["name"]: p["value"] for p in thing["props"]}


def test_an_observation_is_a_first_state_or_a_change() -> None:
    document = results(run(1, GOOD), again(2, 1), run(3, GOOD), run(4, BAD), again(5, 4))
    (result,) = document["results"]
    assert [(props(o)["outcome"], props(o)["runs"]) for o in result["observations"]] == [
        ("pass", "3"), ("fail", "2"),
    ]  # fmt: skip
    assert (props(result)["runs"], props(result)["runs-without-change"]) == ("5", "2")
    assert props(result)["gaps"] == "0"
    named = {r["uuid"]: r for r in document["back-matter"]["resources"]}
    for observation in result["observations"]:
        for shown in observation["relevant-evidence"]:
            assert shown["href"][1:] in named
    (slim,) = [r for r in named.values() if r["title"].startswith("Entry 5 ")]
    assert slim["rlinks"][0]["href"].startswith("urn:git:commit:")
    assert slim["rlinks"][0]["hashes"] == [{"algorithm": "SHA-256", "value": f"{5:064x}"}]
    assert document["import-ap"]["href"][1:] in named


def test_every_control_has_one_finding_with_a_closed_status() -> None:
    assert states(results(run(1, GOOD))) == {AUDIT.id: "satisfied", OTHER.id: "not-satisfied"}
    assert states(results(run(1, BAD)))[AUDIT.id] == "not-satisfied"
    assert states(results(run(1, finding("r", "unknown"))))[AUDIT.id] == "not-satisfied"
    assert states(results())[AUDIT.id] == "not-satisfied"


def test_a_control_of_a_framework_that_was_not_given_is_listed_and_not_satisfied() -> None:
    assert states(results(run(1, GOOD), controls=())) == {AUDIT.id: "not-satisfied"}


def test_what_holds_is_what_the_last_run_shows() -> None:
    assert states(results(run(1, BAD), run(2, GOOD)))[AUDIT.id] == "satisfied"
    assert states(results(run(1, GOOD), run(2, BAD)))[AUDIT.id] == "not-satisfied"
    assert states(results(run(1, GOOD), run(2)))[AUDIT.id] == "not-satisfied"


def test_gaps_and_refusals_are_in_the_log() -> None:
    gap = record(2, "gap", {"from": "a", "until": "b", "promise_s": 1, "rebooted": False})
    (result,) = results(run(1, GOOD), gap)["results"]
    assert [entry["title"] for entry in result["assessment-log"]["entries"]] == ["gap"]
    assert props(result)["gaps"] == "1"


def test_ids_are_of_content_and_unique() -> None:
    one, two = results(run(1, GOOD)), results(run(1, BAD))
    assert one == results(run(1, GOOD))
    ids = [line for line in json.dumps(one).split('"') if line.count("-") == 4 and len(line) == 36]
    assert one["uuid"] != results(run(2, GOOD))["uuid"]
    assert len(ids) >= 6
    assert (
        one["results"][0]["observations"][0]["uuid"]
        != (two["results"][0]["observations"][0]["uuid"])
    )


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        ("hipaa:164.308(a)(1)(ii)(D)", "hipaa-164.308.a.1.ii.D"),
        ("nist-800-53:SC-45(1)", "nist-800-53-SC-45.1"),
        ("soc2:CC6.1", "soc2-CC6.1"),
    ],
)
def test_controls_become_tokens(control: str, expected: str) -> None:
    assert token(control) == expected


def test_controls_that_have_no_token_of_their_own_are_refused() -> None:
    with pytest.raises(EvidenceError, match="both be"):
        tokens(["a:b(c)", "a:b.c"])
    for control in ("", "1:x", "a b", "a:\u00e9"):
        with pytest.raises(EvidenceError):
            token(control)


def test_a_document_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 1)
    with pytest.raises(EvidenceError, match="2 observations"):
        results(run(1, GOOD), run(2, BAD))
