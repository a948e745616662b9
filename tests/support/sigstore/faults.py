"""The ways in which a part of the private Sigstore can be wrong."""

from enum import Enum


class Fault(Enum):
    """One thing that is wrong; everything else about the bundle is as it should be."""

    UNKNOWN_AUTHORITY = "certificate by an authority that nobody trusts"
    EXPIRED = "certificate that ended before the signature"
    EARLY = "certificate that begins after the signature"
    NO_CODE_SIGNING = "certificate that may not sign code"
    NO_DIGITAL_SIGNATURE = "certificate whose key may not sign"

    NO_SCT = "certificate that is in no certificate log"
    TWO_SCTS = "certificate with two log receipts"
    SCT_BY_OTHER_KEY = "log receipt by a key that is not the log's"
    SCT_OF_OTHER_CERTIFICATE = "log receipt of another certificate"

    NO_PROOF = "log entry without an inclusion proof"
    NO_CHECKPOINT = "inclusion proof without a checkpoint"
    PROOF_HASH = "inclusion proof with one hash changed"
    PROOF_INDEX = "inclusion proof of the neighbour's place"
    CHECKPOINT_BY_OTHER_KEY = "checkpoint signed by a key that is not the log's"
    CHECKPOINT_OF_SHORTER_LOG = "checkpoint from before the entry was in the log"
    OTHER_ENTRY = "log entry about another artifact"

    PROMISE_BY_OTHER_KEY = "promise signed by a key that is not the log's"
    PROMISE_MOVED = "time of the log moved by a minute after it was signed"
    NO_PROMISE = "log entry with a time that nobody signed"

    NO_TIMESTAMP = "no timestamp"
    TIMESTAMP_BY_OTHER_AUTHORITY = "timestamp by an authority that nobody trusts"
    TIMESTAMP_OF_OTHER_SIGNATURE = "timestamp of another signature"


Faults = set[Fault]
