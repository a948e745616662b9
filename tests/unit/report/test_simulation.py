"""The sum over entries, and what differs between two of them."""

from reconciler.report.simulation import Tally, differences, render, render_differences


def move(to: str, reason: str, incident: str = "a-1", **more: object) -> dict[str, object]:
    return {"id": incident, "rule": "time", "to": to, "reason": reason, **more}


def refused(guard: str, action: str = "f" * 64) -> dict[str, object]:
    return {"action": action, "result": "deferred", "guard": guard}


def test_a_guard_that_says_the_same_run_after_run_is_counted_once() -> None:
    tally = Tally()
    for guards in (["cooldown"], ["cooldown"], ["flap"], [], ["flap"]):
        tally.add("run", {"not_done": [refused(guard) for guard in guards]}, "")
    assert tally.refusals == {"deferred by cooldown": 1, "deferred by flap": 2}
    assert tally.runs == 5


def test_every_incident_is_in_the_sum_wherever_it_is() -> None:
    tally = Tally()
    tally.add("run", {"incidents": [move("detected", "seen"), move("escalated", "no-remedy")]}, "")
    tally.add("run", {"incidents": [move("closed", "held", "b-1", recurred=True)]}, "")
    assert tally.ends() == {"escalated: no-remedy": 1, "closed": 1}
    assert tally.escalations == {"no-remedy": 1}
    assert tally.recurrences == 1
    assert "2 incidents in 2 runs" in render("x", tally.document())


def test_questions_and_tokens_are_those_of_the_entries() -> None:
    tally = Tally()
    tally.add("advice", {"phase": "asked"}, "")
    told = {"phase": "answered", "result": "accepted", "tokens": {"prompt": 40, "completion": 2}}
    tally.add("advice", told, "")
    tally.add("advice", {"phase": "answered", "result": "unreachable", "tokens": None}, "")
    document = tally.document()
    assert document["questions"] == {"accepted": 1, "asked": 1, "unreachable": 1}
    assert (document["prompt_tokens"], document["completion_tokens"]) == (40, 2)


def test_only_what_differs_is_told() -> None:
    base = {"runs": 3, "acts": {"L1 RB-A-001": 2, "L1 RB-B-001": 1}, "ends": {"closed": 1}}
    head = {"runs": 4, "acts": {"L1 RB-A-001": 2, "L1 RB-C-001": 5}, "ends": {"closed": 1}}
    found = differences(base, head)
    assert found == {
        "runs": {"base": 3, "head": 4},
        "acts": {
            "L1 RB-B-001": {"base": 1, "head": 0},
            "L1 RB-C-001": {"base": 0, "head": 5},
        },
    }
    assert "        0         5  acts: L1 RB-C-001" in render_differences(found)
    assert render_differences(differences(base, base)) == "both revisions would do the same"
