from datetime import UTC, datetime, timedelta

import pytest

from reconciler.errors import InputError
from reconciler.evidence.signers import MAX_BYTES, Refusal, Signer, parse, render
from reconciler.evidence.sshsig import public_text, raw_public
from tests.support.evidence_keys import test_key as key_of

PUBLIC = raw_public(key_of("alice"))
OTHER = raw_public(key_of("bob"))
KEY = public_text(PUBLIC)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def one(line: str) -> Signer:
    (signer,) = parse(line.encode(), "allowed_signers").signers
    return signer


def test_reads_a_file_with_comments_and_blank_lines() -> None:
    text = f"# who may sign\n\n  \t\nalice@msp.example {KEY} laptop of alice\n"
    signer = one(text)
    assert (signer.principal, signer.public, signer.line) == ("alice@msp.example", PUBLIC, 4)
    assert signer.comment == "laptop of alice"
    assert (signer.namespaces, signer.valid_after, signer.valid_before) == (None, None, None)


def test_reads_all_options() -> None:
    signer = one(
        'a namespaces="git,file",valid-after="20260101Z",VALID-BEFORE="20270101120000Z" ' + KEY
    )
    assert signer.namespaces == ("git", "file")
    assert signer.valid_after == datetime(2026, 1, 1, tzinfo=UTC)
    assert signer.valid_before == datetime(2027, 1, 1, 12, tzinfo=UTC)


def test_minutes_are_allowed_in_times() -> None:
    signer = one(f'a valid-after="202601010930Z" {KEY}')
    assert signer.valid_after == datetime(2026, 1, 1, 9, 30, tzinfo=UTC)


def test_finds_the_principal_of_a_key() -> None:
    signers = parse(f"alice {KEY}\n".encode(), "f")
    found = signers.find(PUBLIC, "git", NOON)
    assert isinstance(found, Signer)
    assert found.principal == "alice"
    assert signers.find(OTHER, "git", NOON) is Refusal.UNKNOWN_KEY


def test_tells_the_reasons_apart() -> None:
    line = f'alice namespaces="git",valid-after="20260301Z",valid-before="20260401Z" {KEY}\n'
    signers = parse(line.encode(), "f")
    assert isinstance(signers.find(PUBLIC, "git", NOON), Signer)
    assert signers.find(PUBLIC, "file", NOON) is Refusal.WRONG_NAMESPACE
    assert signers.find(PUBLIC, "git", NOON - timedelta(days=30)) is Refusal.NOT_YET_VALID
    assert signers.find(PUBLIC, "git", NOON + timedelta(days=60)) is Refusal.EXPIRED


def test_both_ends_of_a_window_belong_to_it() -> None:
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    signers = parse(f'a valid-after="20260301Z",valid-before="20260401Z" {KEY}'.encode(), "f")
    second = timedelta(seconds=1)
    assert isinstance(signers.find(PUBLIC, "git", start), Signer)
    assert isinstance(signers.find(PUBLIC, "git", end), Signer)
    assert signers.find(PUBLIC, "git", start - second) is Refusal.NOT_YET_VALID
    assert signers.find(PUBLIC, "git", end + second) is Refusal.EXPIRED


def test_a_key_may_have_several_windows() -> None:
    text = f'a valid-before="20260201Z" {KEY}\na valid-after="20260301Z" {KEY}\n'
    signers = parse(text.encode(), "f")
    found = signers.find(PUBLIC, "git", NOON)
    assert isinstance(found, Signer)
    assert found.line == 2
    assert isinstance(signers.find(PUBLIC, "git", datetime(2026, 2, 15, tzinfo=UTC)), Refusal)


def test_what_is_rendered_is_read_back() -> None:
    signer = Signer(
        principal="smile/front-desk",
        public=PUBLIC,
        namespaces=("git",),
        valid_after=datetime(2026, 1, 1, tzinfo=UTC),
        valid_before=datetime(2027, 1, 1, 1, 2, 3, tzinfo=UTC),
        comment="appliance",
        line=1,
    )
    assert one(render(signer)) == signer


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"a cert-authority {KEY}", "cert-authority"),
        (f'a from="10.0.0.1" {KEY}', "'from' is not one of"),
        (f"a namespaces=git {KEY}", "not allowed"),
        (f'a namespaces="git",namespaces="file" {KEY}', "twice"),
        (f'a namespaces="git", {KEY}', "go wrong"),
        (f'a namespaces="git"valid-after="20260101Z" {KEY}', "go wrong"),
        (f'a namespaces="g*" {KEY}', "literal"),
        (f'a namespaces="" {KEY}', "literal"),
        (f'a valid-after="20260101" {KEY}', "Z"),
        (f'a valid-after="2026010112Z" {KEY}', "YYYYMMDD"),
        (f'a valid-after="20261301Z" {KEY}', "not a date"),
        (f'a valid-after="19700101Z" {KEY}', "before 1970"),
        (f'a valid-after="20260101Z",valid-before="20260101Z" {KEY}', "not later"),
        (f"* {KEY}", "literal"),
        (f"a,b {KEY}", "literal"),
        (f"!a {KEY}", "literal"),
        (f'"a b" {KEY}', "literal"),
        ("a ssh-rsa AAAAB3NzaC1yc2E=", "not ssh-ed25519"),
        ("a ssh-ed25519", "no key"),
        ("a", "no key"),
        ("a ssh-ed25519 AAAA", "canonical"),
        (f"a {KEY[:-2]}", "base64|canonical"),
        (f"a\x00 {KEY}", "control"),
        (f"a {KEY}\r", "control"),
    ],
)
def test_refuses_with_file_and_line(line: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        parse(f"# first\n{line}\n".encode(), "trust/allowed_signers")
    assert str(caught.value).startswith("trust/allowed_signers:2: ")


def test_one_key_cannot_speak_for_two() -> None:
    with pytest.raises(InputError, match=r"f:2: key of 'a' \(line 1\)"):
        parse(f"a {KEY}\nb {KEY}\n".encode(), "f")


@pytest.mark.parametrize("data", [b"#" * (MAX_BYTES + 1), b"\n" * 5000, b"a \xff"])
def test_refuses_files_that_are_not_text_of_a_sane_size(data: bytes) -> None:
    with pytest.raises(InputError):
        parse(data, "f")


def test_a_key_may_be_bound_to_positions_of_a_ledger() -> None:
    signer = one(f'elm/front namespaces="git" {KEY} ledger:10-20 revoked: stolen')
    assert (signer.positions, signer.comment) == ((10, 20), "revoked: stolen")
    signers = parse(f"elm/front {KEY} ledger:10-20\n".encode(), "f")
    for seq in (10, 15, 20):
        assert isinstance(signers.find(PUBLIC, "git", NOON, seq), Signer)
    for seq in (0, 9, 21, 99_999_999):
        assert signers.find(PUBLIC, "git", NOON, seq) is Refusal.OUT_OF_POSITION


def test_a_range_may_have_no_end_yet() -> None:
    signers = parse(f"elm/front {KEY} ledger:1235-\n".encode(), "f")
    assert signers.signers[0].positions == (1235, None)
    assert isinstance(signers.find(PUBLIC, "git", NOON, 99_999_999), Signer)
    assert signers.find(PUBLIC, "git", NOON, 1234) is Refusal.OUT_OF_POSITION


def test_a_bound_key_signs_nothing_but_entries() -> None:
    signers = parse(f"elm/front {KEY} ledger:0-\n".encode(), "f")
    assert signers.find(PUBLIC, "git", NOON) is Refusal.OUT_OF_POSITION


def test_a_key_may_have_several_ranges() -> None:
    signers = parse(f"a {KEY} ledger:0-4\na {KEY} ledger:8-9\n".encode(), "f")
    allowed = [s for s in range(12) if isinstance(signers.find(PUBLIC, "git", NOON, s), Signer)]
    assert allowed == [0, 1, 2, 3, 4, 8, 9]


@pytest.mark.parametrize("text", ["", "a note", "ledger:7-", "ledger:0-0", "ledger:3-9 a note"])
def test_positions_are_rendered_as_they_are_read(text: str) -> None:
    line = f"elm/front {KEY} {text}".rstrip()
    assert render(one(line)) == line


@pytest.mark.parametrize(
    ("comment", "says"),
    [
        ("ledger:", "not ledger:FIRST"),
        ("ledger:5", "not ledger:FIRST"),
        ("ledger:-5", "not ledger:FIRST"),
        ("ledger:01-5", "not ledger:FIRST"),
        ("ledger:1-5,7-9", "not ledger:FIRST"),
        ("ledger:1-100000000", "not ledger:FIRST"),
        ("ledger:1..5", "not ledger:FIRST"),
        ("Ledger:1-5", "not ledger:FIRST"),
        ("ledger: 1-5", "not ledger:FIRST"),
        ("ledger :1-5", "not ledger:FIRST"),
        ("ledger:1-5 ledger:7-9", "not ledger:FIRST"),
        ("the desk ledger:1-5", "not ledger:FIRST"),
        ("ledger:5-4", "ends before it begins"),
    ],
)
def test_a_malformed_range_is_no_comment(comment: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        one(f"elm/front {KEY} {comment}")
