from typing import Any

from reconciler.evidence.record import Record
from reconciler.report.run_diff import as_document, render
from tests.support.entries import finding, record, run, run_body


def diff(old: Record, new: Record) -> dict[str, Any]:
    return as_document(old, old, new, new)


def test_a_finding_that_changed_appeared_or_vanished() -> None:
    old = run(1, finding("same", "pass"), finding("worse", "pass"), finding("gone", "pass"))
    new = run(2, finding("same", "pass", raw_digest="0" * 64), finding("worse", "fail"),
              finding("new", "unknown"))  # fmt: skip
    document = diff(old, new)
    assert [(c["rule"], c["first"] and c["first"]["status"], c["second"] and c["second"]["status"])
            for c in document["findings"]] == [
        ("gone", "pass", None), ("new", None, "unknown"), ("worse", "pass", "fail"),
    ]  # fmt: skip
    text = render(document)
    assert "worse: pass -> fail" in text
    assert "gone: pass -> not judged" in text
    assert "+ n is 1, expected at most 1" in text


def test_tools_policy_plan_and_refusals() -> None:
    action = {"id": "a" * 64, "runbook": "RB-X-001", "rules": ["r"]}
    left = {"action": "a" * 64, "runbook": "RB-X-001", "rules": ["r"], "result": "denied",
            "guard": "mode", "reason": "no", "retry_after_s": None}  # fmt: skip
    body = run_body(finding("r", "pass")) | {
        "plan": {"digest": "1", "actions": [action], "unplanned": []},
        "not_done": [left],
        "mode": "observe",
        "census": {"rules": 9},
    }
    body["intent"] = {"accepted": None, "fetched": False, "refused": {"reason": "unsigned"}}
    document = diff(
        record(1, "run", run_body(finding("r", "pass")), tool={"python": "3.11.7"}),
        record(2, "run", body, tool={"python": "3.11.8", "reconciler": "2"}),
    )
    assert document["tools"] == {
        "python": {"first": "3.11.7", "second": "3.11.8"},
        "reconciler": {"first": None, "second": "2"},
    }
    assert document["facts"]["refused"] == {"first": None, "second": "unsigned"}
    assert document["facts"]["mode"] == {"first": "enforce", "second": "observe"}
    assert document["facts"]["loaded rules"] == {"first": 1, "second": 9}
    assert list(document["planned"]) == ["RB-X-001 aaaaaaaaaaaa"]
    assert document["not_done"]["RB-X-001 aaaaaaaaaaaa"]["second"] == "denied by mode"
    text = render(document)
    assert "python: 3.11.7 -> 3.11.8" in text
    assert "no finding changed" in text


def test_nothing_changed() -> None:
    document = diff(run(1, finding("r", "pass")), run(2, finding("r", "pass")))
    assert [document[name] for name in ("findings", "facts", "tools", "planned", "not_done")] == [
        [], {}, {}, {}, {},
    ]  # fmt: skip
