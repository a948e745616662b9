"""Statements that lie: whichever part of a sigstore bundle is wrong, nobody attested anything.

Nothing here may use a socket; `TestSigstore.statement` makes bundles in this process.
"""

import json
import socket
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_socket import SocketBlockedError

from reconciler.errors import EvidenceError, InputError
from reconciler.keyless.bundles import (
    MAX_BUNDLE,
    MAX_PAYLOAD,
    MAX_TRUST,
    Verified,
    verify_blob,
    verify_statement,
)
from reconciler.keyless.identity import Identity
from tests.support.sigstore import Fault, TestSigstore
from tests.support.sigstore.encoding import b64, canonical

REPOSITORY = "https://github.com/msp/fleet"
WORKFLOW = f"{REPOSITORY}/.github/workflows/attest.yml@refs/heads/main"
GITHUB = {
    "job_workflow_ref": WORKFLOW.removeprefix("https://github.com/"),
    "repository": "msp/fleet",
}
SUBJECT = "repo:msp/fleet:ref:refs/heads/main"
RELEASE = canonical(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "predicate": {"branch": "main", "commit": "ab" * 20},
        "predicateType": "urn:reconciler:attestation:fleet-release:v1",
        "subject": [{"digest": {"sha256": "cd" * 32}, "name": "commit"}],
    }
)
OTHER_RELEASE = RELEASE.replace(b"abab", b"acac")
ONLY_VERSION_1 = {Fault.PROMISE_BY_OTHER_KEY, Fault.PROMISE_MOVED, Fault.NO_PROMISE}
# The first version of the log gives a time itself: there, a timestamp may be missing.
ONLY_VERSION_2 = {Fault.NO_TIMESTAMP}
CASES = [
    pytest.param(version, fault, id=f"rekor{version}-{fault.name.lower()}")
    for version, others in ((1, ONLY_VERSION_2), (2, ONLY_VERSION_1))
    for fault in Fault
    if fault not in others
]
ENVELOPE = ("dsseEnvelope",)
MATERIAL = ("verificationMaterial",)
ENTRY = (*MATERIAL, "tlogEntries", 0)
PROOF = (*ENTRY, "inclusionProof")


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> TestSigstore:
    return TestSigstore(tmp_path_factory.mktemp("sigstore"))


@pytest.fixture(scope="module")
def honest(sigstore: TestSigstore) -> dict[int, str]:
    return {v: sigstore.statement(RELEASE, SUBJECT, rekor=v, **GITHUB) for v in (1, 2)}


def ci(sigstore: TestSigstore, **changes: Any) -> Identity:
    fields = {
        "name": "ci-release",
        "issuer": sigstore.issuer,
        "identity": WORKFLOW,
        "repository": REPOSITORY,
    }
    return Identity(**fields | changes)


def verify(sigstore: TestSigstore, bundle: str, *who: Identity) -> Verified:
    root = sigstore.trusted_root.read_bytes()
    return verify_statement(bundle, trusted_root=root, identities=who or [ci(sigstore)])


def at(document: Any, *path: Any) -> Any:
    for step in path:
        document = document[step]
    return document


def put(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        at(document, *path[:-1])[path[-1]] = value

    return change


def flip(*path: Any) -> Callable[[Any], None]:
    """One bit of what is written in base64, in the middle of it."""

    def change(document: Any) -> None:
        data = bytearray(b64decode(at(document, *path)))
        data[len(data) // 2] ^= 1
        put(*path, value=b64(bytes(data)))(document)

    return change


def changed(bundle: str, change: Callable[[Any], None]) -> str:
    value = json.loads(bundle)
    change(value)
    return json.dumps(value)


def test_an_honest_bundle_gives_back_what_was_signed_without_a_network(
    sigstore: TestSigstore, honest: dict[int, str]
) -> None:
    with pytest.warns(UserWarning, match="socket"), pytest.raises(SocketBlockedError):
        socket.socket()
    for bundle in honest.values():
        verified = verify(sigstore, bundle)
        assert verified.payload == RELEASE
        assert verified.identity == ci(sigstore)
        assert verified.at.utcoffset() is not None
        assert f"signed by {WORKFLOW}" in verified.detail


@pytest.mark.parametrize(("version", "fault"), CASES)
def test_a_bundle_with_one_part_wrong_is_refused(
    sigstore: TestSigstore, version: int, fault: Fault
) -> None:
    with sigstore.corrupted(fault):
        bundle = sigstore.statement(RELEASE, SUBJECT, rekor=version, **GITHUB)
    with pytest.raises(EvidenceError) as caught:
        verify(sigstore, bundle)
    assert caught.value.hint


CORRUPTED = {
    "certificate": flip(*MATERIAL, "certificate", "rawBytes"),
    "signature": flip(*ENVELOPE, "signatures", 0, "sig"),
    "payload": flip(*ENVELOPE, "payload"),
    "other-payload": put(*ENVELOPE, "payload", value=b64(OTHER_RELEASE)),
    "empty-payload": put(*ENVELOPE, "payload", value=""),
    "payload-type": put(*ENVELOPE, "payloadType", value="application/vnd.in-toto+jsox"),
    "log-entry": flip(*ENTRY, "canonicalizedBody"),
    "inclusion-proof": flip(*PROOF, "hashes", 0),
    "no-hashes": put(*PROOF, "hashes", value=[]),
    "root-hash": flip(*PROOF, "rootHash"),
    "tree-size": put(*PROOF, "treeSize", value="9"),
    "checkpoint": lambda v: put(
        *PROOF, "checkpoint", "envelope", value=at(v, *PROOF, "checkpoint", "envelope")[1:]
    )(v),
    "timestamp": flip(
        *MATERIAL, "timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp"
    ),
    "log-id": put(*ENTRY, "logId", "keyId", value=b64(b"\0" * 32)),
    "kind": put(*ENTRY, "kindVersion", "kind", value="intoto"),
    "two-entries": lambda v: at(v, *MATERIAL, "tlogEntries").append(at(v, *ENTRY)),
    "two-signatures": lambda v: at(v, *ENVELOPE, "signatures").append(
        at(v, *ENVELOPE, "signatures", 0)
    ),
    "no-signatures": put(*ENVELOPE, "signatures", value=[]),
    "name-of-a-key": put(*ENVELOPE, "signatures", 0, "keyid", value="SHA256:x"),
    "field-of-the-envelope": put(*ENVELOPE, "note", value="hello"),
    "field-of-a-signature": put(*ENVELOPE, "signatures", 0, "cert", value="AAAA"),
    "field-of-the-bundle": put("note", value="hello"),
    "base64-with-junk": lambda v: put(
        *ENVELOPE, "payload", value=at(v, *ENVELOPE, "payload") + "!"
    )(v),
    "old-form": put("mediaType", value="application/vnd.dev.sigstore.bundle+json;version=0.2"),
}


@pytest.mark.parametrize("name", CORRUPTED)
@pytest.mark.parametrize("version", [1, 2])
def test_a_corrupted_part_is_refused(
    sigstore: TestSigstore, honest: dict[int, str], version: int, name: str
) -> None:
    bundle = changed(honest[version], CORRUPTED[name])
    assert bundle != honest[version]
    with pytest.raises(EvidenceError):
        verify(sigstore, bundle)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    "part", ["certificate", "tlogEntries", "timestampVerificationData", "dsseEnvelope"]
)
def test_a_part_of_another_honest_bundle_is_refused(
    sigstore: TestSigstore, honest: dict[int, str], version: int, part: str
) -> None:
    other = json.loads(sigstore.statement(OTHER_RELEASE, SUBJECT, rekor=version, **GITHUB))

    def swap(value: Any) -> None:
        place = MATERIAL if part in value["verificationMaterial"] else ()
        at(value, *place)[part] = at(other, *place)[part]

    with pytest.raises(EvidenceError):
        verify(sigstore, changed(honest[version], swap))


@pytest.mark.parametrize(
    "change",
    [
        {"identity": WORKFLOW.replace("main", "try")},
        {"identity": WORKFLOW.replace("attest.yml", "gate.yml")},
        {"identity": WORKFLOW + "x"},
        {"identity": WORKFLOW[:-1]},
        {"identity": WORKFLOW.upper()},
        {"identity": SUBJECT},
        {"identity": ".*"},
        {"issuer": "https://token.actions.githubusercontent.com"},
        {"issuer": "http://127.0.0.1/oidc/"},
        {"repository": "https://github.com/msp/other"},
        {"repository": f"{REPOSITORY}/"},
    ],
    ids=str,
)
def test_somebody_else_is_refused(
    sigstore: TestSigstore, honest: dict[int, str], change: dict[str, str]
) -> None:
    for bundle in honest.values():
        with pytest.raises(EvidenceError, match="somebody other than ci-release signed"):
            verify(sigstore, bundle, ci(sigstore, **change))


@pytest.mark.parametrize(
    "claims",
    [
        GITHUB
        | {"job_workflow_ref": GITHUB["job_workflow_ref"].replace("heads/main", "pull/7/merge")},
        GITHUB | {"job_workflow_ref": "mallory/fleet/.github/workflows/attest.yml@refs/heads/main"},
        GITHUB | {"repository": "mallory/fleet"},
        GITHUB | {"issuer_v2": "https://evil.example"},
        {"repository": "msp/fleet"},
        {},
    ],
    ids=["pull-request", "fork", "called-from-elsewhere", "two-issuers", "no-workflow", "nothing"],
)
def test_a_job_that_is_not_the_one_that_is_named_is_refused(
    sigstore: TestSigstore, claims: dict[str, str]
) -> None:
    bundle = sigstore.statement(RELEASE, SUBJECT, **claims)
    with pytest.raises(EvidenceError, match="somebody other"):
        verify(sigstore, bundle)


def test_the_one_of_several_that_signed_is_named(
    sigstore: TestSigstore, honest: dict[int, str]
) -> None:
    other = ci(sigstore, name="other", identity=WORKFLOW.replace("main", "try"))
    for who in ((other, ci(sigstore)), (ci(sigstore), other)):
        assert verify(sigstore, honest[2], *who).identity.name == "ci-release"


@pytest.mark.parametrize("version", [1, 2])
def test_a_bundle_of_a_file_is_no_statement_even_if_the_file_is_one(
    sigstore: TestSigstore, version: int
) -> None:
    bundle = sigstore.bundle(RELEASE, SUBJECT, rekor=version, **GITHUB)
    root = sigstore.trusted_root.read_bytes()
    who = [ci(sigstore)]
    assert verify_blob(RELEASE, bundle, trusted_root=root, identities=who).payload == RELEASE
    with pytest.raises(EvidenceError, match="is not a signed statement"):
        verify(sigstore, bundle)


def test_a_signed_statement_is_no_bundle_of_a_file(
    sigstore: TestSigstore, honest: dict[int, str]
) -> None:
    root = sigstore.trusted_root.read_bytes()
    for bundle in honest.values():
        with pytest.raises(EvidenceError, match="over a file"):
            verify_blob(RELEASE, bundle, trusted_root=root, identities=[ci(sigstore)])


@pytest.mark.parametrize("first", ["dsseEnvelope", "messageSignature"])
def test_a_bundle_around_both_is_neither(
    sigstore: TestSigstore, honest: dict[int, str], first: str
) -> None:
    """The library takes the time of one and the signature of the other."""
    both = json.loads(honest[2]) | {
        "messageSignature": json.loads(sigstore.bundle(RELEASE, SUBJECT, **GITHUB))[
            "messageSignature"
        ]
    }
    text = json.dumps({first: both[first], **both})
    root = sigstore.trusted_root.read_bytes()
    with pytest.raises(EvidenceError):
        verify(sigstore, text)
    with pytest.raises(EvidenceError):
        verify_blob(RELEASE, text, trusted_root=root, identities=[ci(sigstore)])


@pytest.mark.parametrize("kind", ["text/plain", "", "application/vnd.in-toto+json; v=1"])
@pytest.mark.parametrize("version", [1, 2])
def test_an_envelope_around_anything_but_a_statement_is_refused(
    sigstore: TestSigstore, version: int, kind: str
) -> None:
    """Honestly signed and logged, as another type."""
    bundle = sigstore.statement(RELEASE, SUBJECT, rekor=version, payload_type=kind, **GITHUB)
    with pytest.raises(EvidenceError, match="not an in-toto statement"):
        verify(sigstore, bundle)


def test_a_statement_comes_back_as_it_was_signed_whatever_it_is(sigstore: TestSigstore) -> None:
    """Reading it strictly is the caller's part: nothing is parsed, changed or completed here."""
    for payload in (b"\x00", b"{}", b'{"a": 1, "a": 2}', RELEASE + b"\n"):
        assert verify(sigstore, sigstore.statement(payload, SUBJECT, **GITHUB)).payload == payload


@pytest.mark.parametrize("size", [0, MAX_PAYLOAD + 1])
def test_a_statement_of_no_size_that_could_be_is_refused(sigstore: TestSigstore, size: int) -> None:
    bundle = sigstore.statement(b"x" * size, SUBJECT, **GITHUB)
    with pytest.raises(EvidenceError):
        verify(sigstore, bundle)


def test_the_largest_statement_fits_into_the_largest_bundle(sigstore: TestSigstore) -> None:
    bundle = sigstore.statement(b"x" * MAX_PAYLOAD, SUBJECT, rekor=1, **GITHUB)
    assert len(bundle) <= MAX_BUNDLE
    assert verify(sigstore, bundle).payload == b"x" * MAX_PAYLOAD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '"' + "x" * 100 + '"',
        "[" * 100_000,
        '{"a":' * 20_000,
        "{" + " " * MAX_BUNDLE + "}",
        '{"mediaType": NaN}',
        "\ud800",
        "\x00",
    ],
    ids=range(11),
)
def test_what_is_no_bundle_is_refused(sigstore: TestSigstore, text: str) -> None:
    with pytest.raises(EvidenceError, match="bundle"):
        verify(sigstore, text)


def test_a_key_that_is_there_twice_is_refused(
    sigstore: TestSigstore, honest: dict[int, str]
) -> None:
    twice = '{"dsseEnvelope": {}, ' + honest[2].removeprefix("{")
    with pytest.raises(EvidenceError, match="a key is there twice"):
        verify(sigstore, twice)


def test_nobody_is_trusted_by_default(sigstore: TestSigstore, honest: dict[int, str]) -> None:
    root = sigstore.trusted_root.read_bytes()
    with pytest.raises(InputError, match="no identity may sign"):
        verify_statement(honest[2], trusted_root=root, identities=[])


@pytest.mark.parametrize("root", [b"", b"{}", b"[]", b"\xff", b"x" * (MAX_TRUST + 1)], ids=range(5))
def test_what_is_no_trusted_root_is_refused(
    sigstore: TestSigstore, honest: dict[int, str], root: bytes
) -> None:
    with pytest.raises(InputError) as caught:
        verify_statement(honest[2], trusted_root=root, identities=[ci(sigstore)])
    assert caught.value.hint


def test_another_sigstore_is_refused(
    sigstore: TestSigstore, honest: dict[int, str], tmp_path: Any
) -> None:
    root = TestSigstore(tmp_path).trusted_root.read_bytes()
    for bundle in honest.values():
        with pytest.raises(EvidenceError, match="does not verify"):
            verify_statement(bundle, trusted_root=root, identities=[ci(sigstore)])


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_changed_byte_makes_a_bundle_say_anything_else(
    sigstore: TestSigstore, honest: dict[int, str], data: st.DataObject
) -> None:
    bundle = honest[data.draw(st.sampled_from([1, 2]))]
    place = data.draw(st.integers(0, len(bundle) - 1))
    letter = data.draw(st.sampled_from('0A/="{}[],:9z\\ \x00é'))
    try:
        verified = verify(sigstore, bundle[:place] + letter + bundle[place + 1 :])
    except EvidenceError:
        return
    assert verified == verify(sigstore, bundle)
