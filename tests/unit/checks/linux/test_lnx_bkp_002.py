import json
from typing import Any

import pytest

from reconciler.checks.linux.lnx_bkp_002 import CHECK
from reconciler.checks.parsing.shapes import NOW
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.probe import Probe, ReadFile
from tests.support.looking import ok, values

RECORD = next(p for p in CHECK.probes({"job": "nightly"}) if isinstance(p, ReadFile))
PROOF = {
    "job": "nightly",
    "snapshot": "ab" * 32,
    "files": 12,
    "bytes": 1_048_576,
    "seconds": 3,
    "finished_at": 1_000_000,
}


def answers(record: Any, now: int = 1_000_000) -> dict[Probe, Answer]:
    return {RECORD: ok(json.dumps(record)), NOW: ok({"unix_s": now})}


def test_a_proof_has_an_age_and_a_size() -> None:
    assert values(CHECK, answers(PROOF, now=1_000_000 + 8 * 86_400), job="nightly") == {
        "age_h": 192,
        "snapshot": "ab" * 8,
        "files": 12,
        "bytes": 1_048_576,
        "seconds": 3,
    }


def test_a_restore_that_was_never_proven_is_seen_as_that() -> None:
    seen = values(CHECK, answers(PROOF) | {RECORD: Answer("absent")}, job="nightly")

    assert set(seen.values()) == {None}


@pytest.mark.parametrize(
    "record",
    [
        PROOF | {"job": "weekly"},
        PROOF | {"files": 0},
        PROOF | {"snapshot": "latest"},
        PROOF | {"finished_at": "yesterday"},
        PROOF | {"finished_at": 1_000_000 + 31_536_000},
        {"job": "nightly"},
        [],
    ],
)
def test_a_record_that_proves_nothing_is_unobservable(record: Any) -> None:
    with pytest.raises(Unobservable):
        values(CHECK, answers(record), job="nightly")


@pytest.mark.parametrize("job", ["../../etc/passwd", "a/b", "", "A"])
def test_a_job_cannot_lead_out_of_the_directory(job: str) -> None:
    assert CHECK.params["job"].problem(job) is not None
