"""Time-stamping authority (RFC 3161): ``openssl ts`` with a root and a signer of its own."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from rfc3161_client import TimestampRequestBuilder

from tests.support.sigstore.encoding import pem

# No `certs`: openssl would write the set of certificates unsorted, which strict readers refuse.
_SETTINGS = """[ tsa ]
serial = {directory}/serial
signer_cert = {directory}/signer.pem
signer_key = {directory}/signer.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.57264.2
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""
_YEAR = timedelta(days=365)


class TimestampAuthority:
    """Says when it saw something; the time is this machine's."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        root_key = ec.generate_private_key(ec.SECP384R1())
        key = ec.generate_private_key(ec.SECP256R1())
        root = _certificate("timestamp root", root_key.public_key(), None, root_key)
        signer = _certificate("timestamp signer", key.public_key(), root, root_key)
        self.chain = [signer, root]
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (directory / "signer.key").write_bytes(private)
        (directory / "signer.pem").write_bytes(pem(signer))
        (directory / "serial").write_text("1000")
        (directory / "settings").write_text(_SETTINGS.format(directory=directory))
        self._count = 0

    def answer(self, request: bytes) -> bytes:
        """A response to a request as it comes over the wire."""
        self._count += 1
        query = self._directory / f"{self._count}.tsq"
        reply = query.with_suffix(".tsr")
        query.write_bytes(request)
        settings = str(self._directory / "settings")
        command = ["openssl", "ts", "-reply", "-config", settings, "-section", "tsa"]
        files = ["-queryfile", str(query), "-out", str(reply)]
        subprocess.run([*command, *files], check=True, capture_output=True, timeout=30)
        return reply.read_bytes()

    def stamp(self, data: bytes) -> bytes:
        """A response about some data."""
        return self.answer(TimestampRequestBuilder().data(data).build().as_bytes())


def _certificate(
    name: str,
    public: ec.EllipticCurvePublicKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    now = datetime.now(UTC).replace(microsecond=0)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    authority = issuer_key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _YEAR)
        .add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), False)
    )
    if issuer:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(purpose, critical=True)
    return builder.sign(issuer_key, hashes.SHA384())
