"""What witnesses say, before it is judged."""

from typing import Any

import pytest

from reconciler.evidence.fault import Code
from reconciler.evidence.sayings import Saying, gone, refused, sayings
from reconciler.evidence.statement import Kind
from tests.support.entries import record
from tests.support.forge import Forge, honest

DESK = "reconciler/smile/desk"


def witness(forge: Forge, kind: Kind, body: dict[str, Any]) -> Forge:
    made = Forge("witness", "hub", forge.key, forge.objects, forge.names)
    made.append(Kind.GENESIS)
    made.append(kind, body)
    return made


def marks(forge: Forge) -> list[Any]:
    return list(forge.audit().marks)


def test_what_was_vouched_for() -> None:
    note = honest(3).note()
    hub = witness(honest(3), Kind.COSIGNATURE, {"note": note})
    (saying,) = sayings(marks(hub))
    assert (saying.note, saying.witness, saying.vouched) == (note, "witness/hub", True)
    assert refused(marks(hub)) == []


def test_what_was_shown_and_not_vouched_for() -> None:
    note = honest(3).note()
    hub = witness(honest(3), Kind.REFUSAL, {"origin": DESK, "shown": {"note": note}})
    (saying,) = refused(marks(hub))
    assert (saying.note, saying.witness, saying.vouched) == (note, "witness/hub", False)
    assert sayings(marks(hub)) == []


@pytest.mark.parametrize("shown", [None, "x", [], 7])
def test_a_refusal_that_shows_nothing(shown: object) -> None:
    assert refused([record(2, "refusal", {"shown": shown})]) == []


def test_a_refusal_of_an_appliance_is_about_its_policy() -> None:
    assert refused([record(2, "refusal", {"shown": {"note": honest(2).note()}})]) == []


class TestGone:
    """A log that somebody vouched for and that is not here."""

    def saying(self, **changes: Any) -> Saying:
        (place,) = (record(2, "cosignature", {}).place,)
        return Saying(place, **{"note": honest(3).note(), "body": {}, **changes})

    def test_it_is_here(self) -> None:
        assert gone([self.saying()], {DESK}) == []

    def test_it_is_not_and_its_neighbour_is(self) -> None:
        (fault,) = gone([self.saying()], {"reconciler/smile/xray"})
        assert (fault.code, fault.place.seq) == (Code.SHORTER, 2)
        assert "3 entries of reconciler/smile/desk" in fault.message

    def test_it_is_of_another_client(self) -> None:
        assert gone([self.saying()], {"reconciler/molar/desk"}) == []

    def test_the_auditor_brought_it(self) -> None:
        (fault,) = gone([self.saying(body=None)], {"reconciler/molar/desk"})
        assert fault.code is Code.SHORTER

    def test_what_nobody_vouched_for_is_nothing(self) -> None:
        unknown = self.saying(vouched=False)
        assert gone([unknown, self.saying(note="?", vouched=False)], {"reconciler/a/b"}) == []

    def test_a_note_that_is_none(self) -> None:
        (fault,) = gone([self.saying(note="?")], {DESK})
        assert fault.code is Code.COSIGNATURE
