"""A bucket with Object Lock: write once, prove that it is locked, read a version back.

Rule 1: Nothing counts as stored before the store has shown it: version, content, mode, time.
Rule 2: The first version of a key is the one that counts. A later one can be laid on top of it by
    whoever may write, and hides it, but cannot end it.
Rule 3: A lock is only ever made longer; there is no call here that deletes or shortens.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from reconciler.errors import Busy, EvidenceError, InputError
from reconciler.ledger.worm import listing
from reconciler.ledger.worm.deadline import Patience
from reconciler.ledger.worm.nouns import COMPLIANCE, MAX_OBJECT, Lock, Stored, Version
from reconciler.ledger.worm.refused import StoreRefused, in_our_words
from reconciler.ledger.worm.settings import StoreSettings

if TYPE_CHECKING:
    from reconciler.ledger.worm.wire import Wire

_T = TypeVar("_T")

_SLOWEST = 32 * 1024
"""Bytes a second that a connection must manage, beside its fixed time."""

_FOREIGN = "Keep both versions, find out who has this credential, and give the writer a new one."
_BUCKET = "See docs/retention.md: a bucket with Object Lock and versioning, in compliance mode."
_AT_ONCE = frozenset({"ConditionalRequestConflict", "OperationAborted"})
_NO_LOCK = frozenset(
    {"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "InvalidRequest"}
)


class WormStore:
    """One bucket, as one credential may use it."""

    def __init__(self, settings: StoreSettings) -> None:
        """Nothing is read or sent before the first call.

        Args:
            settings: Which bucket, and whose credentials.
        """
        self.settings = settings
        self._wire: Wire | None = None
        self._patience = Patience()

    def check(self) -> None:
        """Make sure that the bucket can keep what is put into it.

        Raises:
            EvidenceError: It cannot; the message says everything that is missing.
            MachineError: The store does not answer, or does not let us look.
        """
        missing = self.weaknesses()
        if missing:
            message = f"bucket {self.settings.bucket} does not keep evidence: {'; '.join(missing)}"
            raise EvidenceError(message, hint=_BUCKET)

    def weaknesses(self) -> tuple[str, ...]:
        """What keeps the bucket from holding on to evidence; nothing if all is well.

        Raises:
            MachineError: The store does not answer, or does not let us look.
        """
        status = self._ask("get_bucket_versioning", "see the versioning of the bucket").get(
            "Status", "never enabled"
        )
        versioned = () if status == "Enabled" else (f"versioning is {str(status)[:16].lower()}",)
        locked = () if self._lockable() else ("Object Lock is not enabled",)
        return versioned + locked

    def put(self, key: str, data: bytes, retain_until: datetime) -> Stored:
        """Store an object for good, or find that it is stored already.

        Args:
            key: Whole key; begins with the prefix of the settings.
            data: Its content, 1 byte to 64 MiB.
            retain_until: Until when it must be kept, in whole seconds.

        Returns:
            What the store has shown to hold.

        Raises:
            EvidenceError: Something else was written there first, or the store does not lock what
                is given to it.
            Busy: Somebody is writing to this key at this moment.
            MachineError: The store refused, or did not answer in time.
        """
        self._check_put(key, data, retain_until)
        digest = hashlib.sha256(data).digest()
        self._write(key, data, b64encode(digest).decode(), retain_until)
        first = self._first(key)
        self._check_content(first, digest, len(data))
        lock = self._hold(first, retain_until)
        return Stored(key, first.version_id, digest.hex(), len(data), lock.until)

    def versions(self, prefix: str) -> list[Version]:
        """Everything below a prefix, also what is hidden; the newest of each key first.

        Raises:
            EvidenceError: The listing has no end, or is none.
            MachineError: The store refused, or did not answer in time.
        """

        def page(start: Mapping[str, Any]) -> Mapping[str, Any]:
            what = f"list {prefix or 'everything'}"
            return self._ask("list_object_versions", what, Prefix=prefix, **start)

        return listing.versions(page, prefix)

    def read(self, key: str, version_id: str, size: int) -> bytes:
        """The content of one version.

        Args:
            key: Whole key.
            version_id: Which version.
            size: Bytes that it should have; one more is read, not all of a longer one.

        Raises:
            StoreRefused: The store refused; see `StoreRefused.absent`.
            MachineError: It did not answer in time.
        """

        def get() -> bytes:
            got = self._s3().get_object(Bucket=self.settings.bucket, Key=key, VersionId=version_id)
            try:
                return bytes(got["Body"].read(size + 1))
            finally:
                got["Body"].close()

        return self._within(get, f"read {key} version {version_id}", size)

    def lock(self, key: str, version_id: str) -> Lock | None:
        """How a version is locked; None if it is not.

        Raises:
            StoreRefused: The store refused; see `StoreRefused.absent`.
            MachineError: It did not answer in time.
        """
        what = f"see the lock of {key} version {version_id}"
        try:
            got = self._ask("get_object_retention", what, Key=key, VersionId=version_id)
        except StoreRefused as refused:
            if refused.code in _NO_LOCK:
                return None
            raise
        retention = got.get("Retention") or {}
        mode, until = retention.get("Mode"), retention.get("RetainUntilDate")
        if not isinstance(mode, str) or not isinstance(until, datetime):
            return None
        return Lock(mode[:16], until.astimezone(UTC))

    def close(self) -> None:
        """Let go of the connections; the next call makes new ones."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_put(self, key: str, data: bytes, retain_until: datetime) -> None:
        if not key.startswith(self.settings.prefix) or len(key.encode()) > 1024:
            message = f"key {key[:80]!r} is not below {self.settings.prefix!r}"
            raise EvidenceError(message, hint="Begin it with the prefix of the settings.")
        if not 0 < len(data) <= MAX_OBJECT:
            message = f"{len(data):,} bytes cannot be one object"
            raise EvidenceError(message, hint=f"Divide it: {MAX_OBJECT:,} bytes at most.")
        if retain_until.tzinfo is None or retain_until.microsecond:
            message = f"a lock cannot end at {retain_until.isoformat()}"
            raise EvidenceError(message, hint="Give whole seconds and a zone.")

    def _write(self, key: str, data: bytes, checksum: str, retain_until: datetime) -> None:
        try:
            self._ask(
                "put_object",
                f"write {key}",
                size=len(data),
                Key=key,
                Body=data,
                ChecksumSHA256=checksum,
                ContentType="application/octet-stream",
                IfNoneMatch="*",
                ObjectLockMode=COMPLIANCE,
                ObjectLockRetainUntilDate=retain_until,
            )
        except StoreRefused as refused:
            # There is something already. Perhaps it is ours, from before a crash or a lost answer.
            if refused.code in _AT_ONCE:
                message = f"somebody is writing {key} at this moment"
                raise Busy(message, hint="It is tried again at the next copy.") from refused
            if refused.status != 412:
                raise

    def _first(self, key: str) -> Version:
        """The oldest version of a key (Rule 2)."""
        of_key = [v for v in self.versions(key) if v.key == key and not v.marker]
        if not of_key:
            message = f"the store took {key} and does not list it"
            raise EvidenceError(message, hint=_BUCKET)
        first = of_key[-1]
        if first.version_id == "null":
            message = f"the store keeps no versions: {key} can be written over"
            raise EvidenceError(message, hint=_BUCKET)
        return first

    def _check_content(self, version: Version, digest: bytes, size: int) -> None:
        """See that a version holds what we meant to write (Rule 1)."""
        key, version_id = version.key, version.version_id
        what = f"look at {key} version {version_id}"
        head = self._ask("head_object", what, Key=key, VersionId=version_id, ChecksumMode="ENABLED")
        claimed = head.get("ChecksumSHA256")
        if version.size == size and claimed == b64encode(digest).decode():
            return
        # Not every store returns a checksum; and of another content a person wants to know which.
        found = hashlib.sha256(self.read(key, version_id, size)).digest()
        if found != digest:
            message = f"somebody wrote to {key} first: version {version_id} holds something else"
            raise EvidenceError(message, hint=_FOREIGN)

    def _hold(self, version: Version, until: datetime) -> Lock:
        """Lock a version at least until then, and see that it is (Rules 1 and 3)."""
        key, version_id = version.key, version.version_id
        lock = self.lock(key, version_id)
        if lock is None or (lock.mode == COMPLIANCE and lock.until < until):
            retention = {"Mode": COMPLIANCE, "RetainUntilDate": until}
            what = f"lock {key} version {version_id}"
            target: dict[str, Any] = {"Key": key, "VersionId": version_id}
            self._ask("put_object_retention", what, Retention=retention, **target)
            lock = self.lock(key, version_id)
        if lock is None or lock.mode != COMPLIANCE or lock.until < until:
            state = "not locked" if lock is None else f"locked in mode {lock.mode}"
            message = f"{key} version {version_id} is {state}, not in mode {COMPLIANCE}"
            message += f" until {until:%Y-%m-%d}"
            raise EvidenceError(message, hint=_BUCKET)
        return lock

    def _lockable(self) -> bool:
        try:
            got = self._ask("get_object_lock_configuration", "see the Object Lock of the bucket")
        except StoreRefused as refused:
            if refused.code in _NO_LOCK:
                return False
            raise
        return (got.get("ObjectLockConfiguration") or {}).get("ObjectLockEnabled") == "Enabled"

    def _s3(self) -> Any:
        if self._wire is None:
            try:
                from reconciler.ledger.worm import wire  # noqa: PLC0415 - lazy: imports boto3
            except ImportError as error:
                hint = "Install the extra: pip install 'reconciler[worm]'."
                raise InputError(
                    "copies to S3 need boto3, which is not there", hint=hint
                ) from error
            self._wire = wire.connect(self.settings)
        return self._wire.s3

    def _ask(self, operation: str, what: str, *, size: int = 0, **fields: Any) -> Mapping[str, Any]:
        call = getattr(self._s3(), operation)
        got: Mapping[str, Any] = self._within(
            lambda: call(Bucket=self.settings.bucket, **fields), what, size
        )
        return got

    def _within(self, call: Callable[[], _T], what: str, size: int) -> _T:
        self._s3()
        seconds = self.settings.limits.total_s + size / _SLOWEST
        with in_our_words(what):
            return self._patience.within(seconds, call)
