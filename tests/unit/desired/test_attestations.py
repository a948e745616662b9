from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import ObjectType

from reconciler.desired.attestations import ATTESTATION_LIMITS, AttestationLimits, Attestations
from reconciler.errors import EvidenceError
from reconciler.evidence import sshsig
from reconciler.keyless.identity import Identity
from reconciler.trust import envelope, statements
from reconciler.trust.statements import Statement
from tests.support.attested import (
    APPROVAL,
    COMMIT,
    HEARTBEAT,
    OTHER,
    RECOVERY,
    RELEASE,
    TREE,
    branch_of,
    named,
)
from tests.support.evidence_keys import test_key as key_of

CI = Identity("ci", "https://issuer.example", "https://msp.example/workflow")
APPROVALS, RELEASES = f"approvals/{TREE}", f"releases/{COMMIT}"
BEAT = "heartbeats/main/heartbeat.dsse.json"


def sealed(statement: Statement, by: str = "alice") -> bytes:
    return envelope.seal(statements.write(statement), key_of(by))


def keyless(bundle: bytes) -> tuple[bytes, Identity]:
    """Stands for a verifier: its bundles are a word and the payload."""
    if not bundle.startswith(b"bundle "):
        raise EvidenceError("does not verify", hint="")
    return bundle.removeprefix(b"bundle "), CI


@pytest.fixture
def read(tmp_path: Path):
    def read(files: Mapping[str, bytes], limits=ATTESTATION_LIMITS, **options) -> Attestations:
        commit = branch_of(tmp_path / "repo", files)
        repository = pygit2.Repository(str(tmp_path / "repo"))
        return Attestations(repository, commit, limits, **options)

    return read


def placed(*signed: bytes, folder: str = APPROVALS) -> dict[str, bytes]:
    return {named(folder, data): data for data in signed}


def test_every_kind_is_found_where_it_belongs(read) -> None:
    files = {
        **placed(sealed(APPROVAL)),
        **placed(sealed(RELEASE, "ci"), folder=RELEASES),
        **placed(sealed(RECOVERY), sealed(RECOVERY, "bob"), folder=f"recoveries/{OTHER}"),
        BEAT: sealed(HEARTBEAT, "ci"),
    }
    found = read(files)
    assert [signed.statement for signed in found.approvals(TREE)] == [APPROVAL]
    assert [signed.statement for signed in found.releases(COMMIT)] == [RELEASE]
    assert [signed.statement for signed in found.heartbeats("main")] == [HEARTBEAT]
    assert [signed.statement for signed in found.recoveries()] == [RECOVERY, RECOVERY]
    keys = {sshsig.raw_public(key_of(name)) for name in ("alice", "bob")}
    assert {signed.public for signed in found.recoveries()} == keys
    assert found.heartbeats("main")[0].file == BEAT
    assert found.unread == ()


def test_what_is_not_there_is_nothing(read) -> None:
    found = read({BEAT: sealed(HEARTBEAT)})
    assert found.approvals(TREE) == found.releases(COMMIT) == found.recoveries() == ()
    assert found.heartbeats("other") == ()
    assert found.unread == ()


def test_no_branch_is_nothing(tmp_path: Path) -> None:
    pygit2.init_repository(str(tmp_path / "repo"), bare=True)
    repository = pygit2.Repository(str(tmp_path / "repo"))
    found = Attestations(repository, None, unread=(("attestations", "too-large"),))
    assert found.approvals(TREE) == found.recoveries() == found.heartbeats("main") == ()
    assert found.unread == (("attestations", "too-large"),)
    assert found.trusting(keyless).unread == (("attestations", "too-large"),)


def test_files_are_read_in_the_order_of_their_names(read) -> None:
    data = [sealed(replace(APPROVAL, base=f"{n:040x}")) for n in range(5)]
    found = read(placed(*data)).approvals(TREE)
    assert [signed.file for signed in found] == sorted(placed(*data))


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        (named(APPROVALS, b"x"), sealed(APPROVAL), "not named by its content"),
        (named(APPROVALS, b"junk"), b"junk", "not a canonical envelope"),
        (named(APPROVALS, sealed(HEARTBEAT)), sealed(HEARTBEAT), "something else"),
        (
            named(APPROVALS, sealed(replace(APPROVAL, tree=OTHER))),
            sealed(replace(APPROVAL, tree=OTHER)),
            "something else",
        ),
        (
            named(APPROVALS, envelope.seal(b"{}", key_of("alice"))),
            envelope.seal(b"{}", key_of("alice")),
            "another type",
        ),
        (named(APPROVALS, b"", ".sigstore.json"), b"", "no trusted root"),
        (f"{APPROVALS}/README.md", b"hello", "no attestation has"),
        (f"{APPROVALS}/heartbeat.dsse.json", sealed(APPROVAL), "no attestation has"),
        (f"{APPROVALS}/folder/x.json", b"", "no attestation has"),
        (named(APPROVALS, b"x" * 300_000), b"x" * 300_000, "larger than 262144"),
    ],
)
def test_what_does_not_hold_costs_itself_and_is_counted(
    read, name: str, data: bytes, why: str
) -> None:
    good = sealed(APPROVAL)
    found = read(
        {name: data, named(APPROVALS, good): good} if name != named(APPROVALS, good) else {}
    )
    assert [signed.statement for signed in found.approvals(TREE)] == [APPROVAL]
    ((path, reason),) = found.unread
    assert path in (name, f"{APPROVALS}/?")
    assert why in reason


def test_a_statement_of_another_commit_or_branch_does_not_count(read) -> None:
    release, beat = sealed(replace(RELEASE, commit=OTHER)), sealed(replace(HEARTBEAT, branch="x"))
    recovery = sealed(replace(RECOVERY, to=COMMIT))
    files = {
        **placed(release, folder=RELEASES),
        BEAT: beat,
        **placed(recovery, folder=f"recoveries/{OTHER}"),
    }
    found = read(files)
    assert found.releases(COMMIT) == found.heartbeats("main") == found.recoveries() == ()
    assert len(found.unread) == 3


def test_a_branch_below_a_branch_has_heartbeats_of_its_own(read) -> None:
    other = replace(HEARTBEAT, branch="main/next")
    found = read({BEAT: sealed(HEARTBEAT), BEAT.replace("main", "main/next"): sealed(other)})
    assert [signed.statement for signed in found.heartbeats("main")] == [HEARTBEAT]
    assert [signed.statement for signed in found.heartbeats("main/next")] == [other]
    assert found.unread == ()


def test_a_folder_of_too_many_files_is_read_in_part(read) -> None:
    data = [sealed(replace(APPROVAL, base=f"{n:040x}")) for n in range(5)]
    found = read(placed(*data), AttestationLimits(files=3))
    assert len(found.approvals(TREE)) == 3
    assert found.unread == ((APPROVALS, "holds more than 3 files"),)


def test_a_tree_that_is_too_large_is_not_inflated(read) -> None:
    found = read(placed(sealed(APPROVAL)), AttestationLimits(tree_bytes=40))
    assert found.approvals(TREE) == ()
    assert found.unread == (("approvals", "is larger than 40 bytes"),)


def test_all_that_is_read_together_has_a_bound(read) -> None:
    data = [sealed(replace(APPROVAL, base=f"{n:040x}")) for n in range(5)]
    found = read(placed(*data), AttestationLimits(total_bytes=3_000))
    assert len(found.approvals(TREE)) == 2
    assert {why for _, why in found.unread} == {"is beyond 3000 bytes altogether"}


def test_recoveries_to_odd_places_are_counted(read) -> None:
    found = read({"recoveries/elsewhere/x": b"", "recoveries/file": b""})
    assert found.recoveries() == ()
    assert [path for path, _ in found.unread] == ["recoveries/?"]


def test_bundles_count_once_somebody_checks_them(read) -> None:
    bundle, wrong = b"bundle " + statements.write(RELEASE), b"bundle of nothing"
    files = {named(RELEASES, data, ".sigstore.json"): data for data in (bundle, wrong, b"junk")}
    found = read(files)
    assert found.releases(COMMIT) == ()
    assert len(found.unread) == 3
    (signed,) = found.trusting(keyless).releases(COMMIT)
    assert (signed.statement, signed.public, signed.identity) == (RELEASE, None, CI)
    assert len(read(files, keyless=keyless).releases(COMMIT)) == 1


def test_both_heartbeats_of_a_branch_are_given(read) -> None:
    bundle = b"bundle " + statements.write(replace(HEARTBEAT, counter=8))
    files = {BEAT: sealed(HEARTBEAT), BEAT.replace("dsse", "sigstore"): bundle}
    found = read(files, keyless=keyless).heartbeats("main")
    assert [signed.statement.counter for signed in found] == [7, 8]


def odd(tmp_path: Path, mode: int, target: bytes = b"../x", name: str = "") -> Attestations:
    """A branch whose only approval is of another kind than a plain file."""
    path = tmp_path / "repo"
    pygit2.init_repository(str(path), bare=True)
    repository = pygit2.Repository(str(path))
    oid = pygit2.Oid(hex=COMMIT) if mode == 0o160000 else repository.create_blob(target)
    for part in (name or named("", target)[1:], TREE, "approvals"):
        builder = repository.TreeBuilder()
        builder.insert(part, oid, mode)
        oid, mode = builder.write(), 0o40000
    person = pygit2.Signature("a", "a@msp.example", 1, 0)
    commit = repository.create_commit(None, person, person, "m", oid, [])
    return Attestations(repository, str(commit))


@pytest.mark.parametrize("mode", [0o120000, 0o160000, 0o100755])
def test_only_plain_files_are_read(tmp_path: Path, mode: int) -> None:
    found = odd(tmp_path, mode, sealed(APPROVAL))
    assert found.approvals(TREE) == ()
    assert len(found.unread) == 1


def test_a_branch_that_is_no_commit_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "repo"
    pygit2.init_repository(str(path), bare=True)
    repository = pygit2.Repository(str(path))
    for oid, why in (
        (str(repository.create_blob(b"x")), "is not a commit"),
        (COMMIT, "is missing or damaged in the mirror"),
    ):
        found = Attestations(repository, oid)
        assert found.approvals(TREE) == ()
        assert found.unread[0] == ("", why)


def test_a_tree_or_commit_that_is_malformed_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "repo"
    pygit2.init_repository(str(path), bare=True)
    repository = pygit2.Repository(str(path))
    torn = repository.odb.write(ObjectType.TREE, b"40000 approvals\x00short")
    person = "a <a@msp.example> 1 +0000"
    for raw, why in (
        (f"tree {torn}\nauthor {person}\ncommitter {person}\n\nm", "is not a well-formed folder"),
        ("no tree\n\nm", "is not a commit"),
    ):
        commit = str(repository.odb.write(ObjectType.COMMIT, raw.encode()))
        found = Attestations(repository, commit)
        assert found.approvals(TREE) == ()
        assert found.unread[0] == ("", why)


def test_what_is_asked_for_is_an_object_id(read) -> None:
    found = read({BEAT: sealed(HEARTBEAT)})
    for asked in ("", "..", "HEAD", COMMIT + "\n"):
        with pytest.raises(EvidenceError, match="object id"):
            found.approvals(asked)
        with pytest.raises(EvidenceError, match="object id"):
            found.releases(asked)


def test_a_folder_is_read_once(read) -> None:
    found = read(placed(sealed(APPROVAL)))
    assert found.approvals(TREE) is found.approvals(TREE)
