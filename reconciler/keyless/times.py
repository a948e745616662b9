"""The times in a bundle that somebody other than its signer signed.

sigstore verifies that there is at least one and does not hand it out; it leaves aside a timestamp
that does not fit, where the log's own time suffices, and does not ask whether the log's key was in
force at that time. Here each time must fit.
"""

from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.x509 import Certificate
from rfc3161_client import TimeStampResponse, VerifierBuilder
from rfc3161_client import VerificationError as TimestampError
from rfc3161_client.tsp import Accuracy
from sigstore.errors import VerificationError
from sigstore.models import Bundle, TrustedRoot
from sigstore_models.trustroot.v1 import TransparencyLogInstance
from sigstore_models.trustroot.v1 import TrustedRoot as TrustedRootModel

MAX_TIMESTAMPS = 8


@dataclass(frozen=True, slots=True)
class SignedTime:
    """A time that somebody other than the signer signed.

    Attributes:
        source: Who, in words.
        at: The signature was there no later than this.
    """

    source: str
    at: datetime


def promised(entry: dict[str, Any], root: TrustedRootModel) -> list[SignedTime]:
    """The time of a log entry, whose signature the verifier has checked, if it has one.

    Raises:
        VerificationError: It is not signed, or not by the key that the log had at that time; or,
            without a time, the entry says of its place what nobody signed.
    """
    key_id = b64decode(entry["logId"]["keyId"])
    logs = [log for log in root.tlogs if log.log_id.key_id == key_id]
    if not logs:
        raise VerificationError("the entry is in a log that is not trusted")
    if "inclusionPromise" in entry:
        at = datetime.fromtimestamp(int(entry["integratedTime"]), UTC)
        if not any(_in_force(log, at) for log in logs):
            raise VerificationError(f"the log did not have this key at {at:%Y-%m-%dT%H:%M:%SZ}")
        return [SignedTime("the transparency log", at)]
    if "integratedTime" in entry or entry["logIndex"] != entry["inclusionProof"]["logIndex"]:
        raise VerificationError("the entry has a time or a place that nobody signed")
    return []


def timestamps(bundle: Bundle, root: TrustedRoot) -> list[SignedTime]:
    """All times that time-stamping authorities signed over a bundle's signature.

    Raises:
        VerificationError: There are too many, or one does not fit.
    """
    data = bundle.verification_material.timestamp_verification_data
    responses = [] if data is None else data.rfc3161_timestamps
    if len(responses) > MAX_TIMESTAMPS:
        raise VerificationError(f"{len(responses)} timestamps are too many")
    return [_signed(response, bundle.signature, root) for response in responses]


def _signed(response: TimeStampResponse, signature: bytes, root: TrustedRoot) -> SignedTime:
    at = response.tst_info.gen_time
    for authority in root.get_timestamp_authorities():
        end = authority.validity_period_end
        current = authority.validity_period_start <= at and (end is None or at < end)
        chain = authority.certificates(allow_expired=True)
        if current and len(chain) > 1 and _fits(response, signature, chain):
            return SignedTime("a time-stamping authority", at + _accuracy(response))
    raise VerificationError("a timestamp does not fit the signature or a trusted authority")


def _in_force(log: TransparencyLogInstance, at: datetime) -> bool:
    period = log.public_key.valid_for
    return period is None or (period.start <= at and (period.end is None or at <= period.end))


def _fits(response: TimeStampResponse, signature: bytes, chain: list[Certificate]) -> bool:
    builder = VerifierBuilder().tsa_certificate(chain[0]).add_root_certificate(chain[-1])
    for certificate in chain[1:-1]:
        builder = builder.add_intermediate_certificate(certificate)
    try:
        return builder.build().verify_message(response, signature)
    except TimestampError:
        return False


def _accuracy(response: TimeStampResponse) -> timedelta:
    """How much later the true time may be than the one that is written."""
    given: Accuracy | None = response.tst_info.accuracy
    if given is None:
        return timedelta()
    return timedelta(
        seconds=given.seconds or 0, milliseconds=given.millis or 0, microseconds=given.micros or 0
    )
