from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pygit2
import pytest

from reconciler.desired.attest.branch import AttestationsBranch, bundled, folder_of, sealed
from reconciler.desired.attest.merge import Merge, counter_of
from reconciler.errors import EvidenceError, InputError, MachineError
from reconciler.evidence import sshsig
from reconciler.trust import envelope, statements
from tests.support.attested import (
    APPROVAL,
    AT,
    COMMIT,
    HEARTBEAT,
    OTHER,
    RECOVERY,
    RELEASE,
    TREE,
)
from tests.support.evidence_keys import test_key as key_of

OURS, THEIRS = "refs/heads/attestations", "refs/remotes/origin/attestations"
A, B = f"approvals/{TREE}/{'a' * 64}.dsse.json", f"approvals/{TREE}/{'b' * 64}.dsse.json"
BEAT = "heartbeats/main/heartbeat.dsse.json"


def beat(counter: int) -> bytes:
    return envelope.seal(statements.write(replace(HEARTBEAT, counter=counter)), key_of("ci"))


class Clone:
    """A repository without a work tree, and the branch in it."""

    def __init__(self, path: Path) -> None:
        pygit2.init_repository(str(path), bare=True)
        self.repository = pygit2.Repository(str(path))
        self.branch = AttestationsBranch(self.repository, "attestations", "origin")

    def add(self, files: dict[str, bytes], minutes: int = 0) -> str:
        return self.branch.add(files, AT + timedelta(minutes=minutes), "Attest").commit

    def ours(self) -> str:
        return str(self.repository.references[OURS].target)

    def set(self, name: str, commit: str) -> None:
        self.repository.references.create(name, commit, force=True)

    def files(self, commit: str) -> dict[str, bytes]:
        found = {}

        def walk(tree: pygit2.Tree, path: str) -> None:
            for node in tree:
                if isinstance(node, pygit2.Tree):
                    walk(node, f"{path}{node.name}/")
                else:
                    found[f"{path}{node.name}"] = node.data

        walk(self.repository[commit].peel(pygit2.Tree), "")
        return found

    def parents(self, commit: str) -> list[str]:
        return [str(parent) for parent in self.repository[commit].peel(pygit2.Commit).parent_ids]

    def apart(self, ours: dict[str, bytes], theirs: dict[str, bytes]) -> tuple[str, str]:
        """Two versions of the branch that come from the same commit."""
        base = self.add({"base": b"base"})
        mine = self.add(ours, 1)
        self.set(OURS, base)
        other = self.add(theirs, 2)
        self.set(OURS, mine)
        self.set(THEIRS, other)
        return mine, other


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


def test_the_first_file_makes_the_branch(clone: Clone) -> None:
    tip = clone.add({A: b"a"})
    assert clone.ours() == tip
    assert clone.files(tip) == {A: b"a"}
    assert clone.parents(tip) == []
    assert clone.repository[tip].peel(pygit2.Commit).commit_time == AT.timestamp()


@pytest.fixture
def unconfigured(tmp_path: Path) -> Iterator[None]:
    """Nobody's Git configuration but the repository's own."""
    path, levels = pygit2.settings.search_path, pygit2.enums.ConfigLevel
    used = (levels.SYSTEM, levels.XDG, levels.GLOBAL)
    before = {level: path[level] for level in used}
    for level in used:
        path[level] = str(tmp_path)
    yield
    for level, value in before.items():
        path[level] = value


@pytest.mark.usefixtures("unconfigured")
def test_a_clone_that_nobody_set_up_has_an_author_too(tmp_path: Path) -> None:
    clone = Clone(tmp_path / "other")
    commit = clone.repository[clone.add({A: b"a"})].peel(pygit2.Commit)
    assert (commit.author.name, commit.author.email) == ("reconciler", "reconciler@localhost")


def test_whoever_is_configured_is_the_author(clone: Clone) -> None:
    clone.repository.config["user.name"] = "Bob"
    clone.repository.config["user.email"] = "bob@msp.example"
    commit = clone.repository[clone.add({A: b"a"})].peel(pygit2.Commit)
    assert (commit.author.name, commit.author.email) == ("Bob", "bob@msp.example")


def test_files_are_added_one_after_the_other(clone: Clone) -> None:
    first = clone.add({A: b"a"})
    second = clone.add({B: b"b", BEAT: b"1"})
    assert clone.parents(second) == [first]
    assert clone.files(second) == {A: b"a", B: b"b", BEAT: b"1"}
    third = clone.add({BEAT: b"2"})
    assert clone.files(third)[BEAT] == b"2"
    assert clone.add({BEAT: b"2"}) == third, "what is there already is no commit"


def test_a_file_in_the_way_of_a_folder_gives_way(clone: Clone) -> None:
    clone.add({"approvals": b"junk"})
    assert clone.files(clone.add({A: b"a"})) == {A: b"a"}


def test_the_server_s_branch_is_taken_up_when_there_is_none_here(clone: Clone) -> None:
    theirs = clone.add({A: b"a"})
    clone.repository.references.delete(OURS)
    clone.set(THEIRS, theirs)
    assert clone.branch.read(AT).commit == theirs
    tip = clone.add({B: b"b"})
    assert clone.parents(tip) == [theirs]
    assert clone.files(tip) == {A: b"a", B: b"b"}


@pytest.mark.parametrize("ahead", ["ours", "theirs"])
def test_the_newer_of_two_is_taken(clone: Clone, ahead: str) -> None:
    old = clone.add({A: b"a"})
    new = clone.add({B: b"b"})
    clone.set(OURS, new if ahead == "ours" else old)
    clone.set(THEIRS, old if ahead == "ours" else new)
    assert clone.branch.read(AT).commit == new
    assert clone.branch.add({}, AT, "Join").commit == clone.ours() == new


def test_two_that_grew_apart_become_one(clone: Clone) -> None:
    ours, theirs = clone.apart({A: b"a"}, {B: b"b"})
    tip = clone.branch.add({}, AT, "Join").commit
    assert clone.parents(tip) == [ours, theirs]
    assert clone.files(tip) == {"base": b"base", A: b"a", B: b"b"}
    assert clone.ours() == tip


def test_reading_joins_without_moving_the_branch(clone: Clone) -> None:
    ours, _ = clone.apart({A: b"a"}, {B: b"b"})
    joined = clone.branch.read(AT).commit
    assert joined is not None
    assert clone.files(joined).keys() == {"base", A, B}
    assert clone.ours() == ours


@pytest.mark.parametrize(("one", "two", "stays"), [(5, 9, 9), (9, 5, 9), (5, 5, 5)])
def test_of_two_heartbeats_the_higher_number_stays(
    clone: Clone, one: int, two: int, stays: int
) -> None:
    clone.apart({BEAT: beat(one)}, {BEAT: beat(two)})
    tip = clone.branch.add({}, AT, "Join").commit
    assert counter_of(clone.files(tip)[BEAT]) == stays


def test_junk_never_wins_over_a_heartbeat(clone: Clone) -> None:
    clone.apart({BEAT: beat(5)}, {BEAT: b"junk"})
    assert clone.files(clone.branch.add({}, AT, "Join").commit)[BEAT] == beat(5)


def test_what_one_side_removed_and_the_other_left_alone_is_gone(clone: Clone) -> None:
    base = clone.add({A: b"a", B: b"b"})
    ours = clone.add({BEAT: b"1"})
    person = pygit2.Signature("a", "a@msp.example", 1, 0)
    repository = clone.repository
    inner = repository.TreeBuilder(repository[base].peel(pygit2.Tree)["approvals"][TREE])
    inner.remove(B.rpartition("/")[2])
    folder = repository.TreeBuilder()
    folder.insert(TREE, inner.write(), 0o40000)
    top = repository.TreeBuilder()
    top.insert("approvals", folder.write(), 0o40000)
    theirs = repository.create_commit(None, person, person, "m", top.write(), [base])
    clone.set(THEIRS, str(theirs))
    clone.set(OURS, ours)
    assert clone.files(clone.branch.add({}, AT, "Join").commit) == {A: b"a", BEAT: b"1"}


def test_a_folder_that_one_side_emptied_is_gone(clone: Clone) -> None:
    repository = clone.repository
    base = clone.add({A: b"a", BEAT: b"1"})
    tree = repository[base].peel(pygit2.Tree)
    only = repository.TreeBuilder()
    only.insert("heartbeats", tree["heartbeats"].id, 0o40000)
    empty = repository.TreeBuilder().write()
    merge = Merge(repository)
    assert merge.trees(tree.id, tree.id, only.write()) == only.write()
    assert merge.trees(tree.id, empty, tree.id) == empty


def test_a_branch_that_begins_anew_holds_every_file(clone: Clone) -> None:
    clone.add({A: b"a"})
    old = clone.add({B: b"b"})
    clone.set(THEIRS, old)
    fresh = clone.branch.begin_anew(AT).commit
    assert clone.ours() == fresh
    assert clone.parents(fresh) == []
    assert clone.files(fresh) == clone.files(old)
    # Once it is on the server, a clone with the old history follows, and brings nothing of it.
    clone.set(THEIRS, fresh)
    clone.set(OURS, old)
    clone.add({BEAT: b"1"})
    tip = clone.ours()
    assert clone.files(tip) == {A: b"a", B: b"b", BEAT: b"1"}
    walked = {str(commit.id) for commit in clone.repository.walk(tip)}
    assert fresh in walked
    assert old not in walked


def test_there_must_be_something(clone: Clone) -> None:
    with pytest.raises(InputError, match="nothing to write"):
        clone.branch.add({}, AT, "Join")
    with pytest.raises(InputError, match="nothing to write"):
        clone.branch.begin_anew(AT)


def test_a_reference_to_something_else_is_an_error(clone: Clone) -> None:
    clone.set(THEIRS, str(clone.repository.create_blob(b"x")))
    with pytest.raises(InputError, match="does not point to a commit"):
        clone.add({A: b"a"})


def test_a_branch_that_moves_meanwhile_is_not_overwritten(clone: Clone, monkeypatch) -> None:
    first = clone.add({A: b"a"})
    write = clone.branch._write

    def slow(*arguments: object) -> str:
        made = write(*arguments)
        clone.set(OURS, other)
        return made

    other = str(
        clone.repository.create_commit(
            None,
            *(pygit2.Signature("a", "a@msp.example", 1, 0),) * 2,
            "m",
            clone.repository[first].peel(pygit2.Tree).id,
            [first],
        )
    )
    monkeypatch.setattr(clone.branch, "_write", slow)
    with pytest.raises(MachineError, match="moved meanwhile"):
        clone.add({B: b"b"})
    assert clone.ours() == other


def test_a_clone_that_cannot_be_written_says_so(clone: Clone) -> None:
    clone.add({A: b"a"})
    (Path(clone.repository.path) / f"{OURS}.lock").touch()
    with pytest.raises(MachineError, match="cannot be written"):
        clone.add({B: b"b"})


def test_every_statement_has_its_folder() -> None:
    assert folder_of(APPROVAL) == f"approvals/{TREE}"
    assert folder_of(RELEASE) == f"releases/{COMMIT}"
    assert folder_of(HEARTBEAT) == "heartbeats/main"
    assert folder_of(RECOVERY) == f"recoveries/{OTHER}"


def test_files_are_named_by_their_content() -> None:
    payload = statements.write(APPROVAL)
    armor = sshsig.sign(key_of("bob"), envelope.to_be_signed(payload), envelope.NAMESPACE)
    ((path, data),) = sealed(payload, armor).items()
    assert path == f"approvals/{TREE}/{statements.commit_digest(data)}.dsse.json"
    assert envelope.open_envelope(data).payload == payload
    (path,) = bundled(statements.write(HEARTBEAT), "{}")
    assert path == "heartbeats/main/heartbeat.sigstore.json"


def test_what_does_not_hold_gets_no_file() -> None:
    payload = statements.write(APPROVAL)
    armor = sshsig.sign(key_of("bob"), envelope.to_be_signed(payload), "git")
    with pytest.raises(EvidenceError):
        sealed(payload, armor)
    armor = sshsig.sign(key_of("bob"), envelope.to_be_signed(b"{}"), envelope.NAMESPACE)
    with pytest.raises(EvidenceError):
        sealed(b"{}", armor)
    with pytest.raises(EvidenceError):
        bundled(b"{}", "{}")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b'{"payload":1}',
        b'{"payload":"e30="}',
        b"[" * 100_000,
        b'{"dsseEnvelope":[]}',
        b"x" * 300_000,
        envelope.seal(statements.write(APPROVAL), key_of("a")),
    ],
)
def test_what_is_no_heartbeat_has_no_number(data: bytes) -> None:
    assert counter_of(data) == 0


def test_the_number_of_a_bundle_is_in_its_envelope() -> None:
    assert counter_of(b'{"dsseEnvelope":' + beat(12) + b"}") == counter_of(beat(12)) == 12
