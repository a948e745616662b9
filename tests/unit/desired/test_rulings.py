import pytest

from reconciler.desired.refusal import HINTS, Reason, refuse
from reconciler.desired.trust.rulings import READING, Docket, Effect
from reconciler.errors import InputError, IntentRefused, Where

COMMIT = "a" * 40


def failing():
    raise refuse(Reason.UNSIGNED, COMMIT, "is not signed") from InputError(
        "is odd", hint="Mend it.", where=Where("policy.yaml", 3)
    )


def test_verification_ends_at_the_first_failure_and_notes_it():
    docket = Docket(whole=False)
    with pytest.raises(IntentRefused):
        docket.ask("R1 signed", COMMIT, "is signed", failing)
    (ruling,) = docket.rulings
    assert (ruling.held, ruling.reason, ruling.words) == (False, "unsigned", "is not signed")
    assert (ruling.hint, ruling.refuses) == (HINTS[Reason.UNSIGNED], True)
    assert ruling.detail == "policy.yaml:3: is odd"


def test_explanation_goes_on():
    docket = Docket(whole=True)
    assert docket.ask("R1 signed", COMMIT, "is signed", failing) is None
    assert docket.ask("R1 signed", COMMIT, "is signed", lambda: 7) == 7
    docket.fail("R2 authors", COMMIT, Reason.WRONG_ROLE, "is wrong", "a/\x1bb", "rest")
    assert [ruling.held for ruling in docket.rulings] == [False, True, False]
    assert docket.rulings[-1].path == "a/\\x1bb"
    assert docket.rulings[-1].owner == "rest"


def test_what_is_worth_no_words_is_not_noted():
    docket = Docket(whole=True)
    docket.ask("R0 forward", COMMIT, "", lambda: None)
    assert docket.rulings == []


def test_aside_refuses_nothing():
    docket = Docket(whole=False)
    docket.aside("R7 recovery", COMMIT, Reason.RECOVERY_SHORT, "is short", Effect.NOTHING)
    (ruling,) = docket.rulings
    assert not ruling.held
    assert not ruling.refuses
    assert ruling.hint == HINTS[Reason.RECOVERY_SHORT]


def test_end_is_noted_once():
    docket = Docket(whole=True)
    docket.ended(refuse(Reason.TOO_LARGE, COMMIT, "is too large"))
    docket.ended(refuse(Reason.TOO_LARGE, COMMIT, "is too large"))
    assert [ruling.rule for ruling in docket.rulings] == [READING]
