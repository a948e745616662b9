"""Certificates made on the spot, good and bad, without a file."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Issuer:
    """A certificate together with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    @staticmethod
    def root(name: str, start: datetime, end: datetime) -> "Issuer":
        """A certificate authority, signed by its own key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return Issuer(_signed(name, name, key.public_key(), key, start, end, authority=True), key)

    def issue(
        self, name: str, start: datetime, end: datetime, *, authority: bool = False
    ) -> "Issuer":
        """A certificate signed by this one, which may have no right to."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        made = _signed(
            name, str(issuer), key.public_key(), self.key, start, end, authority=authority
        )
        return Issuer(made, key)


def _signed(
    subject: str,
    issuer: str,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    start: datetime,
    end: datetime,
    *,
    authority: bool,
) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        subject_name=_name(subject),
        issuer_name=_name(issuer),
        public_key=public,
        serial_number=x509.random_serial_number(),
        not_valid_before=start,
        not_valid_after=end,
    )
    constraints = x509.BasicConstraints(ca=authority, path_length=None)
    return builder.add_extension(constraints, critical=True).sign(signer, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
