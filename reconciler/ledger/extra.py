"""What an auditor brings to a verification besides the signers, and how the work is done."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.evidence.testimony import Saying
from reconciler.ledger.anchors.judge import Trust
from reconciler.ledger.audit_cache import AuditCache
from reconciler.ledger.gather import Progress
from reconciler.ledger.worm.store import WormStore


@dataclass(frozen=True, slots=True)
class Known:
    """A state of a log that was seen elsewhere.

    Attributes:
        ref: Its branch.
        size: How many entries.
        root: Their root.
        where: Where it was seen, for people.
    """

    ref: str
    size: int
    root: bytes
    where: str


@dataclass(frozen=True, slots=True)
class Extra:
    """What an auditor brings besides the signers, and how the work is done.

    Attributes:
        said: Cosigned notes that the auditor kept or was given.
        trust: What anchors are checked with.
        known: States of logs that the auditor has seen elsewhere, for example in another clone.
        store: The bucket with the copies, if it may be asked; nothing else needs a network.
        now: Wall time, which is needed to judge copies; None where no store is asked.
        cache: What an earlier audit proved; it is brought up to date, and not written.
        jobs: How many processes may work.
        progress: Told, by branch, how many of how many entries are examined.
    """

    said: tuple[Saying, ...] = ()
    trust: Trust = field(default_factory=Trust)
    known: tuple[Known, ...] = ()
    store: WormStore | None = None
    now: datetime | None = None
    cache: AuditCache | None = None
    jobs: int = 1
    progress: Callable[[str], Progress] = field(default=lambda _ref: lambda _done, _total: None)
