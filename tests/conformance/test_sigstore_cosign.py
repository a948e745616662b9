"""Stock Sigstore clients agree: what one signs here, the others verify, and the other way round.

sigstore-python's own command line is always there. cosign is a program of another house in another
language; Debian has it in sid only, so it is looked for on the path and is optional: fetch the
package, ``dpkg -x`` it anywhere, put its ``usr/bin`` on the path.
"""

import json
import shutil
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
from tests.support.sigstore import Fault, TestSigstore

pytestmark = [pytest.mark.conformance, pytest.mark.enable_socket]

NOTE = b"reconciler/smile/desk\n7\nAAAA\n\n\xe2\x80\x94 reconciler/smile/desk BBBB\n"
WHO = "ci@clinic.example"
# What the two houses judge alike; the rest is ours to be stricter about.
ALIKE = (
    Fault.UNKNOWN_AUTHORITY,
    Fault.EXPIRED,
    Fault.EARLY,
    Fault.NO_CODE_SIGNING,
    Fault.NO_SCT,
    Fault.SCT_BY_OTHER_KEY,
    Fault.SCT_OF_OTHER_CERTIFICATE,
    Fault.NO_PROOF,
    Fault.NO_CHECKPOINT,
    Fault.PROOF_HASH,
    Fault.CHECKPOINT_BY_OTHER_KEY,
    Fault.CHECKPOINT_OF_SHORTER_LOG,
    Fault.OTHER_ENTRY,
    Fault.NO_TIMESTAMP,
    Fault.TIMESTAMP_BY_OTHER_AUTHORITY,
    Fault.TIMESTAMP_OF_OTHER_SIGNATURE,
)


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestSigstore]:
    with TestSigstore(tmp_path_factory.mktemp("sigstore")) as running:
        yield running


@pytest.fixture
def cosign(tmp_path: Path) -> "Cosign":
    program = shutil.which("cosign")
    if program is None:
        pytest.skip("cosign: not on the path (Debian sid has it; dpkg -x is enough)")
    return Cosign(program, tmp_path)


class Cosign:
    """The program, with a home of its own."""

    def __init__(self, program: str, home: Path) -> None:
        self._program = program
        self._home = home
        self.note = home / "note"
        self.note.write_bytes(NOTE)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {"HOME": str(self._home), "PATH": "/usr/bin:/bin"}
        command = [self._program, *arguments, str(self.note)]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def verify(
        self, sigstore: TestSigstore, bundle: str, identity: str = WHO
    ) -> "subprocess.CompletedProcess[str]":
        file = self._home / "bundle.json"
        file.write_text(bundle)
        root = ["--trusted-root", str(sigstore.trusted_root)]
        who = ["--certificate-identity", identity, "--certificate-oidc-issuer", sigstore.issuer]
        return self.run("verify-blob", "--bundle", str(file), *root, *who)

    def sign(self, sigstore: TestSigstore, rekor: int) -> str:
        # cosign takes a token for the name of a file first, and fails if it is too long for one.
        token, bundle = self._home / "token", self._home / "signed.json"
        token.write_text(sigstore.identity_token(WHO))
        where = ["--signing-config", str(sigstore.signing_config(rekor=rekor))]
        root = ["--trusted-root", str(sigstore.trusted_root)]
        out = ["--yes", "--identity-token", str(token), "--bundle", str(bundle)]
        done = self.run("sign-blob", *where, *root, *out)
        assert done.returncode == 0, done.stderr[-2000:]
        return bundle.read_text()


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

    done = cosign.verify(sigstore, bundle)
    assert done.returncode == 0, done.stderr[-2000:]
    assert cosign.verify(sigstore, bundle, "somebody@clinic.example").returncode != 0
    cosign.note.write_bytes(NOTE + b"x")
    assert cosign.verify(sigstore, bundle).returncode != 0


@pytest.mark.parametrize("rekor", [1, 2])
def test_we_verify_what_cosign_signs(sigstore: TestSigstore, cosign: Cosign, rekor: int) -> None:
    assert ours(sigstore, cosign.sign(sigstore, rekor))


def test_cosign_refuses_what_we_refuse(sigstore: TestSigstore, cosign: Cosign) -> None:
    for fault in ALIKE:
        with sigstore.corrupted(fault):
            bundle = sigstore.bundle(NOTE, WHO)
        with pytest.raises(EvidenceError):
            ours(sigstore, bundle)
        assert cosign.verify(sigstore, bundle).returncode != 0, fault
