"""SARIF 2.1.0: the members that its schema requires, checked by hand; there is no network here."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.evidence.claims import Claim, State
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.report.fault_help import MEANING
from reconciler.report.sarif import CLAIM_RULE, sarif

REF = "refs/heads/smile/desk"
LEVELS = {"none", "note", "warning", "error"}


@dataclass
class Result:
    """As much of a verification as is asked for."""

    faults: tuple[Fault, ...] = ()
    unproven: tuple[Claim, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.faults


def log(*faults: Fault, unproven: tuple[Claim, ...] = ()) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sarif(Result(faults, unproven), "1.2.3"))
    return document


def results(*faults: Fault, unproven: tuple[Claim, ...] = ()) -> list[dict[str, Any]]:
    (run,) = log(*faults, unproven=unproven)["runs"]
    found: list[dict[str, Any]] = run["results"]
    return found


CHAIN = Fault(Code.CHAIN, Place("a" * 40, 7, "entries/x"), "names another predecessor")
NO_WITNESS = Claim("witness", State.NOT_PROVEN, "no witness vouches for this log", REF)
OBJECTED = Claim("witness", State.FALSE, "witness/hub did not vouch", REF)


@pytest.mark.parametrize("code", list(Code))
def test_every_kind_of_fault_has_its_meaning_and_advice(code: Code) -> None:
    meaning, advice = MEANING[code]
    assert meaning.endswith(".") and advice.endswith(".")
    assert list(MEANING) == list(Code)


def test_the_log_has_what_the_schema_requires() -> None:
    document = log(CHAIN, unproven=(NO_WITNESS, OBJECTED))
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] and driver["version"] == "1.2.3"
    rules = driver["rules"]
    assert [rule["id"] for rule in rules] == [*(code.value for code in Code), CLAIM_RULE]
    for rule in rules:
        assert rule["defaultConfiguration"]["level"] in LEVELS
        for member in ("shortDescription", "fullDescription", "help"):
            assert rule[member]["text"]
    (invocation,) = run["invocations"]
    assert invocation == {"executionSuccessful": True, "exitCode": 6}
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in LEVELS
        assert result["message"]["text"]
        assert all(isinstance(v, str) for v in result["partialFingerprints"].values())
        for location in result["locations"]:
            for place in location["logicalLocations"]:
                assert set(place) == {"name", "fullyQualifiedName", "kind"}
                assert all(place.values())


def test_a_fault_is_an_error_at_its_entry_commit_and_path() -> None:
    (result,) = results(CHAIN)
    assert (result["ruleId"], result["level"]) == ("chain", "error")
    assert result["message"]["text"] == "names another predecessor"
    (location,) = result["locations"]
    assert [place["fullyQualifiedName"] for place in location["logicalLocations"]] == [
        "entry/7", f"commit/{'a' * 40}", "path/entries/x",
    ]  # fmt: skip


def test_a_fault_without_a_place_is_of_the_repository() -> None:
    (result,) = results(Fault(Code.NO_LEDGER, Place(), "there is no such branch"))
    (location,) = result["locations"]
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "repository"


def test_what_is_not_proven_is_a_note_and_what_is_false_an_error() -> None:
    note, error = results(unproven=(NO_WITNESS, OBJECTED))
    assert (note["ruleId"], note["level"]) == (CLAIM_RULE, "note")
    assert (error["ruleId"], error["level"]) == (CLAIM_RULE, "error")
    assert note["message"]["text"] == "witness: no witness vouches for this log"
    assert note["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == REF


def test_the_same_result_gives_the_same_bytes_and_others_have_other_fingerprints() -> None:
    assert sarif(Result((CHAIN,)), "1") == sarif(Result((CHAIN,)), "1")
    other = Fault(Code.CHAIN, Place("a" * 40, 8, "entries/x"), CHAIN.message)
    marks = [json.dumps(r["partialFingerprints"]) for r in results(CHAIN, other)]
    assert len(set(marks)) == 2


def test_text_of_strangers_is_clipped_and_cleaned() -> None:
    hostile = Fault(Code.FILE, Place(path="a\x1b[31m\nb" * 900), "\x1b]0;x\x07" + "y" * 9000)
    (result,) = results(hostile)
    text = result["message"]["text"]
    path = result["locations"][0]["logicalLocations"][0]["name"]
    assert text.isprintable() and len(text) == 2000
    assert path.isprintable() and len(path) <= 400
