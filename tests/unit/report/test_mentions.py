import pytest

from reconciler.errors import EvidenceError
from reconciler.report.mentions import mentions
from tests.support.entries import finding, intent_body, outcome_body, record, run


def test_an_intent_mentions_each_rule_with_its_controls() -> None:
    one, two = finding("a", "fail"), finding("b", "fail", controls=["soc2:CC6.1"])
    found = mentions(record(4, "intent", intent_body(one, two)))
    assert [(m.rule, m.controls, m.status, m.action) for m in found] == [
        ("a", ("hipaa:164.312(b)",), "fail", "a" * 64),
        ("b", ("soc2:CC6.1",), "fail", "a" * 64),
    ]


def test_an_outcome_mentions_what_it_closes_and_what_was_seen_after() -> None:
    (found,) = mentions(record(5, "outcome", outcome_body("a", "failed", "fail", "why"), closes=4))
    assert (found.status, found.closes, found.detail) == (
        "failed", 4, "RB-X-001: fail after it: why",
    )  # fmt: skip


def test_a_refusal_and_an_annotation() -> None:
    (refusal,) = mentions(
        record(1, "refusal", {"reason": "unsigned", "commit": None, "message": "a\x1bb"})
    )
    assert (refusal.status, refusal.rule) == ("unsigned", None)
    assert refusal.detail == "a?b (commit none seen)"
    about = {"seq": 1, "sha256": "0" * 64}
    (note,) = mentions(record(2, "annotation", {"about": about, "text": "t", "by": "me"}))
    assert (note.annotates, note.detail) == (1, "me: t")


def test_other_kinds_mention_nothing() -> None:
    assert mentions(run(1, finding("a", "pass"))) == []
    assert mentions(record(0, "genesis", {})) == []
    assert mentions(record(1, "gap", {"from": "x"})) == []


@pytest.mark.parametrize("kind", ["intent", "outcome", "refusal", "annotation"])
def test_a_body_that_does_not_say_what_its_kind_says_is_an_error(kind: str) -> None:
    closes = 1 if kind == "outcome" else None
    with pytest.raises(EvidenceError, match=f"does not read as {kind}"):
        mentions(record(2, kind, {"about": None}, closes=closes))
