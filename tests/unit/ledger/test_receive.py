from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.ledger.receive import REFUSAL_CODES, Why, receive
from tests.support.forge import HONEST

NOW = datetime(2026, 3, 9, tzinfo=UTC)
NEW, NONE = "1" * 40, "0" * 40
REF = "refs/heads/smile/desk"


def codes(lines: list[str], repository: Path, quarantine: Path | None = None) -> set[str]:
    refusals = receive(lines, repository, quarantine=quarantine, signers=HONEST, now=NOW)
    assert all(refusal.message and refusal.code in REFUSAL_CODES for refusal in refusals)
    return {refusal.code for refusal in refusals}


@pytest.mark.parametrize(
    "line",
    ["", "x", f"{NONE} {NEW}", f"{NONE} {NEW} {REF} more", f"{NONE[1:]} {NEW} {REF}",
     f"{NONE} {NEW.upper()[:-1]}G {REF}"],
)  # fmt: skip
def test_line_that_git_would_not_write(line: str, tmp_path: Path) -> None:
    assert codes([line], tmp_path) == {Why.FORM}


def test_nothing_and_too_much(tmp_path: Path) -> None:
    assert codes([], tmp_path) == {Why.FORM}
    assert codes([f"{NONE} {NEW} {REF}"] * 1001, tmp_path) == {Why.FORM}


@pytest.mark.parametrize(
    "ref", ["refs/heads/smile", "refs/heads/-/desk", "refs/heads/a/b/c", "HEAD", "refs/heads/A/b"]
)
def test_reference_that_is_no_branch_of_an_appliance(ref: str, tmp_path: Path) -> None:
    assert codes([f"{NONE} {NEW} {ref}"], tmp_path) == {Why.NOT_A_BRANCH}


def test_deletion_needs_no_quarantine_to_be_refused(tmp_path: Path) -> None:
    assert codes([f"{NEW} {NONE} {REF}"], tmp_path) == {Why.DELETED}


@pytest.mark.parametrize("quarantine", [None, "elsewhere", "objects"])
def test_quarantine_that_is_not_this_repository_s(quarantine: str | None, tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    place = None if quarantine is None else tmp_path / quarantine
    assert codes([f"{NONE} {NEW} {REF}"], tmp_path, place) == {Why.QUARANTINE}
