"""What is written about a review: the verdict first, everything said, nothing let through."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.errors import Where
from reconciler.model.review import FieldChange, HostForecast, Need, Remark, RuleChange
from reconciler.report import gate_document, gate_markdown, gate_text, gate_words
from tests.support.reviews import (
    AT,
    everything,
    make_host_change,
    make_review,
    make_runbook_change,
)

ATTACKS = {
    "a tag": "<script>alert(1)</script>",
    "an image": "![x](https://evil.example/x.png)",
    "a link": "[click](https://evil.example)",
    "a mention": "@everyone",
    "an issue": "#1 GH-2 owner/repo#3",
    "the end of a fence": "```\n\n# owned",
    "a longer end of a fence": "`````````",
    "backticks inside": "a ``b`` c",
    "the end of details": "</details></summary>",
    "a new line": "x\n\n| a | b |\n|---|---|",
    "a return": "x\r\r## y",
    "a terminal": "\x1b[31mred\x1b]8;;https://evil.example\x07",
    "turned text": "abc\u202edef\u2066",
    "nothing to see": "\u200b\u200b",
    "a lone surrogate": "\udc80",
    "only a tick": "`",
    "a comment": "<!-- x -->",
}


def outside(markdown: str) -> str:
    """What is left of Markdown without fenced blocks and code spans, read as GitHub reads them."""
    left: list[str] = []
    fence = ""
    for line in markdown.split("\n"):
        ticks = re.match(r" {0,3}(`{3,})", line)
        if fence:
            closing = ticks and len(ticks[1]) >= len(fence) and line.strip(" ") == ticks[1]
            fence = "" if closing else fence
        elif ticks:
            fence = ticks[1]
        else:
            left.append(line)
    assert not fence, "a fence is open at the end"
    return re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", "\n".join(left))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.replace(" ", "-"))
def test_no_word_of_a_repository_leaves_its_fence(attack: str) -> None:
    quiet = gate_markdown.render(everything("word"))
    hostile = gate_markdown.render(everything(ATTACKS[attack]))
    assert "word" not in outside(quiet)
    assert outside(hostile) == outside(quiet)
    assert hostile.encode("utf-8")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u200b\u202e\u2066]", hostile)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.replace(" ", "-"))
def test_text_for_a_terminal_keeps_its_lines_and_has_no_controls(attack: str) -> None:
    quiet = gate_text.render(everything("word"))
    hostile = gate_text.render(everything(ATTACKS[attack]))
    assert len(hostile.split("\n")) == len(quiet.split("\n"))
    assert all(char.isprintable() or char == "\n" for char in hostile)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.replace(" ", "-"))
def test_json_is_json(attack: str) -> None:
    document = gate_document.as_document(everything(ATTACKS[attack]))
    text = json.dumps(document, ensure_ascii=False)
    assert json.loads(text.encode("utf-8")) == document


def test_the_words_are_all_there_in_every_form() -> None:
    review = everything("needle")
    for text in (gate_text.render(review), gate_markdown.render(review)):
        for wanted in (
            "needle -> needle2",
            "needle becomes reachable",
            "blast radius: needle",
            "needle needle",
            "! needle:7: needle: needle",
            "pass -> fail: needle",
            "defer by cooldown: needle; would run at 2026-06-01 12:00Z (if 1 precheck hold)",
            "1 approval by other people with needle with client needle: needle",
            "3 warnings of the base stay",
            "plan sha256:" + "b" * 64,
        ):
            assert wanted in text, wanted


def test_the_verdict_is_the_first_line() -> None:
    quiet = make_review()
    assert gate_text.render(quiet).split("\n")[0] == "OK: no host changes"
    assert gate_markdown.render(quiet).split("\n")[0] == "**OK: no host changes**"
    failed = everything("x")
    assert gate_markdown.render(failed).split("\n")[0] == "**FAILED: 1 error**"
    unread = make_review(compared=False)
    assert gate_words.verdict(unread).startswith("NOT COMPARED")
    warned = replace(failed, remarks=failed.remarks[1:])
    assert gate_words.verdict(warned) == (
        "OK: 1 host changed (1 in all), 1 runbook newly reachable, TRUST CHANGES (1), 1 warning"
    )
    reachable = make_review(changes=(make_host_change(runbooks=(make_runbook_change(),)),))
    assert "1 runbook newly reachable" in gate_words.verdict(reachable)


def test_a_change_of_many_hosts_is_told_once() -> None:
    rule = RuleChange("ssh", "changed", (FieldChange("expect.tries", "at most 4", "at most 6"),))
    hosts = tuple(make_host_change(target=f"c/h{n}", rules=(rule,)) for n in range(9))
    text = gate_text.render(make_review(changes=hosts))
    assert text.count("at most 4 -> at most 6") == 1
    assert "on c/h0, c/h1, c/h2, c/h3, c/h4, c/h5 and 3 more" in text


def test_rules_with_the_same_change_stand_together() -> None:
    change = (FieldChange("mode", "observe", "enforce"),)
    rules = tuple(RuleChange(name, "changed", change) for name in ("a-rule", "b-rule"))
    other = RuleChange("c-rule", "changed", (FieldChange("mode", "enforce", "observe"),))
    text = gate_text.render(make_review(changes=(make_host_change(rules=(*rules, other)),)))
    assert "~ a-rule\n~ b-rule\n    mode: observe -> enforce\n    on clinic/desk\n~ c-rule" in text


def test_a_comment_is_never_too_long_and_says_what_is_left_out() -> None:
    long = tuple(
        RuleChange(f"rule-{n}", "changed", (FieldChange("expect.x", "é" * 300, "ü" * 300),))
        for n in range(2000)
    )
    review = make_review(changes=(make_host_change(rules=long),))
    text = gate_markdown.render(review)
    assert len(text.encode()) <= 65_536
    assert "more lines: run `reconciler plan`" in text
    assert "rule-1999" in gate_text.render(review)
    outside(text)


def test_the_worst_review_still_fits() -> None:
    word = "`" * 290
    wide = everything(word)
    many = replace(
        wide,
        remarks=wide.remarks * 500,
        changes=wide.changes * 500,
        trust=wide.trust * 500,
        needs=wide.needs * 500,
        approvals=wide.approvals * 500,
        forecast=wide.forecast * 500 if wide.forecast else None,
        hosts={f"{word}{n}": "b" * 64 for n in range(500)},
    )
    assert len(gate_markdown.render(many).encode()) <= 65_536


def test_loud_sections_are_open_and_the_others_are_not() -> None:
    text = gate_markdown.render(everything("x"))
    assert "<details open><summary>Errors" in text
    assert "<details open><summary>Trust changes" in text
    assert "<details><summary>Warnings" in text


def test_a_runbook_that_is_not_pinned_is_said_loudly() -> None:
    change = make_host_change(runbooks=(make_runbook_change(approved=False),))
    text = gate_text.render(make_review(changes=(change,)))
    assert "NOT pinned in runbooks/approved.yaml: it cannot run" in text


def test_what_nobody_owns_is_said() -> None:
    need = Need(
        rule=None,
        authors=(),
        approvals=0,
        approvers=(),
        client=None,
        people=(),
        paths=("README",),
    )
    assert "no rule owns them; refused whoever signs" in gate_words.need(need)


def test_without_a_policy_it_is_said_that_anybody_may() -> None:
    text = gate_text.render(make_review(paths=("README",)))
    assert "any listed signer may change everything" in text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (10, "just now"),
        (60, "1 minute old"),
        (7200, "2 hours old"),
        (5 * 86_400, "5 days old"),
        (-5, "from the future"),
    ],
)
def test_evidence_says_how_old_it_is(seconds: int, said: str) -> None:
    then = AT - timedelta(seconds=seconds)
    assert gate_words.age(AT, then) == said
    host = HostForecast(target="c/h", observed_at=then, confirmed_at=AT, seq=4)
    assert gate_words.evidence(host, AT) == f"entry 4, {said}, the same in a run just now"


def test_remarks_alone() -> None:
    remark = Remark("warning", "guard", Where("a.yaml", 3), "is odd", "Do it.")
    assert gate_text.render_remarks((remark,)) == "warning: a.yaml:3: is odd\n  hint: Do it."
    text = gate_markdown.render_remarks("OK: fine", (remark,))
    assert text.startswith("**OK: fine**\n")
    assert "a.yaml" not in outside(text)
    assert gate_markdown.render_remarks("OK: fine", ()) == "**OK: fine**\n"


def test_code_spans_end_where_they_should() -> None:
    assert gate_markdown.code("main") == "`main`"
    assert gate_markdown.code("a`b") == "`` a`b ``"
    assert outside("- " + gate_markdown.code("`` ` ```")) == "- "
    assert outside("- " + gate_markdown.code("")) == "- "


def test_the_document_is_whole() -> None:
    document = gate_document.as_document(everything("x"))
    assert document["ok"] is False
    assert document["plan"] == "sha256:" + "a" * 64
    assert document["remarks"][0]["line"] == 7
    assert document["forecast"][0]["actions"][0]["runs_at"] == "2026-06-01T12:00:00Z"
    assert document["changes"][0]["rules"][0]["fields"] == [{"field": "x", "old": "x", "new": "x2"}]
    assert gate_document.as_document(make_review(digest=None))["plan"] is None
