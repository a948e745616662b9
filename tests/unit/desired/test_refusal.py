import pytest

from reconciler.desired.refusal import HINTS, Reason, refuse
from reconciler.errors import ExitCode


def test_every_reason_says_what_to_do():
    assert set(HINTS) == set(Reason)
    assert all(hint.endswith(".") for hint in HINTS.values())


@pytest.mark.parametrize("reason", Reason)
def test_refusal_carries_code_commit_and_hint(reason):
    error = refuse(reason, "a" * 40, "is refused")
    assert (error.reason, error.commit, error.hint) == (reason.value, "a" * 40, HINTS[reason])
    assert error.message == f"fleet commit {'a' * 12} is refused"
    assert error.exit_code is ExitCode.REFUSED
    assert type(error.reason) is str


def test_refusal_without_a_commit():
    error = refuse(Reason.MISSING_BRANCH, None, "has no branch main")
    assert error.message == "fleet repository has no branch main"
    assert error.commit is None
