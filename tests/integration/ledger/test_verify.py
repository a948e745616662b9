from pathlib import Path

import pytest

from reconciler.errors import InputError, LedgerMissing
from reconciler.evidence import sshsig
from reconciler.evidence.fault import Code
from reconciler.evidence.signers import MAX_BYTES
from reconciler.ledger.reader import newest_first
from reconciler.ledger.store import Ledger
from reconciler.ledger.verify import load_signers, verify
from tests.support.evidence_keys import test_key as key_of
from tests.support.ledger_rig import START, Rig, filled, git, make_rig

pytestmark = pytest.mark.integration


def test_one_line_says_what_was_proven(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    result = rig.verify()
    name = sshsig.fingerprint(sshsig.raw_public(rig.key))
    assert result.sentence == (
        "6 entries from 2026-03-01T23:00:00.000Z to 2026-03-02T00:40:00.000Z "
        f"by key {name} verify; no open intent"
    )
    assert (result.sweep.unreferenced, result.sweep.leftovers) == (0, [])
    assert result.sweep.files == 2 + 7 * 6


def test_one_line_says_what_is_wrong(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    rig.git("tag", "v1", "smile/desk")
    sentence = rig.verify().sentence
    assert sentence.startswith("does NOT verify, 1 fault, first: unknown-ref at commit")
    assert "refs/tags/v1" in sentence


def two_hosts(tmp_path: Path) -> Rig:
    """One client's repository, as a hub has it: a branch for each appliance."""
    rig = filled(tmp_path)
    key = key_of("smile/xray")
    other = Ledger.create(
        tmp_path / "xray.git",
        "smile",
        "xray",
        key,
        body={"key": sshsig.public_text(sshsig.raw_public(key))},
        at=START,
        signers_file=rig.signers_file,
    )
    other.close()
    fetched = rig.git("fetch", "-q", str(tmp_path / "xray.git"), "smile/xray:smile/xray")
    assert fetched.returncode == 0, fetched.stderr
    line = f'smile/xray namespaces="git" {sshsig.public_text(sshsig.raw_public(key))}\n'
    rig.signers_file.write_text(rig.signers_file.read_text() + line)
    return rig


def test_all_branches_of_a_client_are_audited(tmp_path: Path) -> None:
    result = two_hosts(tmp_path).verify()
    assert result.faults == ()
    assert [(report.ref, report.entries) for report in result.branches] == [
        ("refs/heads/smile/desk", 6),
        ("refs/heads/smile/xray", 1),
    ]


def test_with_named_branches_every_other_is_a_fault(tmp_path: Path) -> None:
    rig = two_hosts(tmp_path)
    both = {("smile", "desk"), ("smile", "xray")}
    assert verify(rig.path, rig.signers, branches=both).ok
    one = verify(rig.path, rig.signers, branches={("smile", "desk")})
    assert not one.ok
    assert {fault.place.path for fault in one.faults} == {"refs/heads/smile/xray"}


def test_a_named_branch_that_is_missing_is_a_fault(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    result = verify(rig.path, rig.signers, branches={("smile", "desk"), ("smile", "gone")})
    assert [(f.code, f.place.path) for f in result.faults] == [
        (Code.NO_LEDGER, "refs/heads/smile/gone")
    ]
    assert "nothing in refs/heads/smile/gone verifies" in result.branches[1].sentence


def test_an_empty_repository_proves_nothing(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    assert git(tmp_path, "init", "-q", "--bare", "smile.git").returncode == 0
    result = rig.verify()
    assert not result.ok
    assert Code.NO_LEDGER in {fault.code for fault in result.faults}


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_no_repository_is_not_an_empty_one(tmp_path: Path, name: str) -> None:
    rig = make_rig(tmp_path)
    with pytest.raises(LedgerMissing, match="no ledger at"):
        verify(tmp_path / name, rig.signers)


def test_references_that_cannot_be_read_are_a_fault(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    (rig.path / "packed-refs").mkdir()
    result = rig.verify()
    assert not result.ok
    assert "references cannot be read" in result.faults[0].message


def test_references_that_lead_nowhere_or_in_circles(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    for name, value in (
        ("refs/heads/loop", "ref: refs/heads/loop\n"),
        ("refs/heads/gone", "ref: refs/heads/none\n"),
        ("refs/heads/text", "dear auditor\n"),
    ):
        (rig.path / name).write_text(value)
    places = [fault.place.path for fault in rig.verify().faults]
    for name in ("refs/heads/loop", "refs/heads/gone", "refs/heads/text"):
        assert places.count(name) >= 1


def test_a_branch_that_points_to_something_else_than_a_commit(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    tree = rig.git("rev-parse", "smile/desk^{tree}").stdout
    (rig.path / "refs/heads/smile/desk").write_text(tree)
    result = rig.verify()
    assert "is a tree, not a commit" in result.faults[0].message


def test_a_signers_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none: cannot be read: No such file"):
        load_signers(tmp_path / "none")
    (tmp_path / "large").write_bytes(b"#" * (MAX_BYTES + 2))
    with pytest.raises(InputError, match="too large"):
        load_signers(tmp_path / "large")


def test_a_reader_needs_no_key(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    records = newest_first(rig.path, "smile", "desk", rig.signers)
    assert [record.entry.seq for record in records] == [5, 4, 3, 2, 1, 0]
    with pytest.raises(LedgerMissing, match="no branch"):
        next(newest_first(rig.path, "smile", "gone", rig.signers))


def test_a_plain_clone_of_two_ledgers_is_audited_whole(tmp_path: Path) -> None:
    rig = two_hosts(tmp_path)
    clone = tmp_path / "clone"
    cloned = rig.git("clone", "-q", "--no-local", str(rig.path), str(clone))
    assert cloned.returncode == 0, cloned.stderr
    result = verify(clone, rig.signers)

    assert result.ok, result.sentence
    assert [report.ref for report in result.branches] == [
        "refs/heads/smile/desk",
        "refs/heads/smile/xray",
    ]
