"""X.509 certificates as PEM text (RFC 7468), with what a check may report of them.

Importing this costs 50 ms, so a check does it when it has a certificate to read.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from reconciler.errors import Unobservable

_MAX_CERTIFICATES = 512


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate.

    Attributes:
        not_before_s: Start of validity, Unix seconds.
        not_after_s: End of validity, Unix seconds.
        fingerprint: Hex SHA-256 of its DER form.
        key_algorithm: ``rsa``, ``ec``, ``ed25519``, ``ed448`` or ``dsa``.
        key_bits: Size of the public key.
        signature_hash: Name of the hash, or ``intrinsic``.
        self_issued: Whether subject and issuer are one name (RFC 5280 section 3.2).
    """

    not_before_s: int
    not_after_s: int
    fingerprint: str
    key_algorithm: str
    key_bits: int
    signature_hash: str
    self_issued: bool
    _parsed: x509.Certificate

    def valid_at(self, moment_s: int) -> bool:
        """Whether a moment lies within its validity."""
        return self.not_before_s <= moment_s < self.not_after_s

    def signed_by(self, issuer: "Certificate") -> bool:
        """Whether names agree and the issuer's key verifies the signature.

        A certificate that is no authority (RFC 5280 section 4.2.1.9) issues only itself. A
        signature with a hash that is too weak to verify anything (SHA-1) verifies nothing.
        """
        if issuer is not self and not _is_authority(issuer._parsed):
            return False
        try:
            self._parsed.verify_directly_issued_by(issuer._parsed)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
        return True


def read(text: str, what: str) -> list[Certificate]:
    """Every certificate of a PEM text, in its order, at least one.

    Raises:
        Unobservable: There is none, too many, or one cannot be read.
    """
    if text.count("-----BEGIN CERTIFICATE") > _MAX_CERTIFICATES:
        raise Unobservable(f"{what}: more than {_MAX_CERTIFICATES} certificates")
    try:
        found = x509.load_pem_x509_certificates(text.encode("utf-8", "surrogateescape"))
        return [_certificate(one) for one in found]
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise Unobservable(f"{what}: not a certificate that can be read") from problem


def _certificate(parsed: x509.Certificate) -> Certificate:
    algorithm, bits = _key(parsed)
    signature = parsed.signature_hash_algorithm
    return Certificate(
        not_before_s=int(parsed.not_valid_before_utc.timestamp()),
        not_after_s=int(parsed.not_valid_after_utc.timestamp()),
        fingerprint=parsed.fingerprint(SHA256()).hex(),
        key_algorithm=algorithm,
        key_bits=bits,
        signature_hash="intrinsic" if signature is None else signature.name,
        self_issued=parsed.subject == parsed.issuer,
        _parsed=parsed,
    )


def _key(parsed: x509.Certificate) -> tuple[str, int]:
    match parsed.public_key():
        case rsa.RSAPublicKey() as key:
            return "rsa", key.key_size
        case ec.EllipticCurvePublicKey() as key:
            return "ec", key.key_size
        case dsa.DSAPublicKey() as key:
            return "dsa", key.key_size
        case ed25519.Ed25519PublicKey():
            return "ed25519", 256
        case ed448.Ed448PublicKey():
            return "ed448", 448
        case _:
            raise ValueError("a public key of another kind")


def _is_authority(parsed: x509.Certificate) -> bool:
    try:
        return parsed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
