"""What somebody with the writer's, the owner's or the operator's hands does to the copies.

The audit finds each, names the object and the version; a ledger is rebuilt from the first versions
or not at all. ``thief`` holds the appliance's credential, ``owner`` administers the bucket, and
``operator`` has the disks behind the store: S3 cannot refuse him, so he can only be found.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import EvidenceError
from reconciler.ledger.packing.bundle import write_bundle
from reconciler.ledger.verify import verify
from reconciler.ledger.worm import bundles
from reconciler.ledger.worm.audit import audit_copy
from reconciler.ledger.worm.body import read_body
from reconciler.ledger.worm.keeper import Point, copy_new
from reconciler.ledger.worm.nouns import COMPLIANCE, Finding, Problem, Stored
from reconciler.ledger.worm.rebuild import Rebuilt, rebuild
from reconciler.ledger.worm.retention import retain_until
from reconciler.ledger.worm.store import WormStore
from tests.support.ledger_rig import Rig, make_rig
from tests.support.seaweed import BUCKET, Seaweed, seaweed

__all__ = ["seaweed"]

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

REF = "refs/heads/smile/desk"
NOW = datetime.now(UTC)
UNTIL = retain_until(NOW)
_numbers = itertools.count()


@dataclass
class Copied:
    """A ledger of nine entries in three bundles, and who can reach them."""

    rig: Rig
    store: WormStore
    stored: tuple[Stored, ...]
    tips: tuple[Point, ...]
    seaweed: Seaweed

    @property
    def thief(self) -> Any:
        return self.seaweed.client("writer")

    @property
    def owner(self) -> Any:
        return self.seaweed.client("admin")

    @property
    def under(self) -> str:
        return bundles.folder(self.store.settings.prefix, "smile", "desk")

    @property
    def target(self) -> dict[str, str]:
        """The middle one, as an attacker addresses it."""
        return {"Bucket": BUCKET, "Key": self.stored[1].key}

    def audit(self, expected: Sequence[Stored] | None = None, now: datetime = NOW) -> list[Finding]:
        return audit_copy(self.store, expected or self.stored, now, under=self.under)

    def rebuild(self, **options: Any) -> Rebuilt:
        made = self.rig.directory / f"rebuilt-{next(_numbers)}.git"
        rebuilt = rebuild(self.store, "smile", "desk", made, **options)
        assert verify(made, self.rig.signers).ok
        return rebuilt

    def operate(self, method: str, path: str, body: bytes = b"", **attributes: str) -> int:
        """Past S3, straight at the filer."""
        connection = HTTPConnection("127.0.0.1", self.seaweed.ports["filer"], timeout=10)
        headers = {f"Seaweed-X-Amz-{k.replace('_', '-')}": v for k, v in attributes.items()}
        headers["Content-Type"] = "application/octet-stream"
        connection.request(method, f"/buckets/{BUCKET}/{path}", body, headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def forge(self, span: tuple[int, int], data: bytes) -> str:
        """An object with the right name for its content, by somebody with the credential."""
        key = bundles.key_of(self.under, span, data)
        self.thief.put_object(Bucket=BUCKET, Key=key, Body=data)
        return key


@pytest.fixture
def copied(seaweed: Seaweed, tmp_path: Path) -> Iterator[Copied]:
    rig = make_rig(tmp_path)
    stored: list[Stored] = []
    tips: list[Point] = []
    with WormStore(seaweed.settings(f"attacks-{next(_numbers)}/")) as store:
        with rig.create() as ledger:
            for _ in range(3):
                rig.run(ledger)
                seq = rig.run(ledger).seq
                tip = (seq, rig.git("rev-parse", REF).stdout.strip())
                body = copy_new(rig.path, REF, tips[-1] if tips else None, tip, store, NOW)
                assert body is not None
                stored += read_body(body, "smile", "desk").objects
                tips.append(tip)
        yield Copied(rig, store, tuple(stored), tuple(tips), seaweed)


def only(findings: Sequence[Finding], problem: Problem, stored: Stored) -> Finding:
    """The one finding, about that version of that object."""
    assert [(f.problem, f.key) for f in findings] == [(problem, stored.key)], findings
    finding = findings[0]
    assert str(finding).startswith(f"{problem} at {stored.key} version {finding.version_id}: ")
    return finding


def test_an_object_that_was_written_over(copied: Copied) -> None:
    over = copied.thief.put_object(**copied.target, Body=b"nothing happened")["VersionId"]
    finding = only(copied.audit(), Problem.OVERWRITTEN, copied.stored[1])
    rebuilt = copied.rebuild()

    assert finding.version_id == over
    assert copied.stored[1].version_id in finding.message
    assert (rebuilt.last, rebuilt.tip) == copied.tips[-1]
    assert [f.problem for f in rebuilt.findings] == [Problem.OVERWRITTEN]


def test_an_object_that_was_written_over_with_its_own_content(copied: Copied) -> None:
    """The newer one has no lock: whoever trusts the key alone loses it later."""
    data = copied.store.read(copied.stored[1].key, copied.stored[1].version_id, 10**6)
    over = copied.thief.put_object(**copied.target, Body=data)["VersionId"]

    assert only(copied.audit(), Problem.OVERWRITTEN, copied.stored[1]).version_id == over


def test_an_object_that_was_hidden_by_a_delete_marker(copied: Copied) -> None:
    marker = copied.thief.delete_object(**copied.target)["VersionId"]
    finding = only(copied.audit(), Problem.DELETED, copied.stored[1])
    rebuilt = copied.rebuild()

    assert finding.version_id == marker
    assert (rebuilt.last, rebuilt.tip) == copied.tips[-1]
    assert [f.problem for f in rebuilt.findings] == [Problem.DELETED]


def test_versions_and_markers_by_the_hundred(copied: Copied) -> None:
    """More than one page of a listing, with the recorded version on the last."""
    for number in range(60):
        copied.thief.put_object(**copied.target, Body=b"%d" % number)
        copied.thief.delete_object(**copied.target)
    asked = copied.store._ask

    def small_pages(operation: str, what: str, **fields: Any) -> Any:
        more = {"MaxKeys": 50} if operation == "list_object_versions" else {}
        return asked(operation, what, **fields, **more)

    copied.store._ask = small_pages  # type: ignore[method-assign]
    problems = [finding.problem for finding in copied.audit()]

    assert problems.count(Problem.OVERWRITTEN) == 60
    assert problems.count(Problem.DELETED) == 60
    assert len(problems) == 120
    assert copied.rebuild().tip == copied.tips[-1][1]


def test_an_object_that_the_operator_deleted_from_the_disks(copied: Copied) -> None:
    stored = copied.stored[1]
    for suffix in ("", ".versions"):
        copied.operate("DELETE", f"{stored.key}{suffix}?recursive=true")
    finding = only(copied.audit(), Problem.MISSING, stored)
    rebuilt = copied.rebuild()

    assert finding.version_id == stored.version_id
    assert (rebuilt.last, rebuilt.tip) == copied.tips[0]
    holes = [f.message for f in rebuilt.findings]
    assert [f.problem for f in rebuilt.findings] == [Problem.HOLE, Problem.HOLE]
    assert holes[0] == "no bundle holds entries 3 to 4"
    assert holes[1].startswith("entries 3 to 6 are not rebuilt")
    # When its time is over it may be gone, which is still said.
    only(copied.audit(now=stored.retain_until), Problem.ENDED, stored)


def test_content_that_the_operator_changed_on_the_disks(copied: Copied) -> None:
    stored = copied.stored[1]
    path = f"{stored.key}.versions/v_{stored.version_id}"
    changed = bytearray(copied.store.read(stored.key, stored.version_id, stored.size))
    changed[-30] ^= 1
    attributes = {
        "Version_Id": stored.version_id,
        "Object_Lock_Mode": COMPLIANCE,
        "Retention_Until_Date": f"{stored.retain_until.timestamp():.0f}",
    }
    for name, data in (("bit", bytes(changed)), ("short", b"x"), ("long", bytes(changed) + b"x")):
        status = copied.operate("PUT", path, data, **attributes)
        assert status in (200, 201), name
        problems = {f.problem for f in copied.audit() if f.key == stored.key}
        assert problems == {Problem.CONTENT}, name
    rebuilt = copied.rebuild()
    assert (rebuilt.last, rebuilt.tip) == copied.tips[0]
    assert rebuilt.findings[0].problem is Problem.CONTENT
    assert rebuilt.findings[0].key == stored.key


def _under_other_lock(copied: Copied, mode: str | None, until: datetime) -> Stored:
    """An object that the ledger records, but which a lying appliance locked in another way."""
    data = b"evidence"
    key = bundles.key_of(copied.under, (7, 9), data)
    lock = {} if mode is None else {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": until}
    version = copied.owner.put_object(Bucket=BUCKET, Key=key, Body=data, **lock)["VersionId"]
    return Stored(key, version, hashlib.sha256(data).hexdigest(), len(data), UNTIL)


def test_a_lock_that_the_owner_may_end_and_then_shortened(copied: Copied) -> None:
    weak = _under_other_lock(copied, "GOVERNANCE", UNTIL)
    only(copied.audit([*copied.stored, weak]), Problem.MODE, weak)
    copied.owner.put_object_retention(
        Bucket=BUCKET,
        Key=weak.key,
        VersionId=weak.version_id,
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": NOW + timedelta(days=90)},
        BypassGovernanceRetention=True,
    )
    found = copied.audit([*copied.stored, weak])

    assert [f.problem for f in found] == [Problem.MODE, Problem.SHORTENED, Problem.TOO_SHORT]
    assert {(f.key, f.version_id) for f in found} == {(weak.key, weak.version_id)}
    assert f"not {UNTIL:%Y-%m-%dT%H:%M:%SZ}" in found[1].message


def test_an_object_that_was_recorded_and_never_locked(copied: Copied) -> None:
    weak = _under_other_lock(copied, None, UNTIL)
    finding = only(copied.audit([*copied.stored, weak]), Problem.NOT_LOCKED, weak)

    assert finding.version_id == weak.version_id


def test_a_retention_that_was_recorded_as_short_as_it_is(copied: Copied) -> None:
    """Ledger and store agree, and both say less than six years."""
    soon = (NOW + timedelta(days=730)).replace(microsecond=0)
    weak = replace(_under_other_lock(copied, COMPLIANCE, soon), retain_until=soon)
    finding = only(copied.audit([*copied.stored, weak]), Problem.TOO_SHORT, weak)

    assert "before six years" in finding.message


def test_something_else_was_there_before(copied: Copied) -> None:
    stored = copied.stored[1]
    data = copied.store.read(stored.key, stored.version_id, stored.size)
    key = bundles.key_of(copied.under, (7, 9), data)
    first = copied.thief.put_object(Bucket=BUCKET, Key=key, Body=b"forged")["VersionId"]
    with pytest.raises(EvidenceError, match=f"first: version {first} holds something else"):
        copied.store.put(key, data, UNTIL)
    version = copied.thief.put_object(
        Bucket=BUCKET,
        Key=key,
        Body=data,
        ObjectLockMode=COMPLIANCE,
        ObjectLockRetainUntilDate=UNTIL,
    )["VersionId"]
    recorded = replace(stored, key=key, version_id=version)
    finding = only(copied.audit([*copied.stored, recorded]), Problem.EARLIER, recorded)

    assert finding.version_id == first


def test_objects_that_no_entry_records(copied: Copied) -> None:
    keys = [copied.forge((7, 9), b"junk"), f"{copied.under}readme", f"{copied.under}x/y.bundle"]
    for key in keys[1:]:
        copied.thief.put_object(Bucket=BUCKET, Key=key, Body=b"hello")
    copied.thief.delete_object(Bucket=BUCKET, Key=f"{copied.under}gone")
    found = copied.audit()

    assert {f.problem for f in found} == {Problem.UNRECORDED}
    assert [f.key for f in found] == sorted([*keys, f"{copied.under}gone"])


def test_a_bucket_that_does_not_lock_is_a_finding_even_if_all_is_there(
    copied: Copied, seaweed: Seaweed
) -> None:
    name = f"lying-{next(_numbers)}"
    copied.owner.create_bucket(Bucket=name)
    copied.owner.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    stored = copied.stored[0]
    data = copied.store.read(stored.key, stored.version_id, stored.size)
    version = copied.owner.put_object(Bucket=name, Key=stored.key, Body=data)["VersionId"]
    copied.owner.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    settings = replace(copied.store.settings, bucket=name)
    with WormStore(settings) as store:
        expected = [replace(stored, version_id=version)]
        found = audit_copy(store, expected, NOW, under=copied.under)

    assert [f.problem for f in found] == [Problem.BUCKET, Problem.BUCKET, Problem.NOT_LOCKED]
    assert "versioning is suspended" in found[0].message
    assert "Object Lock is not enabled" in found[1].message


def test_a_copy_that_is_not_there_at_all(copied: Copied, seaweed: Seaweed) -> None:
    other = replace(copied.store.settings, prefix="nowhere/")
    with WormStore(other) as store:
        moved = [replace(s, key=f"nowhere/{s.key}") for s in copied.stored]
        found = audit_copy(store, moved, NOW, under="nowhere/")

    assert [(f.problem, f.key) for f in found] == [(Problem.MISSING, s.key) for s in moved]


Forgery = Callable[[Copied], bytes]


def _of_another_ledger(copied: Copied) -> bytes:
    """The same entries of another appliance, under this one's name."""
    directory = copied.rig.directory / "other"
    directory.mkdir()
    other = make_rig(directory)
    with other.create() as ledger:
        for _ in range(8):
            other.run(ledger)
    return _bundle(other, None, other.git("rev-parse", REF).stdout.strip())


def _bundle(rig: Rig, old: str | None, new: str) -> bytes:
    target = rig.directory / "forged.bundle"
    write_bundle(rig.path, REF, old, new, target)
    return target.read_bytes()


def _another_branch(copied: Copied) -> bytes:
    good = _bundle(copied.rig, copied.tips[2][1], _next_tip(copied))
    return good.replace(REF.encode(), b"refs/heads/smile/kiosk")


def _older_base(copied: Copied) -> bytes:
    return _bundle(copied.rig, copied.tips[0][1], _next_tip(copied))


def _next_tip(copied: Copied) -> str:
    with copied.rig.open() as ledger:
        copied.rig.run(ledger)
    return copied.rig.git("rev-parse", REF).stdout.strip()


@pytest.mark.parametrize(
    "forgery",
    [lambda _: b"junk", lambda _: b"", _of_another_ledger, _another_branch, _older_base],
    ids=["junk", "empty", "other-ledger", "other-branch", "older-base"],
)
def test_a_forged_bundle_that_leads_further_is_left_out(copied: Copied, forgery: Forgery) -> None:
    key = copied.forge((7, 99), forgery(copied))
    rebuilt = copied.rebuild()

    assert (rebuilt.last, rebuilt.tip) == copied.tips[-1]
    assert rebuilt.findings[0].key == key
    assert rebuilt.findings[0].problem is Problem.CONTENT
    assert not rebuilt.ok


def test_a_forged_bundle_of_entries_that_are_there_already_is_left_out(copied: Copied) -> None:
    keys = [copied.forge(span, b"junk %d" % span[0]) for span in ((0, 99), (1, 2), (3, 6), (3, 4))]
    rebuilt = copied.rebuild()

    assert rebuilt.tip == copied.tips[-1][1]
    assert not set(keys) & set(rebuilt.keys)
    assert rebuilt.findings[0].key == keys[0]
    assert rebuilt.findings[-1].problem is Problem.HOLE
    assert {f.key for f in rebuilt.findings[:-1]} <= set(keys)


def test_a_bundle_whose_name_says_more_than_it_holds_can_be_left_out(copied: Copied) -> None:
    key = copied.forge((7, 99), _bundle(copied.rig, copied.tips[2][1], _next_tip(copied)))
    with pytest.raises(EvidenceError, match="hold 8 entries, and their names say 100") as refused:
        copied.rebuild()
    assert "leave the named object out" in refused.value.hint
    rebuilt = copied.rebuild(without={key})

    assert (rebuilt.last, rebuilt.tip) == copied.tips[-1]


def test_a_bundle_with_a_broken_pack_is_named_and_can_be_left_out(copied: Copied) -> None:
    heading = f"# v2 git bundle\n-{copied.tips[2][1]}\n{'0' * 40} {REF}\n\nPACK".encode()
    key = copied.forge((7, 99), heading)
    with pytest.raises(EvidenceError, match=key.rpartition("/")[2]):
        copied.rebuild()
    assert copied.rebuild(without={key}).tip == copied.tips[-1][1]


def test_what_was_stored_under_a_wrong_digest_is_left_out(copied: Copied) -> None:
    data = _bundle(copied.rig, copied.tips[2][1], _next_tip(copied))
    key = bundles.key_of(copied.under, (7, 7), b"other content")
    copied.thief.put_object(Bucket=BUCKET, Key=key, Body=data)
    rebuilt = copied.rebuild()

    assert rebuilt.tip == copied.tips[-1][1]
    assert "not what its name says" in rebuilt.findings[0].message
