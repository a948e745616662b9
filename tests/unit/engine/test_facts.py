from datetime import UTC, datetime, timedelta

import pytest

from reconciler.engine.facts import JUMP_LIMIT_S, Facts, refuse_jump
from reconciler.errors import EvidenceError

LAST = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
LAST_CLOCK: dict[str, object] = {
    "at": "2026-06-01T12:00:00.000Z",
    "uptime_s": 1000,
    "boot_id": "boot-a",
}


def facts(
    after_s: int, uptime_s: int, *, boot: str = "boot-a", synchronised: bool | None = False
) -> Facts:
    return Facts(LAST + timedelta(seconds=after_s), uptime_s, boot, synchronised, None)


def test_an_ordinary_tick_is_signed() -> None:
    refuse_jump(facts(300, 1300), LAST, LAST_CLOCK)


def test_a_clock_that_went_back_a_year_is_refused_with_both_times() -> None:
    back = facts(-365 * 86400, 1300, synchronised=True)

    with pytest.raises(EvidenceError, match=r"2025-06-01.*2026-06-01") as refused:
        refuse_jump(back, LAST, LAST_CLOCK)

    assert "chronyc" in refused.value.hint


def test_a_clock_that_ran_ahead_unsynchronised_is_refused() -> None:
    with pytest.raises(EvidenceError, match="jumped by 31536000 s"):
        refuse_jump(facts(300 + 365 * 86400, 1300), LAST, LAST_CLOCK)


def test_a_jump_that_time_sync_made_is_signed() -> None:
    refuse_jump(facts(300 + 86400, 1300, synchronised=True), LAST, LAST_CLOCK)


def test_a_jump_with_unknown_clock_state_is_refused() -> None:
    with pytest.raises(EvidenceError):
        refuse_jump(facts(300 + 86400, 1300, synchronised=None), LAST, LAST_CLOCK)


def test_after_a_reboot_only_going_back_can_be_seen() -> None:
    refuse_jump(facts(86400 * 30, 10, boot="boot-b"), LAST, LAST_CLOCK)


@pytest.mark.parametrize("skew", [JUMP_LIMIT_S, -JUMP_LIMIT_S])
def test_the_limit_itself_is_allowed(skew: int) -> None:
    refuse_jump(facts(1000 + skew, 2000), LAST, LAST_CLOCK)


def test_a_run_that_took_an_hour_is_not_a_jump() -> None:
    """The newest entry is from its end; uptime and wall time were read together at its start."""
    end = LAST + timedelta(hours=1)

    refuse_jump(facts(3600 + 300, 1000 + 3600 + 300), end, LAST_CLOCK)


def test_a_jump_in_the_middle_of_the_last_run_is_refused_by_the_next() -> None:
    end = LAST + timedelta(days=2)

    with pytest.raises(EvidenceError, match="jumped by 172800 s"):
        refuse_jump(facts(2 * 86400 + 300, 1300), end, LAST_CLOCK)


def test_facts_are_compared_with_what_they_wrote() -> None:
    then = facts(0, 1000)

    refuse_jump(facts(300, 1300), LAST, then.body())
    with pytest.raises(EvidenceError, match="jumped"):
        refuse_jump(facts(300 + 86400, 1300), LAST, then.body())
