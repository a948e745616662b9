"""A time stamping authority on loopback: certificates made on the spot, answers by ``openssl ts``.

Only the signer's certificate is embedded: with a chain OpenSSL 3.0 writes a set that is not in DER
order, which `rfc3161-client` rightly refuses.
"""

import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from reconciler.ledger.anchors.rfc3161 import Authority

DAY = timedelta(days=1)
POLICY = "1.3.6.1.4.1.99999.1"

_CONFIG = """
[tsa]
default_tsa = this
[this]
serial = {directory}/serial
signer_cert = {directory}/tsa.pem
signer_key = {directory}/tsa.key
signer_digest = sha256
default_policy = {policy}
other_policies = 1.3.6.1.4.1.99999.2
digests = sha256, sha512
accuracy = secs:1, millisecs:500
ordering = yes
ess_cert_id_alg = sha256
"""


def missing() -> str | None:
    """Why there is no authority on this machine; None if there is."""
    return None if shutil.which("openssl") else "no openssl"


@dataclass
class Certified:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def certified(
    name: str,
    by: Certified | None = None,
    *,
    authority: bool = False,
    stamping: bool = True,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Certified:
    """A certificate, signed by another one or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=subject if by is None else by.certificate.subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=start or now - DAY,
        not_valid_after=end or now + 30 * DAY,
    ).add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    if stamping and not authority:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    signer = key if by is None else by.key
    return Certified(builder.sign(signer, hashes.SHA256()), key)


class Tsa:
    """An authority with a root of its own, or under somebody else's."""

    def __init__(
        self,
        directory: Path,
        name: str = "alpha",
        *,
        root: Certified | None = None,
        leaf: Certified | None = None,
    ) -> None:
        directory.mkdir(parents=True)
        self.directory = directory
        self.name = name
        self.root = root or certified(f"{name} root", authority=True)
        self.leaf = leaf or certified(f"{name} tsa", self.root)
        (directory / "serial").write_text("01\n")
        (directory / "tsa.pem").write_bytes(self.leaf.pem)
        (directory / "root.pem").write_bytes(self.root.pem)
        key = self.leaf.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (directory / "tsa.key").write_bytes(key)
        (directory / "config").write_text(_CONFIG.format(directory=directory, policy=POLICY))

    def authority(self, url: str = "https://tsa.invalid/") -> Authority:
        """What an auditor pins of it."""
        return Authority(self.name, url, self.root.pem)

    def reply(self, query: bytes) -> bytes:
        """The answer to a request, as ``openssl ts -reply`` makes it."""
        asked = self.directory / "query"
        asked.write_bytes(query)
        out = self.directory / "reply"
        config = str(self.directory / "config")
        command = ["openssl", "ts", "-reply", "-config", config, "-section", "this"]
        command += ["-queryfile", str(asked), "-out", str(out)]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        return out.read_bytes()

    def answer(self, method: str, _path: str, body: bytes) -> tuple[int, bytes]:
        """What its server says."""
        return (200, self.reply(body)) if method == "POST" else (405, b"")

    def openssl_verifies(self, token: bytes, data: bytes) -> bool:
        """Whether ``openssl ts -verify`` takes a token for these data under this root."""
        (self.directory / "token").write_bytes(token)
        (self.directory / "data").write_bytes(data)
        command = ["openssl", "ts", "-verify", "-data", str(self.directory / "data")]
        command += ["-in", str(self.directory / "token")]
        command += ["-CAfile", str(self.directory / "root.pem")]
        return subprocess.run(command, capture_output=True, timeout=30).returncode == 0
