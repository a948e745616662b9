from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.desired.refusal import Reason
from reconciler.trust import heartbeat as hb
from reconciler.trust.heartbeat import Beat, Judged, Offered, Relation, judge_heartbeat
from reconciler.trust.statements import Heartbeat

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
BEAT = Heartbeat("main", "a" * 40, "d" * 64, 7, NOW - timedelta(hours=1))
OFFERED = Offered(BEAT, "e" * 64, "ci", True, "d" * 64, Relation.HEAD)
SEEN = Beat(7, "e" * 64, BEAT.time, BEAT.commit, "ci")


def judge(*offered, newest=None):
    return judge_heartbeat(offered, branch="main", now=NOW, newest=newest)


def test_heartbeat_of_the_head():
    assert judge(OFFERED) == Judged(SEEN, None)


def test_heartbeat_of_an_earlier_commit_holds_too():
    assert judge(replace(OFFERED, relation=Relation.BEFORE)).objection is None


def test_the_same_again_is_still_valid():
    assert judge(OFFERED, newest=SEEN) == Judged(SEEN, None)


def test_none_is_missing():
    assert judge().objection.code == hb.MISSING


@pytest.mark.parametrize(
    "wrong",
    [
        replace(OFFERED, signer="its key is revoked", signer_holds=False),
        replace(OFFERED, heartbeat=replace(BEAT, branch="next")),
        replace(OFFERED, heartbeat=replace(BEAT, time=NOW + timedelta(minutes=6))),
        replace(OFFERED, commit_sha256="f" * 64),
    ],
)
def test_heartbeat_that_does_not_count(wrong):
    found = judge(wrong)
    assert found.beat is None
    assert found.objection.code == hb.REFUSED


def test_lower_number_is_a_replay():
    found = judge(OFFERED, newest=replace(SEEN, counter=8))
    assert (found.beat, found.objection.code) == (None, hb.REPLAYED)


def test_same_number_with_other_content_is_a_conflict():
    found = judge(OFFERED, newest=replace(SEEN, digest="f" * 64))
    assert (found.beat, found.objection.code) == (None, hb.CONFLICT)


def test_two_of_one_number_at_once_are_a_conflict():
    found = judge(OFFERED, replace(OFFERED, digest="f" * 64))
    assert (found.beat, found.objection.code) == (None, hb.CONFLICT)


def test_highest_number_counts_and_what_is_wrong_beside_it_does_not_matter():
    higher = replace(OFFERED, heartbeat=replace(BEAT, counter=9), digest="f" * 64)
    wrong = replace(OFFERED, signer="nobody", signer_holds=False)
    found = judge(wrong, OFFERED, higher)
    assert found.beat.counter == 9
    assert found.objection is None


@pytest.mark.parametrize("relation", [Relation.AFTER, Relation.ASIDE, Relation.UNKNOWN])
def test_head_that_went_back(relation):
    found = judge(replace(OFFERED, relation=relation, commit_sha256=None))
    assert found.beat == SEEN
    assert found.objection.code == hb.WENT_BACK


def test_codes_are_those_of_refusals():
    codes = {hb.REFUSED, hb.REPLAYED, hb.CONFLICT, hb.MISSING, hb.WENT_BACK}
    assert codes <= {reason.value for reason in Reason}
