"""What CI attests about a release, cosign and the stock library verify too, and the reverse.

An auditor needs nothing of ours: the subject of a release is the SHA-256 of the raw commit, which
``git cat-file commit`` prints.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy

from reconciler.errors import EvidenceError
from reconciler.evidence.canonical import encode
from reconciler.keyless.bundles import Verified, sign_statement, verify_statement
from reconciler.keyless.identity import Identity
from tests.support.cosign import ALIKE, Cosign
from tests.support.sigstore import TestSigstore
from tests.support.sigstore.encoding import sha256

pytestmark = [pytest.mark.conformance, pytest.mark.enable_socket]

WHO = "ci@msp.example"
COMMIT = (
    b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@msp.example> 1 +0000\n\nFirst\n"
)
KIND = "urn:reconciler:attestation:fleet-release:v1"
RELEASE = encode(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "predicate": {"branch": "main", "systems": {}},
        "predicateType": KIND,
        "subject": [{"digest": {"sha256": sha256(COMMIT).hex()}, "name": "commit"}],
    }
)
ATTESTATION = "verify-blob-attestation"


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestSigstore]:
    with TestSigstore(tmp_path_factory.mktemp("sigstore")) as running:
        yield running


@pytest.fixture
def cosign(tmp_path: Path) -> Cosign:
    return Cosign.find(tmp_path)


def sign(sigstore: TestSigstore, rekor: int) -> str:
    config = sigstore.client_trust_config(rekor=rekor)
    token = sigstore.identity_token(WHO)
    return sign_statement(RELEASE, trust_config=config, identity_token=token)


def ours(sigstore: TestSigstore, bundle: str) -> Verified:
    root = sigstore.trusted_root.read_bytes()
    who = [Identity("ci", sigstore.issuer, WHO)]
    return verify_statement(bundle, trusted_root=root, identities=who)


def theirs(
    cosign: Cosign,
    sigstore: TestSigstore,
    bundle: str,
    *,
    who: str = WHO,
    kind: str = KIND,
    commit: bytes = COMMIT,
) -> bool:
    file = cosign.file("commit", commit)
    done = cosign.verify(ATTESTATION, sigstore, bundle, who, "--type", kind, str(file))
    return done.returncode == 0


@pytest.mark.parametrize("rekor", [1, 2])
def test_the_stock_library_verifies_what_we_sign(sigstore: TestSigstore, rekor: int) -> None:
    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(sigstore.trusted_root)))
    identity = policy.Identity(identity=WHO, issuer=sigstore.issuer)
    bundle = Bundle.from_json(sign(sigstore, rekor))

    assert verifier.verify_dsse(bundle, identity) == ("application/vnd.in-toto+json", RELEASE)


@pytest.mark.parametrize("rekor", [1, 2])
def test_cosign_verifies_what_we_attest_and_nothing_else(
    sigstore: TestSigstore, cosign: Cosign, rekor: int
) -> None:
    bundle = sign(sigstore, rekor)

    done = cosign.verify(
        ATTESTATION, sigstore, bundle, WHO, "--type", KIND, str(cosign.file("commit", COMMIT))
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert not theirs(cosign, sigstore, bundle, who="somebody@msp.example")
    assert not theirs(cosign, sigstore, bundle, kind=KIND.replace("release", "heartbeat"))
    assert not theirs(cosign, sigstore, bundle, commit=COMMIT + b"x")


@pytest.mark.parametrize("rekor", [1, 2])
def test_we_verify_what_cosign_attests(sigstore: TestSigstore, cosign: Cosign, rekor: int) -> None:
    predicate = cosign.file("predicate", b'{"branch": "main"}')
    told = ["--type", KIND, "--predicate", str(predicate), str(cosign.file("commit", COMMIT))]

    verified = ours(sigstore, cosign.sign("attest-blob", sigstore, rekor, WHO, *told))

    said = json.loads(verified.payload)
    assert said["predicateType"] == KIND
    assert said["predicate"] == {"branch": "main"}
    assert said["subject"][0]["digest"] == {"sha256": sha256(COMMIT).hex()}


def test_cosign_refuses_what_we_refuse(sigstore: TestSigstore, cosign: Cosign) -> None:
    for fault in ALIKE:
        with sigstore.corrupted(fault):
            bundle = sigstore.statement(RELEASE, WHO)
        with pytest.raises(EvidenceError):
            ours(sigstore, bundle)
        assert not theirs(cosign, sigstore, bundle), fault


def test_a_file_with_a_statement_in_it_is_no_attestation_to_either(
    sigstore: TestSigstore, cosign: Cosign
) -> None:
    bundle = sigstore.bundle(RELEASE, WHO)
    with pytest.raises(EvidenceError):
        ours(sigstore, bundle)
    assert not theirs(cosign, sigstore, bundle)
