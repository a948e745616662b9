"""Every claim has its numbers, and what was not looked at is never proven."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.evidence import testimony
from reconciler.evidence.claims import Claim, CopyClaim, State, TimeClaim, claims
from reconciler.evidence.entry import Kind, stamp
from reconciler.evidence.testimony import Cosigned, Objected
from reconciler.evidence.whole import Gap
from tests.support.evidence_keys import test_key as key_of
from tests.support.forge import KEY, Forge, allowed, honest, signer_line

NOBODY = testimony.Testimony({}, (), (), ())
AT = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
PROVEN = TimeClaim("rfc3161", "alpha", 4, AT, "a token")
PENDING = TimeClaim("opentimestamps", "bitcoin", 5, None, "pending with a calendar")
COPIES = CopyClaim(5, 2, "clinic at https://store", "2032-03-05", 0, checked=True)


def said(
    forge: Forge, subject: str, heard: testimony.Testimony | None = NOBODY, **more: object
) -> Claim:
    found = claims(forge.audit(), heard, **more)  # type: ignore[arg-type]
    (claim,) = [one for one in found if one.subject == subject]
    return claim


def test_runs_order_keys_and_policy_carry_their_numbers() -> None:
    forge = honest(8)
    assert "5 runs in 8 entries from 2026-03-01T23:00:00.000Z" in said(forge, "runs").sentence
    root = forge.log(8).root().hex()
    order = said(forge, "order").sentence
    assert order.startswith("numbers 0 to 7 without a hole")
    assert order.endswith(f"the log of all has root {root}")
    assert "1 key (SHA256:" in said(forge, "keys").sentence
    assert said(forge, "policy").sentence == f"under 1 policy commit, the newest {'c' * 40}"
    assert said(forge, "intents").sentence.startswith("1 intent, each signed before its act")


def test_a_key_change_is_named_with_its_place() -> None:
    new = key_of("smile/desk 2027")
    forge = honest(4)
    forge.rotate(new)
    forge.append()
    both = allowed(signer_line("smile/desk", KEY), signer_line("smile/desk", new))
    (claim,) = [c for c in claims(forge.audit(both), NOBODY) if c.subject == "keys"]
    assert "signed by 2 keys" in claim.sentence
    assert "1 key change (rotate at 4)" in claim.sentence


def test_the_longest_time_without_a_run_is_said_whatever_else_was_signed() -> None:
    forge = honest(8)
    before = said(forge, "without-run")
    assert before.state is State.PROVEN
    assert "heartbeats and other signed entries are no runs" in before.sentence

    assert forge.last is not None
    begin = forge.last.time
    for hours in range(1, 73):
        at = stamp(begin + timedelta(hours=hours))
        forge.append(Kind.HEARTBEAT, {"reason": "unreachable"}, recorded_at=at)
    sentence = said(forge, "without-run").sentence

    assert f"at most 3 days passed without a run, from {begin:%Y-%m-%dT%H:%M:%SZ}" in sentence
    assert forge.audit().gaps == ()


def test_without_any_run_no_time_between_runs_is_proven() -> None:
    forge = Forge()
    forge.append(Kind.GENESIS)
    claim = said(forge, "without-run")
    assert (claim.state, claim.sentence) == (State.NOT_PROVEN, "there is no run at all")


def test_an_open_intent_is_not_proven_to_have_ended() -> None:
    forge = honest(4)
    forge.append(Kind.INTENT, {"action": "RB-TIME-001"})
    claim = said(forge, "intents")
    assert (claim.state, "except 1 still open: 4" in claim.sentence) == (State.NOT_PROVEN, True)


def test_gaps_are_listed_and_their_absence_needs_a_promise() -> None:
    forge = honest(4)
    assert said(forge, "gaps").state is State.NOT_PROVEN
    report = replace(
        forge.audit(), promised=9, gaps=(Gap(3, 1_772_000_000_000, 1_772_100_000_000, 330, True),)
    )
    (claim,) = [one for one in claims(report, NOBODY) if one.subject == "gaps"]
    assert claim.state is State.PROVEN
    assert "1 gap (2026-02-25T06:13:20Z to 2026-02-26T10:00:00Z before entry 3)" in claim.sentence
    assert "over 9 steps" in claim.sentence


@pytest.mark.parametrize("subject", ["witness", "time", "copies", "not-before"])
def test_what_is_absent_is_said_and_is_no_success(subject: str) -> None:
    claim = said(honest(6), subject)
    assert claim.state is State.NOT_PROVEN
    assert claim.sentence.startswith("no")


def test_a_witness_covers_what_it_saw_and_no_more() -> None:
    forge = honest(6)
    heard = replace(NOBODY, cosigned=(Cosigned("witness/hub", 4, 1_772_700_000),))
    claim = said(forge, "witness", heard)
    assert claim.state is State.PROVEN
    assert "last for its first 4 entries at 2026-03-05T08:40:00Z" in claim.sentence
    later = said(forge, "unwitnessed", heard)
    assert (later.state, later.sentence[:20]) == (State.NOT_PROVEN, "the newest 2 entries")
    whole = replace(NOBODY, cosigned=(Cosigned("witness/hub", 6, 1_772_700_000),))
    assert "unwitnessed" not in {one.subject for one in claims(forge.audit(), whole)}


def test_a_witness_that_objects_makes_it_false() -> None:
    heard = replace(NOBODY, objected=(Objected("witness/hub", "equivocation", "two roots", "x"),))
    found = claims(honest(6).audit(), heard)
    assert State.FALSE in {one.state for one in found if one.subject == "witness"}


def test_only_a_time_that_is_proven_counts() -> None:
    forge = honest(6)
    claim = said(forge, "time", times=[PENDING])
    assert claim.state is State.NOT_PROVEN
    assert "pending with a calendar" in claim.sentence
    claim = said(forge, "time", times=[PROVEN, PENDING])
    assert claim.state is State.PROVEN
    assert "first 4 entries were there no later than 2026-03-05T12:00:00Z" in claim.sentence
    assert said(forge, "time-pending", times=[PROVEN, PENDING]).state is State.NOT_PROVEN


def test_copies_count_only_when_the_store_was_asked() -> None:
    forge = honest(6)
    assert said(forge, "copies", copies=COPIES).state is State.PROVEN
    unasked = said(forge, "copies", copies=replace(COPIES, checked=False))
    assert unasked.state is State.NOT_PROVEN
    assert "the store was not asked" in unasked.sentence
    holed = said(forge, "copies", copies=replace(COPIES, holes=1))
    assert (holed.state, "with 1 hole" in holed.sentence) == (State.NOT_PROVEN, True)


def test_of_a_broken_history_nothing_is_claimed() -> None:
    forge = honest(6)
    forge.append(seq=9)
    found = claims(forge.audit(), NOBODY)
    assert [(one.subject, one.state) for one in found] == [("entries", State.FALSE)]


def test_of_a_witness_only_what_a_witness_does_is_claimed() -> None:
    subjects = [one.subject for one in claims(honest(6).audit(), None)]
    assert subjects == ["runs", "order", "keys"]


def test_a_proof_that_is_older_than_the_clock_says_shows_a_wrong_clock() -> None:
    early = replace(PROVEN, written_at=AT + timedelta(hours=3))
    claim = said(honest(6), "clock", times=[early])
    assert claim.state is State.FALSE
    assert "the appliance's clock, which was ahead" in claim.sentence
    near = replace(PROVEN, written_at=AT + timedelta(hours=2))
    assert "clock" not in {one.subject for one in claims(honest(6).audit(), NOBODY, [near])}


def test_what_follows_a_witness_s_word_was_written_after_it() -> None:
    forge = honest(4)
    forge.append(Kind.COSIGNATURE, {"size": 4, "time": 1_772_700_000})
    heard = replace(NOBODY, cosigned=(Cosigned("witness/hub", 4, 1_772_700_000),))
    claim = said(forge, "not-before", heard)
    assert claim.state is State.PROVEN
    assert "what follows entry 4 was written after 2026-03-05T08:40:00Z" in claim.sentence
    assert said(forge, "not-before").state is State.NOT_PROVEN
