import json

import pytest

from reconciler.evidence.record import Record
from reconciler.report.citation import Citation, cite
from reconciler.report.entry_text import Shown, as_document, body_lines, render
from tests.support.entries import again, finding, intent_body, outcome_body, record, run

NASTY = "x\x1b[2J\x07\u202e\r\n<script>alert(1)</script>"


def shown(one: Record, *, repeated: Record | None = None, note: str | None = None) -> Shown:
    notes = [] if note is None else [(cite(one), note)]
    return Shown(
        record=one,
        principal="smile/desk",
        file_sha256="f" * 64,
        repeated=repeated,
        following=None,
        notes=notes,
    )


def records() -> list[Record]:
    bad = finding("r" + NASTY, "unknown", reason=NASTY)
    return [
        run(1, bad),
        record(2, "intent", intent_body(finding("r", "fail", observed={"n": NASTY}))),
        record(3, "outcome", outcome_body("r", "failed", "fail", NASTY), closes=2),
        record(4, "gap", {"from": NASTY, "deep": [{"a": [1, NASTY]}], "none": None, "e": {}}),
        record(5, "annotation", {"about": {"seq": 1, "sha256": "0" * 64}, "text": "t", "by": "b"}),
    ]


@pytest.mark.parametrize("one", records(), ids=lambda r: r.entry.kind.value)
def test_no_machine_drives_the_terminal_of_a_reader(one: Record) -> None:
    text = render(shown(one, note=NASTY))
    assert all(c.isprintable() or c == "\n" for c in text)
    json.dumps(as_document(shown(one)))


def test_the_body_is_kept_as_it_was_signed_in_json() -> None:
    one = records()[0]
    assert as_document(shown(one))["body"] == dict(one.entry.body)


def test_a_slim_run_tells_what_it_repeats() -> None:
    text = render(shown(again(3, 1), repeated=run(1, finding("r", "fail"))))
    assert "found what run 1 found" in text
    assert "n is 1, expected at most 1" in text
    assert "its statement is in the commit message" in text


def test_a_run_says_what_held_the_desired_state_and_what_stood_behind_it() -> None:
    one = run(1, finding("r", "pass"))
    intent = {
        "holds": [
            {"reason": "stale", "since": "2026-03-02T09:00:00.000Z", "paths": []},
            {"reason": "revoked-content", "since": "2026-03-02T09:00:00.000Z", "paths": [NASTY]},
        ],
        "acceptance": {
            "signer": "alice@msp.example",
            "commits": 2,
            "agreed": [{"rule": "trust", "commit": "c" * 40, "people": ["bob", "carol"]}],
            "recovery": {"sha256": "d" * 64, "issued": "", "people": ["alice", "bob"]},
        },
    }
    held = record(1, "run", {**one.entry.body, "intent": intent})
    text = "\n".join(body_lines(held, None))

    assert "stale since 2026-03-02T09:00:00.000Z: nothing acts until it is over" in text
    assert "2 new commits, signed by alice@msp.example" in text
    assert "rule trust by bob, carol" in text
    assert "by the word of alice, bob" in text
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "held" not in "\n".join(body_lines(one, None))


def test_an_entry_of_a_shape_that_is_not_known_is_shown_as_it_is() -> None:
    lines = body_lines(record(1, "run", {"pass": 30, "names": ["a", "b"]}), None)
    assert lines == ["  pass = 30", "  names = [a, b]"]
    many = body_lines(record(1, "gap", {f"k{i}": i for i in range(500)}), None)
    assert len(many) == 201
    assert "300 more" in many[-1]


def test_first_and_newest_say_so() -> None:
    genesis = render(shown(record(0, "genesis", {})))
    assert "nothing: this is the first entry" in genesis
    assert "nothing: this is the newest entry" in genesis
    after = Citation(1, "2026-03-01T12:00:00.000Z", "run", "a" * 40, "b" * 64, None)
    next_one = Shown(
        record=record(0, "genesis", {}), principal="p", file_sha256="0" * 64, repeated=None,
        following=after, notes=(),
    )  # fmt: skip
    assert f"entry 1, sha256 {'b' * 64}" in render(next_one)
