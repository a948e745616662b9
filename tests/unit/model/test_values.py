import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.evidence import canonical
from reconciler.model.values import LONGEST_REASON, exact, plain


@pytest.mark.parametrize(
    ("value", "is_exact"),
    [
        ("text", True),
        ("Müller \U0001f3e5", True),
        ("\udcff\udcfefailed", False),
        (("a", "\ud800"), False),
        (2**53 - 1, True),
        (-(2**53), False),
        (True, True),
        (None, True),
        ((), True),
    ],
)
def test_only_what_has_one_form_may_be_observed(value: object, is_exact: bool) -> None:
    assert exact(value) is is_exact  # type: ignore[arg-type]


@given(st.text(st.characters(exclude_categories=())))
def test_any_reason_a_machine_gives_can_be_written_as_evidence(reason: str) -> None:
    written = plain(reason)

    assert json.loads(canonical.encode(written)) == written
    assert len(written) <= LONGEST_REASON


def test_a_reason_that_is_text_stays_as_it_is() -> None:
    assert plain("permission denied; needs root") == "permission denied; needs root"
    assert plain("\udcff bad") == "\\udcff bad"
