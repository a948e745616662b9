import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import commit, sshsig
from tests.support.evidence_keys import test_key as key_of

KEY = key_of("alice")
PERSON = commit.Person("Alice", "alice@msp.example", 1_700_000_000, "+0000")
TREE, PARENT = "a" * 40, "b" * 40
PAYLOAD = commit.unsigned(TREE, (PARENT,), PERSON, PERSON, b"subject\n\nbody\n")
RAW = commit.with_signature(PAYLOAD, sshsig.sign(KEY, PAYLOAD, "git"))


def test_reads_what_it_builds() -> None:
    read = commit.parse(RAW)
    assert (read.tree, read.parents, read.message) == (TREE, (PARENT,), b"subject\n\nbody\n")
    assert read.author == read.committer == PERSON
    assert read.signed == PAYLOAD
    assert read.signed_by() == sshsig.raw_public(KEY)
    assert read.committer.time.isoformat() == "2023-11-14T22:13:20+00:00"


def test_an_unsigned_commit_is_read_but_nobody_signed_it() -> None:
    read = commit.parse(PAYLOAD)
    assert read.armor is None
    assert read.signed == PAYLOAD
    with pytest.raises(EvidenceError, match="not signed"):
        read.signed_by()


def test_a_first_commit_has_no_parent_and_may_have_no_message() -> None:
    read = commit.parse(commit.unsigned(TREE, (), PERSON, PERSON, b""))
    assert (read.parents, read.message) == ((), b"")


def test_changed_content_does_not_verify() -> None:
    changed = RAW.replace(b"body", b"BODY")
    with pytest.raises(EvidenceError, match="does not fit"):
        commit.parse(changed).signed_by()


def header(line: bytes, before: bytes) -> bytes:
    return RAW.replace(before, line + b"\n" + before, 1)


SIGNATURE = b"gpgsig " + sshsig.sign(KEY, b"x", "git").replace("\n", "\n ").encode()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (header(SIGNATURE, b"gpgsig "), "more than one 'gpgsig'"),
        (header(b"gpgsig-sha256 x", b"gpgsig "), "header 'gpgsig-sha256'"),
        (header(b"encoding UTF-8", b"gpgsig "), "header 'encoding'"),
        (header(b"mergetag object x\n y", b"gpgsig "), "header 'mergetag'"),
        (header(b"tree " + b"c" * 40, b"parent"), "more than one 'tree'"),
        (header(b"author A <a@b> 1 +0000", b"committer"), "more than one 'author'"),
        (header(b"parent " + b"c" * 40, b"author"), "2 parents"),
        (header(b"gpgsig x", b"committer").replace(b"gpgsig -", b"gpgsig -"), "more than one"),
        (RAW.replace(b" 1700000000 +0000", b" 1700000000 +0100"), "offset"),
        (RAW.replace(b" 1700000000 +0000", b" 1700000000 -0000"), "offset"),
        (RAW.replace(b" 1700000000 +0000", b" 01700000000 +0000"), "malformed"),
        (RAW.replace(b" <alice", b" alice"), "malformed"),
        (RAW.replace(b"Alice", b"\xff"), "UTF-8"),
        (RAW.replace(b"tree a", b"tree A"), "malformed"),
        (RAW.replace(b"tree ", b"Tree "), "header 'Tree'"),
        (RAW.replace(b"-----BEGIN SSH", b"-----BEGIN PGP"), "not an SSH signature"),
        (RAW.replace(b"\n -----END", b"\n \n -----END"), "malformed"),
        (PAYLOAD.replace(b"\n\n", b"\nauthor2 x\n\n", 1), "header 'author2'"),
        (b"", "header|malformed"),
        (PAYLOAD[:30], "malformed"),
        (PAYLOAD + b"x" * commit.MAX_BYTES, "too large"),
    ],
)
def test_refuses_everything_git_would_forgive(raw: bytes, says: str) -> None:
    with pytest.raises(EvidenceError, match=says):
        commit.parse(raw)


def test_order_of_headers_is_fixed() -> None:
    tree, parent, rest = PAYLOAD.split(b"\n", 2)
    with pytest.raises(EvidenceError, match="order"):
        commit.parse(b"\n".join((parent, tree, rest)))


def test_a_fleet_commit_may_have_two_parents_and_a_time_zone() -> None:
    person = commit.Person("Bob", "", 1, "-0730")
    raw = commit.unsigned(TREE, (PARENT, "c" * 40), person, person, b"merge\n")
    read = commit.parse(raw, max_parents=2, utc_only=False)
    assert read.parents == (PARENT, "c" * 40)
    assert read.committer.offset == "-0730"


def test_parents_can_be_followed_even_when_the_commit_is_refused() -> None:
    refused = header(b"gpgsig-sha256 x", b"gpgsig ")
    assert commit.parents_of(refused) == (PARENT,)
    assert commit.parents_of(b"garbage") == ()
    assert commit.parents_of(b"tree x\n\nparent " + b"c" * 40) == ()
