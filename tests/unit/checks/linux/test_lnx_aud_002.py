import pytest

from reconciler.checks.linux.lnx_aud_002 import CHECK, LOADED
from reconciler.checks.parsing.container import CONTAINER
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.probe import Probe
from tests.support.looking import ok, values

DECLARED = (
    "-w /etc/passwd -p wa -k identity",
    "-a always,exit -F arch=b64 -S execve -F auid!=unset -k exec",
)


def loaded(*rules: str) -> dict[Probe, Answer]:
    return {LOADED: ok(list(rules)), CONTAINER: Answer("absent")}


def test_nothing_is_missing_when_the_kernel_prints_the_rules_back_differently() -> None:
    kernel = loaded(
        "-a always,exit -F arch=b64 -S execve -F auid!=-1 -F key=exec",
        "-a always,exit -S all -F path=/etc/passwd -F perm=wa -F key=identity",
        "-w /etc/shadow -p wa -k identity",
    )

    assert values(CHECK, kernel, declared=DECLARED) == {
        "missing": (),
        "undeclared": ("-w /etc/shadow -p wa -k identity",),
        "loaded_count": 3,
    }


def test_flushed_rules_are_all_missing() -> None:
    seen = values(CHECK, loaded(), declared=DECLARED)

    assert seen["missing"] == (
        "-a always,exit -F arch=b64 -F auid!=-1 -S execve -k exec",
        "-w /etc/passwd -p wa -k identity",
    )


def test_a_declared_line_that_is_no_rule_is_never_loaded() -> None:
    assert values(CHECK, loaded(), declared=("-e 2",))["missing"] == ("-e 2",)


@pytest.mark.parametrize(
    "answer", [Answer("denied", reason="needs root"), ok(["No rules"]), ok([3]), ok("text")]
)
def test_what_was_not_seen_is_unobservable(answer: Answer) -> None:
    with pytest.raises(Unobservable):
        values(CHECK, {LOADED: answer, CONTAINER: Answer("absent")}, declared=DECLARED)
