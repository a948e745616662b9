"""Stock Sigstore clients agree: what one signs here, the others verify, and the other way round.

sigstore-python's own command line is always there; cosign is optional, see `tests.support.cosign`.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sigstore import dsse
from sigstore.models import Bundle, ClientTrustConfig, TrustedRoot
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier, policy

from reconciler.errors import EvidenceError
from reconciler.keyless.identity import Identity
from reconciler.ledger.anchors.sigstore import sign_note, verify_note
from tests.support.cosign import ALIKE, Cosign
from tests.support.sigstore import TestSigstore

pytestmark = [pytest.mark.conformance, pytest.mark.enable_socket]

NOTE = b"reconciler/smile/desk\n7\nAAAA\n\n\xe2\x80\x94 reconciler/smile/desk BBBB\n"
WHO = "ci@clinic.example"


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestSigstore]:
    with TestSigstore(tmp_path_factory.mktemp("sigstore")) as running:
        yield running


@pytest.fixture
def cosign(tmp_path: Path) -> Cosign:
    return Cosign.find(tmp_path)


def verify(cosign: Cosign, sigstore: TestSigstore, bundle: str, who: str = WHO) -> bool:
    note = cosign.file("note", NOTE)
    return cosign.verify("verify-blob", sigstore, bundle, who, str(note)).returncode == 0


def ours(sigstore: TestSigstore, bundle: str) -> bool:
    who = [Identity("ci", sigstore.issuer, WHO)]
    return verify_note(NOTE, bundle, trusted_root=sigstore.trusted_root, identities=who).proven


@pytest.mark.parametrize("rekor", [1, 2])
def test_the_stock_command_line_verifies_what_we_sign(
    sigstore: TestSigstore, tmp_path: Path, rekor: int
) -> None:
    config, note = sigstore.client_trust_config(rekor=rekor), tmp_path / "note"
    note.write_bytes(NOTE)
    bundle = tmp_path / "bundle.json"
    token = sigstore.identity_token(WHO)
    bundle.write_text(sign_note(NOTE, trust_config=config, identity_token=token))
    command = [sys.executable, "-m", "sigstore", "--trust-config", str(config)]
    who = ["--cert-identity", WHO, "--cert-oidc-issuer", sigstore.issuer]
    verify = [*command, "verify", "identity", "--offline", "--bundle", str(bundle), *who]

    done = subprocess.run([*verify, str(note)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "OK:" in done.stdout + done.stderr

    note.write_bytes(NOTE + b"x")
    done = subprocess.run([*verify, str(note)], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0


@pytest.mark.parametrize("rekor", [1, 2])
def test_attestations_too_are_signed_and_verified_by_the_stock_library(
    sigstore: TestSigstore, rekor: int
) -> None:
    """Not used for checkpoints: the private Sigstore serves whatever else is to be signed."""
    config = ClientTrustConfig.from_json(sigstore.client_trust_config(rekor=rekor).read_text())
    subject = dsse.Subject(name="release", digest={"sha256": "ab" * 32})
    statement = dsse.StatementBuilder([subject], "https://clinic.example/v1", {"a": 1}).build()
    token = IdentityToken(sigstore.identity_token(WHO))
    with SigningContext.from_trust_config(config).signer(token) as signer:
        bundle = signer.sign_dsse(statement).to_json()

    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(sigstore.trusted_root)))
    identity = policy.Identity(identity=WHO, issuer=sigstore.issuer)
    kind, payload = verifier.verify_dsse(Bundle.from_json(bundle), identity)

    assert kind == "application/vnd.in-toto+json"
    assert json.loads(payload)["predicate"] == {"a": 1}
    with pytest.raises(EvidenceError, match="over a file"):
        ours(sigstore, bundle)


@pytest.mark.parametrize(
    ("rekor", "timestamps"), [(1, True), (1, False), (2, True)], ids=["v1", "v1-no-tsa", "v2"]
)
def test_cosign_verifies_what_we_sign(
    sigstore: TestSigstore, cosign: Cosign, rekor: int, timestamps: bool
) -> None:
    config = sigstore.client_trust_config(rekor=rekor, timestamps=timestamps)
    token = sigstore.identity_token(WHO)
    bundle = sign_note(NOTE, trust_config=config, identity_token=token)

    note = str(cosign.file("note", NOTE))
    done = cosign.verify("verify-blob", sigstore, bundle, WHO, note)
    assert done.returncode == 0, done.stderr[-2000:]
    assert not verify(cosign, sigstore, bundle, "somebody@clinic.example")
    other = str(cosign.file("other", NOTE + b"x"))
    assert cosign.verify("verify-blob", sigstore, bundle, WHO, other).returncode != 0


@pytest.mark.parametrize("rekor", [1, 2])
def test_we_verify_what_cosign_signs(sigstore: TestSigstore, cosign: Cosign, rekor: int) -> None:
    note = str(cosign.file("note", NOTE))
    assert ours(sigstore, cosign.sign("sign-blob", sigstore, rekor, WHO, note))


def test_cosign_refuses_what_we_refuse(sigstore: TestSigstore, cosign: Cosign) -> None:
    for fault in ALIKE:
        with sigstore.corrupted(fault):
            bundle = sigstore.bundle(NOTE, WHO)
        with pytest.raises(EvidenceError):
            ours(sigstore, bundle)
        assert not verify(cosign, sigstore, bundle), fault
