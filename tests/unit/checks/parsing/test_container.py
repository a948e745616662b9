import pytest

from reconciler.checks.parsing.container import CONTAINER, audit_belongs_to_host
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer, Answers
from reconciler.model.check import NotApplicable
from reconciler.model.probe import AuditStatus

AUDIT = AuditStatus()
DENIED = Answer("denied", reason="needs CAP_AUDIT_CONTROL")


def test_in_a_container_audit_belongs_to_the_host() -> None:
    seen = audit_belongs_to_host(
        Answers({AUDIT: DENIED, CONTAINER: Answer("ok", "systemd-nspawn\n")}), AUDIT
    )

    assert isinstance(seen, NotApplicable)
    assert "systemd-nspawn" in seen.reason


@pytest.mark.parametrize("container", [Answer("absent"), DENIED, Answer("error", reason="i/o")])
def test_without_proof_of_a_container_audit_applies(container: Answer) -> None:
    assert audit_belongs_to_host(Answers({AUDIT: DENIED, CONTAINER: container}), AUDIT) is None


def test_an_answer_of_the_kernel_outweighs_the_file() -> None:
    answers = Answers({AUDIT: Answer("ok", {}), CONTAINER: Answer("ok", "docker\n")})

    assert audit_belongs_to_host(answers, AUDIT) is None


@pytest.mark.parametrize("text", ["", "\n", "patient Smith, John", "x" * 200, "\x00"])
def test_a_file_that_names_no_kind_of_container_proves_nothing(text: str) -> None:
    with pytest.raises(Unobservable, match="kind of container"):
        audit_belongs_to_host(Answers({AUDIT: DENIED, CONTAINER: Answer("ok", text)}), AUDIT)
