"""From a ledger to a store and back: what comes back is the same history, byte for byte."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import canonical
from reconciler.evidence.statement import Kind
from reconciler.ledger.verify import verify
from reconciler.ledger.worm import bundles, keeper
from reconciler.ledger.worm.audit import audit_copy
from reconciler.ledger.worm.body import Body, read_body
from reconciler.ledger.worm.keeper import Point, copy_new
from reconciler.ledger.worm.nouns import Stored
from reconciler.ledger.worm.rebuild import rebuild
from reconciler.ledger.worm.retention import retain_until
from reconciler.ledger.worm.store import WormStore
from tests.support.ledger_rig import SUBJECT, Rig, git, make_rig
from tests.support.seaweed import Seaweed

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

REF = "refs/heads/smile/desk"
NOW = datetime.now(UTC)
_numbers = itertools.count()


@pytest.fixture
def bucket(seaweed: Seaweed) -> Iterator[WormStore]:
    with WormStore(seaweed.settings(f"copies-{next(_numbers)}/")) as store:
        yield store


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Genesis and three runs."""
    rig = make_rig(tmp_path)
    with rig.create() as ledger:
        for _ in range(3):
            rig.run(ledger)
    return rig


def tip(rig: Rig) -> Point:
    with rig.open() as ledger:
        return ledger.tip.seq, rig.git("rev-parse", REF).stdout.strip()


def copy(rig: Rig, store: WormStore, last: Point | None) -> tuple[Body, Point]:
    """Copy what is new, and record it as the engine does."""
    newest = tip(rig)
    body = copy_new(rig.path, REF, last, newest, store, NOW)
    assert body is not None
    assert canonical.decode(canonical.encode(body)) == body
    with rig.open() as ledger:
        ledger.append(Kind.COPY, body, at=rig.tick(), subject=SUBJECT)
    return body, newest


def objects(*bodies: Body) -> list[Stored]:
    return [each for body in bodies for each in read_body(body, "smile", "desk").objects]


def more(rig: Rig, count: int) -> None:
    with rig.open() as ledger:
        for _ in range(count):
            rig.run(ledger)


def test_a_ledger_is_copied_piece_by_piece_and_rebuilt_the_same(
    rig: Rig, bucket: WormStore, tmp_path: Path
) -> None:
    bodies, last = [], None
    for count in (0, 2, 5):
        more(rig, count)
        body, last = copy(rig, bucket, last)
        bodies.append(body)
    # The newest copy entry itself is not copied yet.
    assert last is not None
    spans = [read_body(body, "smile", "desk").covers for body in bodies]
    assert spans == [(0, 3), (4, 6), (7, 12)]

    made = tmp_path / "rebuilt.git"
    rebuilt = rebuild(bucket, "smile", "desk", made)

    assert rebuilt.ok
    assert (rebuilt.last, rebuilt.tip) == last
    assert list(rebuilt.keys) == [stored.key for stored in objects(*bodies)]
    assert git(made, "fsck", "--strict", "--full").returncode == 0
    assert git(made, "rev-parse", REF).stdout.strip() == last[1]
    assert git(made, "rev-list", REF).stdout == rig.git("rev-list", last[1]).stdout
    checked = verify(made, rig.signers)
    assert checked.ok, checked.sentence


def test_stock_git_rebuilds_it_from_the_same_objects(
    rig: Rig, bucket: WormStore, tmp_path: Path
) -> None:
    first, last = copy(rig, bucket, None)
    second, last = copy(rig, bucket, last)
    assert git(tmp_path, "init", "--bare", "stock.git").returncode == 0
    for number, stored in enumerate(objects(first, second)):
        file = tmp_path / f"{number}.bundle"
        file.write_bytes(bucket.read(stored.key, stored.version_id, stored.size))
        done = git(tmp_path / "stock.git", "fetch", str(file), "refs/heads/*:refs/heads/*")
        assert done.returncode == 0, done.stderr

    assert git(tmp_path / "stock.git", "rev-parse", REF).stdout.strip() == last[1]
    assert git(tmp_path / "stock.git", "fsck", "--strict").returncode == 0


def test_an_honest_copy_has_no_findings(rig: Rig, bucket: WormStore, seaweed: Seaweed) -> None:
    first, last = copy(rig, bucket, None)
    second, _ = copy(rig, bucket, last)
    under = bundles.folder(bucket.settings.prefix, "smile", "desk")

    with WormStore(seaweed.settings(bucket.settings.prefix, name="reader")) as reader:
        assert audit_copy(reader, objects(first, second), NOW, under=under) == []
        # Long after, when their time has ended and the store has kept them all the same.
        late = NOW + timedelta(days=365 * 8)
        assert audit_copy(reader, objects(first, second), late, under=under) == []


def test_objects_are_kept_for_six_years_or_as_long_as_the_client_asked(
    rig: Rig, seaweed: Seaweed
) -> None:
    for years in (6, 10):
        settings = seaweed.settings(f"years-{years}/", years=years)
        with WormStore(settings) as store:
            body = copy_new(rig.path, REF, None, tip(rig), store, NOW)
            assert body is not None
            assert objects(body)[0].retain_until == retain_until(NOW, years=years)


def test_when_nothing_is_new_nothing_is_copied(rig: Rig, bucket: WormStore) -> None:
    newest = tip(rig)

    assert copy_new(rig.path, REF, newest, newest, bucket, NOW) is None
    assert bucket.versions(bucket.settings.prefix) == []


def test_a_copy_that_was_cut_off_is_found_again_and_recorded(
    rig: Rig, bucket: WormStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died between the store and the ledger; meanwhile the ledger grew."""
    monkeypatch.setattr(keeper, "MOST_ENTRIES", 3)
    lost = copy_new(rig.path, REF, None, tip(rig), bucket, NOW)
    assert lost is not None
    more(rig, 4)
    body, _ = copy(rig, bucket, None)
    under = bundles.folder(bucket.settings.prefix, "smile", "desk")

    assert objects(body)[:2] == objects(lost)
    assert read_body(body, "smile", "desk").covers == (0, 7)
    assert audit_copy(bucket, objects(body), NOW, under=under) == []


def test_what_is_too_large_for_one_object_is_divided(
    rig: Rig, bucket: WormStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more(rig, 8)
    monkeypatch.setattr(keeper, "MAX_OBJECT", 2500)
    body, last = copy(rig, bucket, None)
    parts = [
        bundles.parse_key(stored.key.rpartition("/")[0] + "/", stored.key)
        for stored in objects(body)
    ]

    assert len(parts) > 3
    assert rebuild(bucket, "smile", "desk", tmp_path / "rebuilt.git").tip == last[1]


def test_a_history_that_was_changed_after_the_copy_is_not_copied_on(
    rig: Rig, bucket: WormStore, tmp_path: Path
) -> None:
    _, last = copy(rig, bucket, None)
    (tmp_path / "other").mkdir()
    other = replace(make_rig(tmp_path / "other"), at=rig.at)
    with other.create() as ledger:
        for _ in range(8):
            other.run(ledger)

    newest = tip(rig)
    for path, copied, claimed in (
        (other.path, last, tip(other)),
        (rig.path, last, (newest[0] + 1, newest[1])),
        (rig.path, last, (newest[0], "0" * 40)),
        (rig.path, None, (newest[0] - 1, newest[1])),
        (rig.path, None, (newest[0] + 1, newest[1])),
        (rig.path, (last[0] - 1, last[1]), newest),
    ):
        with pytest.raises(EvidenceError):
            pytest.fail(f"copied: {copy_new(path, REF, copied, claimed, bucket, NOW)}")
    with pytest.raises(EvidenceError, match="does not continue what was copied, entry 3"):
        copy_new(other.path, REF, last, tip(other), bucket, NOW)
    assert len(bucket.versions(bucket.settings.prefix)) == 1


def test_without_a_bucket_that_locks_nothing_is_copied(rig: Rig, seaweed: Seaweed) -> None:
    seaweed.client("admin").create_bucket(Bucket="open-bucket")
    with WormStore(seaweed.settings("", bucket="open-bucket")) as store:
        with pytest.raises(EvidenceError, match="Object Lock is not enabled"):
            copy_new(rig.path, REF, None, tip(rig), store, NOW)
        assert store.versions("") == []


def test_there_is_nothing_to_rebuild_from_an_empty_store(bucket: WormStore, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="begins the ledger of smile/desk"):
        rebuild(bucket, "smile", "desk", tmp_path / "rebuilt.git")
    assert not (tmp_path / "rebuilt.git").exists()
