from reconciler.report.answers import Answer, Answers, as_document, render
from reconciler.report.citation import cite
from tests.support.entries import again, run

FIRST, LAST = cite(run(1)), cite(again(5, 1))
SPAN = Answer(
    ref="refs/heads/smile/desk", first=FIRST, last=LAST, about="finding", rule="r\x1b",
    status="fail", action=None, runs=5, detail="n is 1\n\x07", notes=((FIRST, "me: a\x1bb"),),
)  # fmt: skip


def test_every_answer_says_where_it_can_be_checked() -> None:
    text = render(Answers((SPAN,), False))
    assert f"entry 1: commit {FIRST.commit}, {FIRST.path}" in text
    assert f"entry 5: commit {LAST.commit}, in the commit message" in text
    assert "entries 1 to 5" in text
    assert "in 5 runs" in text
    assert "annotation (entry 1): me: a?b" in text
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "derived index" in text


def test_a_limit_is_said() -> None:
    assert "and more" in render(Answers((SPAN,), True))
    assert render(Answers((), False)) == "nothing found"
    document = as_document(Answers((SPAN,), True))
    assert document["more"] is True
    assert document["answers"][0]["last"]["sha256"] == LAST.digest
