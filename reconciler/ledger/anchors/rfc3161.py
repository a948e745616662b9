"""RFC 3161: a time stamping authority signs a digest and the time.

Source: RFC 3161; `rfc3161-client` for the encoding and the signature. What its ``verify`` leaves
open is checked beside it.

Rule 1: Who may sign is pinned: roots, and where the settings say so the certificate, its subject
    and the policy. The machine's own certificate store plays no part.
Rule 2: Certificates count as of the time in the token, so a proof outlives them. A revocation after
    that is not looked up: no network; it is known by other means, and each authority stands alone.
Rule 3: The digest is SHA-256 and named as such; the bytes are the one form that DER has.
"""

import re
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.utils import CryptographyDeprecationWarning
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from reconciler.errors import EvidenceError, InputError, MachineError
from reconciler.ledger.anchors.http import NoReply, Question, ask
from reconciler.ledger.anchors.model import MAX_PROOF, Method, TimeProof

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

MAX_ANSWER = MAX_PROOF
MAX_ACCURACY = timedelta(hours=1)
"""A token that says less about the time than this says too little."""

# What the libraries raise on certificates and numbers that nobody meant to write.
_DAMAGED = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    CryptographyDeprecationWarning,
)
_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_SHA2 = {x509.ObjectIdentifier(f"2.16.840.1.101.3.4.2.{number}") for number in (1, 2, 3)}
_VERIFY_ERROR = re.compile(r'data: "Verify error: ([^"]{1,200})"')
_REASON = re.compile(r'reason: "([^"]{1,200})"')
_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
_HINT = (
    "Compare with the proof in another copy of the ledger and with the certificates of the "
    "authority; `openssl ts -reply -in FILE -text` shows what it holds."
)


@dataclass(frozen=True, slots=True)
class Authority:
    """A time stamping authority, and what its word must look like.

    Attributes:
        name: What evidence calls it.
        url: Where it answers.
        roots: Certificates that it must lead to, PEM.
        intermediates: Certificates on the way that its answers do not bring along, PEM.
        certificate: The one certificate that may sign, PEM; None if any under the roots may that
            is made for time stamping.
        subject: The subject that the signing certificate must have (RFC 4514); None if any.
        policy: The policy that the token must name (dotted); None if any.
    """

    name: str
    url: str
    roots: bytes
    intermediates: bytes = b""
    certificate: bytes | None = None
    subject: str | None = None
    policy: str | None = None


def request(data: bytes, *, authority: Authority, timeout_s: float) -> bytes:
    """Have the SHA-256 of data stamped; only the digest leaves this machine.

    Args:
        data: What is to be stamped: the text of a signed note.
        authority: Whom to ask.
        timeout_s: Seconds from the first packet to the last.

    Returns:
        The answer, DER, already verified as `verify` does, and for the random number sent along.

    Raises:
        InputError: An address that must not be asked, or pinned certificates that are none.
        MachineError: No answer, or not the answer of a time stamping server.
        EvidenceError: An answer that does not verify.
    """
    builder = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
    query = builder.cert_request(cert_request=True).build()
    question = Question(authority.url, query.as_bytes(), _HEADERS)
    (reply,) = ask([question], max_bytes=MAX_ANSWER, timeout_s=timeout_s)
    if isinstance(reply, NoReply):
        raise _unanswered(authority, reply.reason)
    if reply.status != 200:
        raise _unanswered(authority, f"answered with status {reply.status}")
    _verify(reply.content, query.message_imprint.message, authority, query.nonce)
    return reply.content


def verify(token: bytes, digest: bytes, *, authority: Authority) -> TimeProof:
    """Check an answer without network.

    Args:
        token: The answer of the authority, DER.
        digest: SHA-256 of what was stamped.
        authority: Whose word it must be.

    Returns:
        The time: the moment of signing plus the inaccuracy that the authority admits.

    Raises:
        InputError: Pinned certificates that are none.
        EvidenceError: Anything about the token that is not as it must be.
    """
    return _verify(token, digest, authority, None)


def _verify(token: bytes, digest: bytes, authority: Authority, nonce: int | None) -> TimeProof:
    verifier = _builder(authority, nonce).build()
    response = _decoded(token)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            _check_beside(response)
            verifier.verify(response, digest)
            return _proof(response, authority)
    except VerificationError as error:
        raise _refusal(f"token of {authority.name} does not verify: {_words(error)}") from error
    except _DAMAGED as error:
        raise _refusal(f"token of {authority.name} is damaged: {_words(error)}") from error


def _builder(authority: Authority, nonce: int | None) -> VerifierBuilder:
    try:
        leaf = authority.certificate
        return VerifierBuilder(
            policy_id=None if authority.policy is None else x509.ObjectIdentifier(authority.policy),
            tsa_certificate=None if leaf is None else x509.load_pem_x509_certificate(leaf),
            intermediates=_certificates(authority.intermediates),
            roots=x509.load_pem_x509_certificates(authority.roots),
            nonce=nonce,
            common_name=authority.subject,
        )
    except ValueError as error:
        hint = "Give certificates as PEM text and the policy as dotted numbers."
        message = f"what is pinned for {authority.name} cannot be read: {error!s:.200}"
        raise InputError(message, hint=hint) from error


def _certificates(pem: bytes) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem) if pem else []


def _decoded(token: bytes) -> "TimeStampResponse":
    if len(token) > MAX_PROOF:
        raise _refusal(f"token of {len(token)} bytes is larger than {MAX_PROOF}")
    try:
        response = decode_timestamp_response(token)
        canonical = bytes(response.as_bytes()) == token
    except ValueError as error:
        raise _refusal(f"token is not an RFC 3161 answer: {error!s:.200}") from error
    if not canonical:
        raise _refusal("token is not in the one form that DER has")
    return response


def _check_beside(response: "TimeStampResponse") -> None:
    # The library compares the digest without its algorithm, and takes any of several certificates
    # that carry the signer's number: a forged twin could lend it another subject.
    if response.status != 0:
        raise VerificationError(f"the authority refused (status {response.status})")
    if response.tst_info.message_imprint.hash_algorithm != _SHA256:
        raise VerificationError("the digest is not named as SHA-256")
    if not set(response.signed_data.digest_algorithms) <= _SHA2:
        raise VerificationError("it is signed over a digest that is not SHA-2")
    held = [x509.load_der_x509_certificate(der) for der in response.signed_data.certificates]
    if len({(item.issuer, item.serial_number) for item in held}) != len(held):
        raise VerificationError("two of its certificates carry the same number")


def _proof(response: "TimeStampResponse", authority: Authority) -> TimeProof:
    info = response.tst_info
    within = _accuracy(info.accuracy)
    if within > MAX_ACCURACY:
        raise VerificationError("the authority does not know the time to within an hour")
    at: datetime = info.gen_time
    detail = (
        f"signed by {authority.name} at {at:%Y-%m-%dT%H:%M:%SZ} ±{within.total_seconds():g} s, "
        f"serial {info.serial_number:x}, policy {info.policy.dotted_string}"
    )
    return TimeProof(Method.RFC3161, authority.name, at + within, detail)


def _accuracy(stated: Any) -> timedelta:
    # RFC 3161, 2.4.2: a part that is missing is zero.
    if stated is None:
        return timedelta()
    return timedelta(
        seconds=stated.seconds or 0,
        milliseconds=stated.millis or 0,
        microseconds=stated.micros or 0,
    )


def _words(error: Exception) -> str:
    # OpenSSL's stack of errors is a page long; a person needs its deepest reason.
    text = str(error)
    told = _VERIFY_ERROR.search(text) or _REASON.search(text)
    return told[1] if told else text[:200]


def _unanswered(authority: Authority, reason: str) -> MachineError:
    hint = "Look at the network and at the address of the authority; the work stays due."
    return MachineError(f"{authority.name} did not stamp: {reason}", hint=hint)


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(message, hint=_HINT)
