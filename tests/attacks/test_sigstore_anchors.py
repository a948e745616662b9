"""Bundles that lie: whichever part of a sigstore signature is wrong, the anchor is refused.

Nothing here may use a socket; `TestSigstore.bundle` makes bundles in this process.
"""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_socket import SocketBlockedError
from sigstore import _store

from reconciler.errors import EvidenceError, InputError
from reconciler.keyless.bundles import MAX_TRUST
from reconciler.keyless.identity import Identity
from reconciler.ledger.anchors.model import MAX_PROOF, TimeProof
from reconciler.ledger.anchors.sigstore import MAX_NOTE, verify_note
from tests.support.certificates import Issuer
from tests.support.sigstore import Fault, TestSigstore
from tests.support.sigstore.encoding import b64, der

NOTE = b"reconciler/smile/desk\n7\nAAAA\n\n\xe2\x80\x94 reconciler/smile/desk BBBB\n"
WORKFLOW = "https://github.com/smile/evidence/.github/workflows/checkpoint.yml@refs/heads/main"
GITHUB = {
    "job_workflow_ref": WORKFLOW.removeprefix("https://github.com/"),
    "repository": "smile/evidence",
}
SUBJECT = "repo:smile/evidence:ref:refs/heads/main"
ONLY_VERSION_1 = {Fault.PROMISE_BY_OTHER_KEY, Fault.PROMISE_MOVED, Fault.NO_PROMISE}
# The first version of the log gives a time itself: there, a timestamp may be missing.
ONLY_VERSION_2 = {Fault.NO_TIMESTAMP}
CASES = [
    pytest.param(version, fault, id=f"rekor{version}-{fault.name.lower()}")
    for version, others in ((1, ONLY_VERSION_2), (2, ONLY_VERSION_1))
    for fault in Fault
    if fault not in others
]


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> TestSigstore:
    return TestSigstore(tmp_path_factory.mktemp("sigstore"))


@pytest.fixture(scope="module")
def honest(sigstore: TestSigstore) -> dict[int, str]:
    return {v: sigstore.bundle(NOTE, SUBJECT, rekor=v, **GITHUB) for v in (1, 2)}


def ci(sigstore: TestSigstore, **changes: Any) -> Identity:
    fields = {
        "name": "ci",
        "issuer": sigstore.issuer,
        "identity": WORKFLOW,
        "repository": "https://github.com/smile/evidence",
    }
    return Identity(**fields | changes)


def verify(sigstore: TestSigstore, bundle: str, note: bytes = NOTE) -> TimeProof:
    root = sigstore.trusted_root
    return verify_note(note, bundle, trusted_root=root, identities=[ci(sigstore)])


def changed(bundle: str, change: Callable[[Any], None]) -> str:
    value = json.loads(bundle)
    change(value)
    return json.dumps(value)


def entry(value: Any) -> Any:
    return value["verificationMaterial"]["tlogEntries"][0]


def test_honest_bundles_are_proof_of_a_time_without_a_network(
    sigstore: TestSigstore, honest: dict[int, str]
) -> None:
    with pytest.warns(UserWarning, match="socket"), pytest.raises(SocketBlockedError):
        socket.socket()
    for bundle in honest.values():
        proof = verify(sigstore, bundle)
        assert proof.proven
        assert proof.authority == "ci"
        assert WORKFLOW in proof.detail
        assert "time-stamping authority at" in proof.detail


@pytest.mark.parametrize(("version", "fault"), CASES)
def test_a_bundle_with_one_part_wrong_is_refused(
    sigstore: TestSigstore, version: int, fault: Fault
) -> None:
    with sigstore.corrupted(fault):
        bundle = sigstore.bundle(NOTE, SUBJECT, rekor=version, **GITHUB)
    with pytest.raises(EvidenceError) as caught:
        verify(sigstore, bundle)
    assert caught.value.hint


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("note", [NOTE + b"\n", NOTE[:-1], NOTE.replace(b"7", b"8"), b"x"])
def test_other_bytes_are_refused(
    sigstore: TestSigstore, honest: dict[int, str], version: int, note: bytes
) -> None:
    with pytest.raises(EvidenceError, match="does not verify"):
        verify(sigstore, honest[version], note)


@pytest.mark.parametrize("note", [b"", b"x" * (MAX_NOTE + 1)], ids=["empty", "large"])
def test_what_is_no_note_is_refused(
    sigstore: TestSigstore, honest: dict[int, str], note: bytes
) -> None:
    with pytest.raises(EvidenceError, match="a note has 1 to"):
        verify(sigstore, honest[2], note)


@pytest.mark.parametrize(
    "change",
    [
        {"identity": WORKFLOW.replace("main", "fork")},
        {"identity": WORKFLOW + "x"},
        {"identity": WORKFLOW[:-1]},
        {"identity": WORKFLOW.upper()},
        {"identity": SUBJECT},
        {"identity": ".*"},
        {"issuer": "https://token.actions.githubusercontent.com"},
        {"issuer": "http://127.0.0.1/oidc/"},
        {"repository": "https://github.com/smile/other"},
        {"repository": "https://github.com/smile/evidence/"},
    ],
    ids=str,
)
def test_somebody_else_is_refused(
    sigstore: TestSigstore, honest: dict[int, str], change: dict[str, str]
) -> None:
    with pytest.raises(EvidenceError, match="somebody other than ci signed"):
        verify_note(
            NOTE,
            honest[2],
            trusted_root=sigstore.trusted_root,
            identities=[ci(sigstore, **change)],
        )


def test_a_shared_workflow_called_from_elsewhere_is_refused(sigstore: TestSigstore) -> None:
    claims = GITHUB | {"repository": "mallory/evidence"}
    bundle = sigstore.bundle(NOTE, SUBJECT, **claims)
    with pytest.raises(EvidenceError, match="somebody other"):
        verify(sigstore, bundle)


def test_an_issuer_that_is_named_only_in_the_old_place_is_refused(sigstore: TestSigstore) -> None:
    """The two extensions that name the issuer must agree."""
    bundle = sigstore.bundle(NOTE, SUBJECT, **GITHUB | {"issuer_v2": "https://evil.example"})
    with pytest.raises(EvidenceError, match="somebody other"):
        verify(sigstore, bundle)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    "part", ["certificate", "tlogEntries", "timestampVerificationData", "messageSignature"]
)
def test_a_part_of_another_honest_bundle_is_refused(
    sigstore: TestSigstore, honest: dict[int, str], version: int, part: str
) -> None:
    other = json.loads(sigstore.bundle(b"another note", SUBJECT, rekor=version, **GITHUB))

    def swap(value: Any) -> None:
        inside = part in value["verificationMaterial"]
        theirs = other["verificationMaterial"] if inside else other
        (value["verificationMaterial"] if inside else value)[part] = theirs[part]

    with pytest.raises(EvidenceError):
        verify(sigstore, changed(honest[version], swap))


def _set(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


ENTRY = ("verificationMaterial", "tlogEntries", 0)
CHANGES = {
    "old-form": _set("mediaType", value="application/vnd.dev.sigstore.bundle+json;version=0.2"),
    "alternative-form": _set(
        "mediaType", value="application/vnd.dev.sigstore.bundle+json;version=0.3"
    ),
    "another-key": _set("note", value="hello"),
    "a-null": _set("dsseEnvelope", value=None),
    "no-entry": _set("verificationMaterial", "tlogEntries", value=[]),
    "a-time-that-nobody-signed": _set(*ENTRY, "integratedTime", value="1700000000"),
    "a-time-by-its-other-name": _set(*ENTRY, "integrated_time", value="1700000000"),
    "a-time-out-of-range": _set(*ENTRY, "integratedTime", value="9" * 19),
    "a-place-that-nobody-signed": _set(*ENTRY, "logIndex", value="1"),
    "a-place-beyond-the-log": _set(*ENTRY, "inclusionProof", "logIndex", value="9" * 19),
    "a-log-that-nobody-trusts": _set(*ENTRY, "logId", "keyId", value=b64(b"\0" * 32)),
    "an-empty-checkpoint": _set(*ENTRY, "inclusionProof", "checkpoint", "envelope", value=""),
    "no-signature": _set("messageSignature", "signature", value=""),
    "base64-with-junk": lambda v: v["messageSignature"].update(
        signature=v["messageSignature"]["signature"] + "!"
    ),
    "a-promise-in-version-2": _set(
        *ENTRY, "inclusionPromise", value={"signedEntryTimestamp": "AAAA"}
    ),
    "a-timestamp-twice": lambda v: v["verificationMaterial"]["timestampVerificationData"][
        "rfc3161Timestamps"
    ].extend(v["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]),
    "many-timestamps": lambda v: v["verificationMaterial"]["timestampVerificationData"].update(
        rfc3161Timestamps=[{"signedTimestamp": "AAAA"}] * 40
    ),
    "an-empty-timestamp": _set(
        "verificationMaterial",
        "timestampVerificationData",
        "rfc3161Timestamps",
        value=[{"signedTimestamp": ""}],
    ),
    "an-envelope": lambda v: (
        v.pop("messageSignature"),
        v.update(
            dsseEnvelope={"payload": "e30=", "payloadType": "x", "signatures": [{"sig": "AAAA"}]}
        ),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_bundle_is_refused(
    sigstore: TestSigstore, honest: dict[int, str], name: str
) -> None:
    with pytest.raises(EvidenceError):
        verify(sigstore, changed(honest[2], CHANGES[name]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '"' + "x" * 100 + '"',
        "[" * 60_000,
        '{"a":' * 10_000,
        "{" + " " * MAX_PROOF + "}",
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
    twice = '{"mediaType": "application/x", ' + honest[2].removeprefix("{")
    with pytest.raises(EvidenceError, match="a key is there twice"):
        verify(sigstore, twice)


@pytest.mark.parametrize("kind", ["p256", "rsa", "ed25519", "garbage", "empty"])
def test_a_certificate_of_ones_own_is_refused(
    sigstore: TestSigstore, honest: dict[int, str], kind: str
) -> None:
    def change(value: Any) -> None:
        value["verificationMaterial"]["certificate"]["rawBytes"] = b64(strange(kind))

    with pytest.raises(EvidenceError):
        verify(sigstore, changed(honest[2], change))


def strange(kind: str) -> bytes:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    if kind in ("garbage", "empty"):
        return b"\x30\x03\x02\x01\x00" if kind == "garbage" else b""
    now = datetime.now(UTC)
    start, end = now - timedelta(days=1), now + timedelta(days=1)
    issuer = Issuer.root("own", start, end)
    if kind == "p256":
        return der(issuer.issue("leaf", start, end).certificate)
    keys = {"rsa": lambda: rsa.generate_private_key(65537, 2048)}
    key = keys.get(kind, ed25519.Ed25519PrivateKey.generate)()
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, end)
    assert isinstance(issuer.key, ec.EllipticCurvePrivateKey)
    return der(builder.sign(issuer.key, hashes.SHA256()))


@given(data=st.data())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_no_changed_byte_makes_a_bundle_say_anything_else(
    sigstore: TestSigstore, honest: dict[int, str], data: st.DataObject
) -> None:
    bundle = honest[data.draw(st.sampled_from([1, 2]))]
    place = data.draw(st.integers(0, len(bundle) - 1))
    letter = data.draw(st.sampled_from('0A/="{}[],:9z\\ \x00é'))
    try:
        proof = verify(sigstore, bundle[:place] + letter + bundle[place + 1 :])
    except EvidenceError:
        return
    assert proof == verify(sigstore, bundle)


@given(data=st.data())
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_no_value_of_another_type_gets_through(
    sigstore: TestSigstore, honest: dict[int, str], data: st.DataObject
) -> None:
    """The structure stays JSON; what the parsers behind it raise must stay inside."""
    value = json.loads(honest[data.draw(st.sampled_from([1, 2]))])
    before = json.dumps(value)
    holder: Any = value
    while True:
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else [0]))
        if not isinstance(holder[key], dict | list) or not holder[key]:
            break
        if data.draw(st.booleans()) and holder is not value:
            break
        holder = holder[key]
    holder[key] = data.draw(
        st.none()
        | st.booleans()
        | st.integers(-1, 2**70)
        | st.text(max_size=8)
        | st.binary(max_size=80).map(b64)
        | st.lists(st.text(max_size=3), max_size=2)
        | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
    )
    try:
        proof = verify(sigstore, json.dumps(value))
    except EvidenceError:
        return
    # What can be left out is a time, where there is another.
    honest_proof = verify(sigstore, before)
    who, _, times = proof.detail.partition(", seen by ")
    assert honest_proof.detail.startswith(who)
    assert all(time in honest_proof.detail for time in times.split(" and "))


def test_nobody_is_trusted_by_default(sigstore: TestSigstore, honest: dict[int, str]) -> None:
    with pytest.raises(InputError, match="no identity may sign"):
        verify_note(NOTE, honest[2], trusted_root=sigstore.trusted_root, identities=[])


@pytest.mark.parametrize(
    "change",
    [{"name": "CI job"}, {"name": ""}, {"issuer": ""}, {"identity": ""}, {"repository": ""}],
    ids=str,
)
def test_an_identity_is_named_whole(sigstore: TestSigstore, change: dict[str, str]) -> None:
    with pytest.raises(InputError):
        ci(sigstore, **change)


def _root(sigstore: TestSigstore, tmp_path: Path, change: Callable[[Any], None]) -> Path:
    path = tmp_path / "root.json"
    path.write_text(changed(sigstore.trusted_root.read_text(), change))
    return path


@pytest.mark.parametrize("part", ["tlogs", "certificateAuthorities", "ctlogs"])
def test_a_trusted_root_that_lacks_a_part_is_said_to(
    sigstore: TestSigstore, honest: dict[int, str], tmp_path: Path, part: str
) -> None:
    root = _root(sigstore, tmp_path, lambda v: v.update({part: []}))
    with pytest.raises(InputError, match="the trusted root cannot be used"):
        verify_note(NOTE, honest[2], trusted_root=root, identities=[ci(sigstore)])


def test_a_trusted_root_without_the_authority_of_a_timestamp_proves_no_time(
    sigstore: TestSigstore, honest: dict[int, str], tmp_path: Path
) -> None:
    root = _root(sigstore, tmp_path, lambda v: v.update(timestampAuthorities=[]))
    for bundle in honest.values():
        with pytest.raises(EvidenceError, match="does not verify"):
            verify_note(NOTE, bundle, trusted_root=root, identities=[ci(sigstore)])


@pytest.mark.parametrize("text", [None, "", "{}", "[]", "x" * (MAX_TRUST + 1)], ids=range(5))
def test_a_file_that_is_no_trusted_root_is_refused(
    sigstore: TestSigstore, honest: dict[int, str], tmp_path: Path, text: str | None
) -> None:
    root = tmp_path / "root.json"
    if text is not None:
        root.write_text(text)
    with pytest.raises(InputError) as caught:
        verify_note(NOTE, honest[2], trusted_root=root, identities=[ci(sigstore)])
    assert caught.value.hint


def test_another_sigstore_is_refused(honest: dict[int, str], tmp_path: Path) -> None:
    other = TestSigstore(tmp_path)
    with pytest.raises(EvidenceError, match="does not verify"):
        verify(other, honest[2])


@pytest.mark.parametrize("house", ["sigstore.dev", "sigstage.dev"])
def test_the_public_roots_can_be_read_and_trust_nothing_of_ours(
    sigstore: TestSigstore, honest: dict[int, str], house: str
) -> None:
    (root,) = Path(next(iter(_store.__path__))).glob(f"*{house}/trusted_root.json")
    for bundle in honest.values():
        with pytest.raises(EvidenceError, match="does not verify"):
            verify_note(NOTE, bundle, trusted_root=root, identities=[ci(sigstore)])


def test_the_time_of_a_log_whose_key_was_retired_proves_nothing(
    sigstore: TestSigstore, tmp_path: Path
) -> None:
    bundle = sigstore.bundle(NOTE, SUBJECT, rekor=1, timestamps=False, **GITHUB)
    retired = {"start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z"}

    def retire(value: Any) -> None:
        for log in value["tlogs"]:
            log["publicKey"]["validFor"] = retired

    assert verify(sigstore, bundle).proven
    with pytest.raises(EvidenceError, match="did not have this key at"):
        verify_note(
            NOTE,
            bundle,
            trusted_root=_root(sigstore, tmp_path, retire),
            identities=[ci(sigstore)],
        )
