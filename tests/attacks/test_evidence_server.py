"""Every attack of a thief of one key, pushed with stock git: the server's hook refuses it.

Each is also found by an audit of the repository afterwards; here it does not even get in.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.evidence import dsse, sshsig
from reconciler.evidence.fault import Code
from reconciler.evidence.statement import Kind
from reconciler.ledger.receive import REFUSAL_CODES, Why
from tests.support.evidence_keys import test_key as key_of
from tests.support.evidence_server import EvidenceServer, Pusher, evidence_server
from tests.support.forge import CLIENT, HOST, KEY, Forge, Parts, honest, signer_line

ROGUE, OLD, NEXT = key_of("mallory"), key_of("smile/desk 2025"), key_of("smile/desk 2027")
NEIGHBOUR = key_of("smile/lab")
REF = f"refs/heads/{CLIENT}/{HOST}"
SIGNERS = (
    signer_line("smile/desk", KEY)
    + signer_line("smile/desk", NEXT)
    + signer_line("smile/desk", OLD, 'valid-before="20260301230500Z"')
    + signer_line("smile/lab", NEIGHBOUR)
)


class Stage:
    """A server that holds an honest history, and a thief who goes on from it."""

    def __init__(self, server: EvidenceServer, git: Pusher, forge: Forge) -> None:
        self.server, self.git, self.forge = server, git, forge
        self.tip = forge.names[forge.branch]

    @classmethod
    def begin(cls, directory: Path, forge: Forge) -> "Stage":
        server = evidence_server(directory, SIGNERS)
        stage = cls(server, Pusher.make(directory / "thief.git"), forge)
        stage.send(f"{stage.tip}:{forge.branch}", refused=False)
        return stage

    def send(self, *specs: str, refused: bool = True) -> set[str]:
        """Push; returns the codes that the hook gave."""
        self.git.take(self.forge)
        before = self.server.refs()
        done = self.git.push(self.server, *specs)
        said = done.stdout + done.stderr
        assert (done.returncode != 0) == refused, said
        assert (self.server.refs() == before) == refused, said
        codes = {
            line.split(": ")[2].split()[0]
            for line in said.splitlines()
            if "reconciler-refusal" in line
        }
        assert codes <= REFUSAL_CODES
        return codes

    def push(self, oid: str, ref: str = REF) -> set[str]:
        return self.send(f"{oid}:{ref}")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """What is refused changes nothing, so all attacks can go to one server."""
    return Stage.begin(tmp_path_factory.mktemp("shared"), honest())


@pytest.fixture
def stage(shared: Stage) -> Stage:
    return Stage(shared.server, shared.git, deepcopy(shared.forge))


@pytest.fixture
def own(tmp_path: Path) -> Stage:
    """For what is accepted."""
    return Stage.begin(tmp_path, honest())


def test_an_honest_history_and_its_continuation_are_accepted(own: Stage) -> None:
    for _ in range(3):
        oid = own.forge.append()
    assert own.send(f"{oid}:{REF}", refused=False) == set()
    assert own.server.tip(REF) == oid


def test_a_rotation_is_accepted(own: Stage) -> None:
    own.forge.append()
    own.forge.rotate(NEXT)
    oid = own.forge.append()
    assert own.send(f"{oid}:{REF}", refused=False) == set()
    assert own.send(f"{own.forge.append()}:{REF}", refused=False) == set()


def test_key_that_nobody_enrolled(stage: Stage) -> None:
    stage.forge.key = ROGUE
    assert Code.KEY in stage.push(stage.forge.append())


def test_enrolled_key_without_a_rotation(stage: Stage) -> None:
    stage.forge.key = NEXT
    assert stage.push(stage.forge.append()) == {Code.KEY}


def test_old_key_after_its_rotation_and_its_return(own: Stage) -> None:
    own.forge.rotate(NEXT)
    own.send(f"{own.forge.append()}:{REF}", refused=False)
    own.forge.key = KEY
    good = own.forge.names[REF], own.forge.last, own.forge.last_digest
    assert own.push(own.forge.append()) == {Code.KEY}
    own.forge.names[REF], own.forge.last, own.forge.last_digest = good
    own.forge.digests.pop()
    own.forge.key = NEXT
    assert Code.RETIRED_KEY in own.push(own.forge.rotate(KEY))


def test_another_appliance_s_branch(stage: Stage) -> None:
    assert Code.PRINCIPAL in stage.push(stage.tip, "refs/heads/smile/lab")


def test_another_appliance_s_key_on_this_branch(stage: Stage) -> None:
    stage.forge.key = NEIGHBOUR
    assert Code.PRINCIPAL in stage.push(stage.forge.append())


def test_unsigned(stage: Stage) -> None:
    start, end = b"\ngpgsig ", b"-----END SSH SIGNATURE-----"

    def strip(raw: bytes) -> bytes:
        return raw[: raw.index(start)] + raw[raw.index(end) + len(end) :]

    oid = stage.forge.append(spoil=lambda parts: setattr(parts, "raw", strip))
    assert Code.COMMIT_SIGNATURE in stage.push(oid)


def test_gap_in_the_sequence(stage: Stage) -> None:
    assert Code.SEQUENCE in stage.push(stage.forge.append(seq=8))


def test_repeated_number(stage: Stage) -> None:
    last = stage.forge.last
    assert last is not None
    oid = stage.forge.append(seq=last.seq)
    assert stage.push(oid) & {Code.NOT_APPEND_ONLY, Code.SEQUENCE}


def test_time_that_goes_back(stage: Stage) -> None:
    oid = stage.forge.append(recorded_at="2026-03-01T23:30:00.000Z")
    assert Code.TIME in stage.push(oid)


def test_expired_key(tmp_path: Path) -> None:
    stage = Stage.begin(tmp_path, honest(1, key=OLD))
    assert Code.KEY in stage.push(stage.forge.append())


def test_entry_from_the_future(stage: Stage) -> None:
    oid = stage.forge.append(recorded_at="2099-01-01T00:00:00.000Z")
    assert stage.push(oid) == {Why.FUTURE}


def path_of(forge: Forge, seq: int) -> str:
    day = "01" if seq < 3 else "02"
    return f"entries/2026/03/{day}/{seq:08d}.dsse.json"


def test_modified_file(stage: Stage) -> None:
    first = path_of(stage.forge, 0)
    oid = stage.forge.append(spoil=lambda parts: setattr(parts, "path", first))
    assert Code.NOT_APPEND_ONLY in stage.push(oid)


def test_deleted_files(stage: Stage) -> None:
    oid = stage.forge.append(spoil=lambda parts: setattr(parts, "root", lambda _root: EMPTY))
    stage.forge.put("tree", b"")
    assert stage.push(oid) & {Code.TREE, Code.NOT_APPEND_ONLY}


EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_deleted_and_added_again(stage: Stage) -> None:
    oid = stage.forge.append(spoil=lambda parts: setattr(parts, "base", None))
    assert Code.NOT_APPEND_ONLY in stage.push(oid)


@pytest.mark.parametrize("path", ["README.md", "entries/2026/03/02/hook.sh", ".gitattributes"])
def test_foreign_path(stage: Stage, path: str) -> None:
    oid = stage.forge.append(spoil=lambda parts: setattr(parts, "path", path))
    assert stage.push(oid) & {Code.PATH, Code.TREE}


def test_forced_rewrite(stage: Stage) -> None:
    other = Forge()
    other.append(Kind.GENESIS)
    for _ in range(9):
        oid = other.append(body={"pass": 31, "fail": 0})
    stage.git.take(other)
    assert stage.push(oid) & {Code.CHAIN, Why.NOT_FAST_FORWARD}


def test_rewind(stage: Stage) -> None:
    assert stage.push(stage.forge.commits[2]) <= {Why.NOT_FAST_FORWARD}


def test_fork(stage: Stage) -> None:
    fork = honest(4)
    oid = fork.append(body={"pass": 31, "fail": 0})
    stage.git.take(fork)
    assert stage.push(oid) <= {Why.NOT_FAST_FORWARD}


def test_deletion_of_a_branch(stage: Stage) -> None:
    assert stage.send(f":{REF}") <= {Why.DELETED}


@pytest.mark.parametrize(
    "ref",
    [
        "refs/tags/v1",
        "refs/heads/main",
        "refs/notes/x",
        "refs/heads/smile/desk/more",
        "refs/heads/Smile/desk",
        "refs/heads/smile/desk-",
        "refs/meta/config",
    ],
)
def test_any_other_reference(stage: Stage, ref: str) -> None:
    assert stage.push(stage.tip, ref) == {Why.NOT_A_BRANCH}


def test_merge(stage: Stage) -> None:
    def merged(parts: Parts) -> None:
        parts.parents = (*parts.parents, stage.forge.commits[1])

    assert Code.COMMIT_FORM in stage.push(stage.forge.append(spoil=merged))


def test_tampered_payload(stage: Stage) -> None:
    def relabel(envelope: bytes) -> bytes:
        payload = dsse.open_envelope(envelope, sshsig.raw_public(KEY))
        forged = dsse.seal(payload.replace(b'"pass":30', b'"pass":31'), dsse.PAYLOAD_TYPE, KEY)
        mark = b'"sig":"'
        return forged[: forged.index(mark)] + envelope[envelope.index(mark) :]

    oid = stage.forge.append(spoil=lambda parts: setattr(parts, "envelope", relabel))
    assert Code.ENVELOPE in stage.push(oid)


def test_log_that_is_not_the_log(stage: Stage) -> None:
    other = honest(6)
    other.digests[2] = "0" * 64
    oid = stage.forge.append(log=other.log(6))
    assert stage.push(oid) == {Code.LOG}


def second_signature(raw: bytes) -> bytes:
    start = raw.index(b"\ngpgsig ")
    end = raw.index(b"-----END SSH SIGNATURE-----", start) + 28
    return raw[:end] + raw[start + 1 : end] + raw[end:]


def foreign_header(raw: bytes) -> bytes:
    return raw.replace(b"\n\n", b"\ngpgsig-sha256 anything\n\n", 1)


@pytest.mark.parametrize("smuggle", [second_signature, foreign_header])
def test_unsigned_content_in_a_signed_commit(
    stage: Stage, smuggle: Callable[[bytes], bytes]
) -> None:
    oid = stage.forge.append(spoil=lambda parts: setattr(parts, "raw", smuggle))
    assert stage.push(oid) <= {Code.COMMIT_FORM}


def test_one_bad_reference_keeps_a_good_one_out(own: Stage) -> None:
    lab = Forge(host="lab", key=NEIGHBOUR)
    good = lab.append(Kind.GENESIS)
    own.git.take(lab)
    own.forge.key = ROGUE
    bad = own.forge.append()
    codes = own.send(f"{good}:{lab.branch}", f"{bad}:{REF}")
    assert Code.KEY in codes
    assert own.server.tip(lab.branch) is None
    assert own.send(f"{good}:{lab.branch}", refused=False) == set()


def test_a_bad_entry_under_good_ones(stage: Stage) -> None:
    def back(parts: Parts) -> None:
        parts.person = replace(parts.person, seconds=parts.person.seconds - 7200)

    stage.forge.append(spoil=back)
    for _ in range(3):
        oid = stage.forge.append()
    assert stage.push(oid) == {Code.COMMIT_CONTENT}


def test_nothing_is_accepted_where_the_program_or_the_signers_are_missing(
    own: Stage, tmp_path: Path
) -> None:
    oid = own.forge.append()
    signers = own.server.path / "trust" / "allowed_signers"
    text = signers.read_text()
    signers.unlink()
    assert own.push(oid) == set()
    signers.write_text(text)
    (tmp_path / "reconciler").rename(tmp_path / "elsewhere")
    assert own.push(oid) == set()
    (tmp_path / "elsewhere").rename(tmp_path / "reconciler")
    assert own.send(f"{oid}:{REF}", refused=False) == set()
