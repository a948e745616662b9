"""The policies of docs/retention.md give what the code asks for, and nothing that destroys."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.ledger.worm.nouns import Problem

DOCUMENT = (Path(__file__).parents[4] / "docs" / "retention.md").read_text()
WRITER, AUDITOR, BUCKET = map(json.loads, re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL))
READING = {
    "s3:GetBucketVersioning",
    "s3:GetBucketObjectLockConfiguration",
    "s3:ListBucketVersions",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:GetObjectRetention",
}


def actions(policy: dict[str, Any]) -> set[str]:
    listed = [statement["Action"] for statement in policy["Statement"]]
    return {name for each in listed for name in ([each] if isinstance(each, str) else each)}


def test_the_writer_may_write_and_lock_and_nothing_else() -> None:
    assert actions(WRITER) == READING | {"s3:PutObject", "s3:PutObjectRetention"}
    assert {statement["Effect"] for statement in WRITER["Statement"]} == {"Allow"}


def test_an_auditor_only_reads() -> None:
    assert actions(AUDITOR) == READING | {"s3:GetObjectLegalHold"}


def test_the_bucket_only_refuses() -> None:
    assert {statement["Effect"] for statement in BUCKET["Statement"]} == {"Deny"}
    assert {"s3:DeleteObject", "s3:BypassGovernanceRetention"} <= actions(BUCKET)


@pytest.mark.parametrize("policy", [WRITER, AUDITOR], ids=["writer", "auditor"])
def test_nobody_is_given_what_destroys(policy: dict[str, Any]) -> None:
    assert not [
        name for name in actions(policy) if re.search(r"Delete|Bypass|Bucket.*Put|\*", name)
    ]


@pytest.mark.parametrize("problem", Problem)
def test_what_can_be_found_is_explained(problem: Problem) -> None:
    assert f"`{problem.value}`" in DOCUMENT
