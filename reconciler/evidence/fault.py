"""Faults: what an audit found wrong, as values, each with its place."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Stable names of faults, for machines and tests."""

    NO_LEDGER = "no-ledger"
    OBJECT = "object"
    TOO_MANY = "too-many-faults"
    UNKNOWN_REF = "unknown-ref"
    COMMIT_FORM = "commit-form"
    COMMIT_SIGNATURE = "commit-signature"
    COMMIT_CONTENT = "commit-content"
    KEY = "key"
    RETIRED_KEY = "retired-key"
    PRINCIPAL = "principal"
    TIME = "time-backwards"
    TREE = "tree"
    NOT_APPEND_ONLY = "not-append-only"
    PATH = "path"
    ENVELOPE = "envelope"
    STATEMENT = "statement"
    BRANCH = "branch"
    SEQUENCE = "sequence"
    CHAIN = "chain"
    GENESIS = "genesis"
    INTENT = "intent"
    BASE = "base"
    GAP = "gap"
    LOG = "log"
    REPEATED = "repeated-run"
    KEY_CHANGE = "key-change"
    CHECKPOINT = "checkpoint"
    COSIGNATURE = "cosignature"
    SHORTER = "shorter-than-witnessed"
    EQUIVOCATION = "equivocation"
    ANCHOR = "anchor"
    COPY = "copy"
    CACHE = "cache"
    BODY = "body"
    FILE = "file"
    STRAY_FILE = "stray-file"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is wrong; whatever is known of it.

    Attributes:
        commit: Object id of the commit, 40 hex digits.
        seq: Sequence number of the entry.
        path: Path inside the commit's tree, or inside the repository directory.
    """

    commit: str | None = None
    seq: int | None = None
    path: str | None = None

    def __str__(self) -> str:
        known = (("commit", self.commit), ("seq", self.seq), ("path", self.path))
        return ", ".join(f"{name} {value}" for name, value in known if value is not None)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        code: What kind of thing.
        place: Where.
        message: What exactly, in one sentence without the place.
    """

    code: Code
    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.code.value} at {self.place}: {self.message}"
