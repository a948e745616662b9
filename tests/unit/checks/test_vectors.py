"""Every recorded answer, through the check that asked for it."""

import pytest

from reconciler.checks.catalogue import load
from reconciler.errors import Unobservable
from reconciler.model.check import NotApplicable
from tests.support.vectors import Vector, all_vectors, run, to_value

VECTORS = all_vectors()


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_the_check_sees_what_was_recorded(vector: Vector) -> None:
    check = load()[vector.check]
    match vector.expected:
        case {"values": values, **rest} if not rest:
            assert run(check, vector) == {name: to_value(value) for name, value in values.items()}
        case {"not_applicable": reason, **rest} if not rest:
            seen = run(check, vector)
            assert isinstance(seen, NotApplicable)
            assert reason in seen.reason
        case {"unobservable": reason, **rest} if not rest:
            with pytest.raises(Unobservable) as unknown:
                run(check, vector)
            assert reason in str(unknown.value)
        case _:
            pytest.fail(f"{vector}: expected.json must have exactly one known key")


def test_every_folder_of_vectors_belongs_to_a_check() -> None:
    assert {vector.check for vector in VECTORS} <= set(load())
