"""Write once, locked: against a real store with Object Lock."""

import hashlib
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.errors import EvidenceError, MachineError, ReconcilerError
from reconciler.ledger.worm.nouns import COMPLIANCE, MAX_OBJECT, Lock, Stored
from reconciler.ledger.worm.refused import StoreRefused
from reconciler.ledger.worm.retention import retain_until
from reconciler.ledger.worm.store import WormStore
from tests.support.seaweed import BUCKET, Seaweed

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

UNTIL = retain_until(datetime.now(UTC))
DATA = b"evidence" * 1000
_numbers = itertools.count()


@pytest.fixture
def prefix() -> str:
    return f"store-{next(_numbers)}/"


@pytest.fixture(scope="module")
def bucket(seaweed: Seaweed) -> Iterator[WormStore]:
    """One store for all: making a client takes a third of a second."""
    with WormStore(seaweed.settings("")) as store:
        yield store


@pytest.fixture
def admin(seaweed: Seaweed) -> Any:
    return seaweed.client("admin")


def test_the_bucket_of_the_tests_keeps_evidence(bucket: WormStore) -> None:
    bucket.check()
    assert bucket.weaknesses() == ()


def test_what_was_put_is_there_locked_and_named_exactly(bucket: WormStore, prefix: str) -> None:
    stored = bucket.put(f"{prefix}a", DATA, UNTIL)

    assert stored.sha256 == hashlib.sha256(DATA).hexdigest()
    assert (stored.key, stored.size) == (f"{prefix}a", len(DATA))
    assert stored.retain_until == UNTIL
    assert bucket.read(stored.key, stored.version_id, stored.size) == DATA
    assert bucket.lock(stored.key, stored.version_id) == Lock(COMPLIANCE, UNTIL)


def test_putting_the_same_again_is_the_same_version(bucket: WormStore, prefix: str) -> None:
    first = bucket.put(f"{prefix}a", DATA, UNTIL)

    assert bucket.put(f"{prefix}a", DATA, UNTIL) == first
    assert len(bucket.versions(prefix)) == 1


def test_a_lock_is_made_longer_and_never_shorter(bucket: WormStore, prefix: str) -> None:
    first = bucket.put(f"{prefix}a", DATA, UNTIL)
    longer = bucket.put(f"{prefix}a", DATA, UNTIL + timedelta(days=400))
    again = bucket.put(f"{prefix}a", DATA, UNTIL)

    assert longer.version_id == again.version_id == first.version_id
    assert longer.retain_until == again.retain_until == UNTIL + timedelta(days=400)


def test_something_else_at_that_key_is_never_taken_for_ours(bucket: WormStore, prefix: str) -> None:
    first = bucket.put(f"{prefix}a", DATA, UNTIL)

    for other in (b"x" * len(DATA), DATA[:-1], DATA + b"x"):
        with pytest.raises(EvidenceError, match=f"first: version {first.version_id} holds"):
            bucket.put(f"{prefix}a", other, UNTIL)
    assert len(bucket.versions(prefix)) == 1


@pytest.mark.parametrize("name", ["writer", "admin"])
def test_nobody_deletes_a_locked_version(
    seaweed: Seaweed, bucket: WormStore, prefix: str, name: str
) -> None:
    stored = bucket.put(f"{prefix}a", DATA, UNTIL)
    client = seaweed.client(name)
    target = {"Bucket": BUCKET, "Key": stored.key, "VersionId": stored.version_id}
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.delete_object(**target)
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.delete_object(**target, BypassGovernanceRetention=True)
    objects = [{"Key": stored.key, "VersionId": stored.version_id}]
    answer = client.delete_objects(Bucket=BUCKET, Delete={"Objects": objects})

    assert answer["Errors"][0]["Code"] == "AccessDenied"
    assert bucket.read(stored.key, stored.version_id, stored.size) == DATA


@pytest.mark.parametrize(
    "retention",
    [
        {"Mode": COMPLIANCE, "RetainUntilDate": UNTIL - timedelta(days=1)},
        {"Mode": "GOVERNANCE", "RetainUntilDate": UNTIL},
        {},
    ],
    ids=["shorter", "other-mode", "none"],
)
def test_nobody_weakens_a_lock(
    admin: Any, bucket: WormStore, prefix: str, retention: dict[str, Any]
) -> None:
    stored = bucket.put(f"{prefix}a", DATA, UNTIL)
    with pytest.raises(admin.exceptions.ClientError):
        admin.put_object_retention(
            Bucket=BUCKET,
            Key=stored.key,
            VersionId=stored.version_id,
            Retention=retention,
            BypassGovernanceRetention=True,
        )
    assert bucket.lock(stored.key, stored.version_id) == Lock(COMPLIANCE, UNTIL)


def test_versioning_of_a_bucket_that_locks_cannot_be_suspended(
    admin: Any, bucket: WormStore
) -> None:
    with pytest.raises(admin.exceptions.ClientError, match="InvalidBucketState"):
        admin.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    bucket.check()


@pytest.mark.parametrize(
    ("name", "status", "missing"),
    [
        ("plain", None, ["versioning is never enabled", "Object Lock is not enabled"]),
        ("suspended", "Suspended", ["versioning is suspended", "Object Lock is not enabled"]),
        ("versioned", "Enabled", ["Object Lock is not enabled"]),
    ],
)
def test_a_bucket_that_keeps_nothing_is_told_what_it_lacks(
    seaweed: Seaweed, admin: Any, name: str, status: str | None, missing: list[str]
) -> None:
    admin.create_bucket(Bucket=name)
    if status is not None:
        admin.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        admin.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    with WormStore(seaweed.settings("", bucket=name)) as store:
        with pytest.raises(EvidenceError, match=f"bucket {name} does not keep") as refused:
            store.check()
        assert str(refused.value).endswith("; ".join(missing))
        with pytest.raises(ReconcilerError):
            store.put("a", DATA, UNTIL)


def test_a_bucket_that_is_not_there_and_a_wrong_credential_are_named(
    seaweed: Seaweed, prefix: str
) -> None:
    with WormStore(seaweed.settings(prefix, bucket="no-such-bucket")) as store:
        with pytest.raises(StoreRefused, match="NoSuchBucket") as refused:
            store.check()
        assert "docs/retention.md" in refused.value.hint
    crossed = {"secret_key_file": seaweed.directory / "reader.secret"}
    with WormStore(seaweed.settings(prefix, **crossed)) as store:
        with pytest.raises(StoreRefused, match="SignatureDoesNotMatch") as refused:
            store.check()
        assert "credential files" in refused.value.hint


def test_a_reader_reads_and_does_not_write(
    seaweed: Seaweed, bucket: WormStore, prefix: str
) -> None:
    stored = bucket.put(f"{prefix}a", DATA, UNTIL)
    with WormStore(seaweed.settings(prefix, name="reader")) as reader:
        reader.check()
        assert reader.read(stored.key, stored.version_id, stored.size) == DATA
        assert reader.lock(stored.key, stored.version_id) == Lock(COMPLIANCE, UNTIL)
        with pytest.raises(StoreRefused, match="AccessDenied"):
            reader.put(f"{prefix}b", DATA, UNTIL)


def test_of_two_writers_at_once_there_is_one_first(seaweed: Seaweed, prefix: str) -> None:
    stores = [WormStore(seaweed.settings(prefix)) for _ in range(2)]
    for store in stores:
        store.check()
    contents = [b"one" * 500, b"two" * 500]
    for number in range(3):
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(_attempt, stores, itertools.repeat(number), contents))
        won = [result for result in results if isinstance(result, Stored)]
        assert len(won) == 1, results
        lost = next(result for result in results if not isinstance(result, Stored))
        assert isinstance(lost, ReconcilerError), lost
        held = stores[0].read(won[0].key, won[0].version_id, won[0].size)
        assert hashlib.sha256(held).hexdigest() == won[0].sha256
    for store in stores:
        store.close()


def _attempt(store: WormStore, number: int, data: bytes) -> Stored | ReconcilerError:
    try:
        return store.put(f"{store.settings.prefix}race-{number}", data, UNTIL)
    except ReconcilerError as error:
        return error


def test_two_writers_of_the_same_agree_on_the_version(seaweed: Seaweed, prefix: str) -> None:
    stores = [WormStore(seaweed.settings(prefix)) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(_attempt, stores, (0, 0), (DATA, DATA)))
    for store in stores:
        store.close()
    held = [result for result in results if isinstance(result, Stored)]

    assert held
    assert len(set(held)) == 1


def test_what_hides_the_first_version_does_not_become_ours(
    seaweed: Seaweed, bucket: WormStore, prefix: str
) -> None:
    """A delete marker lets IfNoneMatch pass: the store takes a second version."""
    first = bucket.put(f"{prefix}a", DATA, UNTIL)
    thief = seaweed.client("writer")
    thief.delete_object(Bucket=BUCKET, Key=first.key)

    with pytest.raises(EvidenceError, match="wrote to"):
        bucket.put(f"{prefix}a", b"other", UNTIL)
    assert bucket.put(f"{prefix}a", DATA, UNTIL).version_id == first.version_id


def test_an_object_that_somebody_put_there_without_a_lock_is_locked(
    seaweed: Seaweed, bucket: WormStore, prefix: str
) -> None:
    somebody = seaweed.client("writer")
    left = somebody.put_object(Bucket=BUCKET, Key=f"{prefix}a", Body=DATA)["VersionId"]
    stored = bucket.put(f"{prefix}a", DATA, UNTIL)

    assert stored.version_id == left
    assert bucket.lock(stored.key, left) == Lock(COMPLIANCE, UNTIL)


def test_an_object_that_is_locked_in_another_mode_is_not_taken(
    admin: Any, bucket: WormStore, prefix: str
) -> None:
    admin.put_object(
        Bucket=BUCKET,
        Key=f"{prefix}a",
        Body=DATA,
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=UNTIL,
    )
    with pytest.raises(EvidenceError, match="locked in mode GOVERNANCE, not in mode COMPLIANCE"):
        bucket.put(f"{prefix}a", DATA, UNTIL)


@pytest.mark.parametrize(
    ("data", "until", "message"),
    [
        (b"", UNTIL, "0 bytes cannot be one object"),
        (bytes(MAX_OBJECT + 1), UNTIL, "67,108,865 bytes cannot be one object"),
        (DATA, UNTIL.replace(tzinfo=None), "a lock cannot end at"),
        (DATA, UNTIL + timedelta(microseconds=1), "a lock cannot end at"),
    ],
    ids=["empty", "large", "zone", "microseconds"],
)
def test_what_cannot_be_stored_is_refused_before_anything_is_sent(
    bucket: WormStore, prefix: str, data: bytes, until: datetime, message: str
) -> None:
    with pytest.raises(EvidenceError, match=message):
        bucket.put(f"{prefix}a", data, until)
    assert bucket.versions(prefix) == []


def test_nothing_is_put_outside_the_prefix(seaweed: Seaweed, prefix: str) -> None:
    store = WormStore(seaweed.settings(prefix))
    for key in ("elsewhere/a", prefix[:-1], prefix + "x" * 1024):
        with pytest.raises(EvidenceError, match="is not below"):
            store.put(key, DATA, UNTIL)


def test_a_version_that_is_not_there_is_absent(bucket: WormStore, prefix: str) -> None:
    stored = bucket.put(f"{prefix}a", DATA, UNTIL)
    for key, version in ((stored.key, "0" * 32), (f"{prefix}b", stored.version_id)):
        with pytest.raises(StoreRefused) as refused:
            bucket.read(key, version, 5)
        assert refused.value.absent


def test_what_the_store_takes_when_the_time_is_past_is_an_error(
    bucket: WormStore, prefix: str
) -> None:
    with pytest.raises(MachineError, match="refused to write"):
        bucket.put(f"{prefix}a", DATA, datetime(2020, 1, 1, tzinfo=UTC))
