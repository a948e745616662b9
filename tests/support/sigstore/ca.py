"""Certificate authority (Fulcio) and certificate log: short certificates for proven identities.

The leaf is what Fulcio issues: no subject, the identity as critical alternative name, the
issuer of the token in extensions of its own, and a receipt of the certificate log (SCT, RFC 6962
section 3.2) that is signed over the certificate without the receipt.
"""

import struct
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.sigstore.encoding import sha256, spki
from tests.support.sigstore.faults import Fault, Faults

LIFETIME = timedelta(minutes=10)
_DECADE = timedelta(days=3650)
_RECEIPTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_FULCIO = "1.3.6.1.4.1.57264.1."
# Claim of a GitHub token -> (number of Fulcio's extension, what comes before the value).
_SOURCE = {
    "repository": (12, "https://github.com/"),
    "sha": (13, ""),
    "ref": (14, ""),
    "event_name": (20, ""),
}


class CertificateLog:
    """A log that signs receipts and keeps nothing."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self._other = ec.generate_private_key(ec.SECP256R1())

    @property
    def id(self) -> bytes:
        return sha256(spki(self.key.public_key()))

    def receipts(self, body: bytes, issuer_key: bytes, faults: Faults) -> bytes:
        """The list of receipts, as the value of a certificate's extension."""
        key = self._other if Fault.SCT_BY_OTHER_KEY in faults else self.key
        seen = b"\x30\x00" if Fault.SCT_OF_OTHER_CERTIFICATE in faults else body
        stamp = int(time.time() * 1000)
        size = struct.pack("!I", len(seen))[1:]
        signed = struct.pack("!BBQH", 0, 0, stamp, 1) + sha256(issuer_key) + size + seen + b"\0\0"
        signature = key.sign(signed, ec.ECDSA(hashes.SHA256()))
        head = struct.pack("!B32sQHBBH", 0, self.id, stamp, 0, 4, 3, len(signature))
        one = struct.pack("!H", len(head + signature)) + head + signature
        listed = one * (2 if Fault.TWO_SCTS in faults else 1)
        return _octets(struct.pack("!H", len(listed)) + listed)


class Authority:
    """A root and an intermediate; the intermediate issues."""

    def __init__(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP384R1())
        self.root = _authority(f"{name} root", key, None, None)
        self._key = ec.generate_private_key(ec.SECP384R1())
        self.intermediate = _authority(f"{name} intermediate", self._key, self.root, key)

    @property
    def chain(self) -> list[x509.Certificate]:
        return [self.intermediate, self.root]

    def issue(
        self,
        public: ec.EllipticCurvePublicKey,
        claims: dict[str, Any],
        log: CertificateLog,
        faults: Faults,
    ) -> x509.Certificate:
        """A certificate for the identity in a token."""
        builder = self._leaf(public, claims, faults)
        if Fault.NO_SCT in faults:
            return builder.sign(self._key, hashes.SHA384())
        body = builder.sign(self._key, hashes.SHA384()).tbs_certificate_bytes
        receipts = log.receipts(body, spki(self._key.public_key()), faults)
        extension = x509.UnrecognizedExtension(_RECEIPTS, receipts)
        return builder.add_extension(extension, critical=False).sign(self._key, hashes.SHA384())

    def _leaf(
        self, public: ec.EllipticCurvePublicKey, claims: dict[str, Any], faults: Faults
    ) -> x509.CertificateBuilder:
        start = _start(faults)
        builder = x509.CertificateBuilder(
            issuer_name=self.intermediate.subject,
            subject_name=x509.Name([]),
            public_key=public,
            serial_number=x509.random_serial_number(),
            not_valid_before=start,
            not_valid_after=start + LIFETIME,
        )
        signs = Fault.NO_DIGITAL_SIGNATURE not in faults
        code = Fault.NO_CODE_SIGNING not in faults
        purpose = ExtendedKeyUsageOID.CODE_SIGNING if code else ExtendedKeyUsageOID.CLIENT_AUTH
        issuer = self._key.public_key()
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (_usage(signs=signs, certifies=False), True),
            (x509.ExtendedKeyUsage([purpose]), False),
            (x509.SubjectKeyIdentifier.from_public_key(public), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False),
            (_name(claims), True),
            *((extension, False) for extension in _about(claims)),
        ]
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder


def _start(faults: Faults) -> datetime:
    now = datetime.now(UTC).replace(microsecond=0)
    if Fault.EXPIRED in faults:
        return now - timedelta(hours=1)
    return now + timedelta(hours=1) if Fault.EARLY in faults else now


def _name(claims: dict[str, Any]) -> x509.SubjectAlternativeName:
    """The workflow for a GitHub token, an address for a person, else the subject as a URI."""
    subject = claims["sub"]
    if "job_workflow_ref" in claims:
        subject = f"https://github.com/{claims['job_workflow_ref']}"
    kind = x509.RFC822Name if "@" in subject and "://" not in subject else None
    return x509.SubjectAlternativeName([(kind or x509.UniformResourceIdentifier)(subject)])


def _about(claims: dict[str, Any]) -> list[x509.UnrecognizedExtension]:
    issuer = claims["iss"].encode()
    # `issuer_v2` is no claim of any issuer: it lets a test make the two disagree.
    values = [(1, issuer), (8, _text(claims.get("issuer_v2", claims["iss"]).encode()))]
    if "repository" in claims:
        values.append((5, claims["repository"].encode()))
    for claim, (number, prefix) in _SOURCE.items():
        if claim in claims:
            values.append((number, _text(f"{prefix}{claims[claim]}".encode())))
    return [
        x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_FULCIO}{number}"), value)
        for number, value in values
    ]


def _authority(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey | None,
) -> x509.Certificate:
    now = datetime.now(UTC).replace(microsecond=0)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "sigstore.test"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    signer = issuer_key or key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _DECADE)
        .add_extension(_usage(signs=False, certifies=True), critical=True)
        .add_extension(x509.BasicConstraints(True, 0 if issuer else 1), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
        )
    )
    if issuer:
        code = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        builder = builder.add_extension(code, critical=False)
    return builder.sign(signer, hashes.SHA384())


def _usage(*, signs: bool, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=not signs and not certifies,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certifies,
        crl_sign=certifies,
        encipher_only=False,
        decipher_only=False,
    )


def _octets(data: bytes) -> bytes:
    return b"\x04" + _length(data) + data


def _text(data: bytes) -> bytes:
    return b"\x0c" + _length(data) + data


def _length(data: bytes) -> bytes:
    if len(data) < 0x80:
        return bytes([len(data)])
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(size)]) + size
