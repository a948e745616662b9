"""The body of a copy entry: written in one form, read strictly."""

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import canonical
from reconciler.ledger.worm import bundles
from reconciler.ledger.worm.body import make_body, read_body
from reconciler.ledger.worm.nouns import MAX_OBJECT, Stored
from reconciler.ledger.worm.settings import StoreSettings

SETTINGS = StoreSettings(
    "https://s3.example.org", "evidence", "eu-central-1", "msp/", Path("id"), Path("secret")
)
PLACE = bundles.folder("msp/", "smile", "desk")
UNTIL = datetime(2032, 3, 3, tzinfo=UTC)


def stored(first: int, last: int) -> Stored:
    digest = f"{first:064x}"
    key = f"{PLACE}{first:08d}-{last:08d}-{digest[:16]}.bundle"
    return Stored(key, "v1.x", digest, 5000, UNTIL)


OBJECTS = (stored(7, 20), stored(21, 21))
BODY = make_body(SETTINGS, OBJECTS, (7, 21))


def test_what_was_written_is_read_back() -> None:
    assert canonical.decode(canonical.encode(BODY)) == BODY
    read = read_body(BODY, "smile", "desk")

    assert read.objects == OBJECTS
    assert read.covers == (7, 21)
    assert (read.endpoint, read.bucket) == ("https://s3.example.org", "evidence")


def test_it_has_the_form_of_the_format() -> None:
    one = make_body(SETTINGS, OBJECTS[1:], (21, 21))

    assert one == {
        "store": {"endpoint": "https://s3.example.org", "bucket": "evidence"},
        "objects": [
            {
                "key": OBJECTS[1].key,
                "version_id": "v1.x",
                "sha256": OBJECTS[1].sha256,
                "size": 5000,
                "retain_until": "2032-03-03T00:00:00Z",
            }
        ],
        "covers": {"from": 21, "to": 21},
    }


def _set(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        inner: Any = body
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = to

    return change


def _drop(*path: Any) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        inner: Any = body
        for name in path[:-1]:
            inner = inner[name]
        del inner[path[-1]]

    return change


WRONG = {
    "no-store": _drop("store"),
    "no-objects": _drop("objects"),
    "no-covers": _drop("covers"),
    "more": _set("more", to=1),
    "store-is-text": _set("store", to="evidence"),
    "store-more": _set("store", "more", to=1),
    "bucket-is-number": _set("store", "bucket", to=3),
    "bucket-is-no-name": _set("store", "bucket", to="../x"),
    "endpoint-not-https": _set("store", "endpoint", to="http://s3.example.org"),
    "endpoint-with-user": _set("store", "endpoint", to="https://u:p@s3.example.org"),
    "objects-empty": _set("objects", to=[]),
    "objects-many": _set("objects", to=[BODY["objects"][0]] * 1001),
    "objects-is-object": _set("objects", to={}),
    "object-is-text": _set("objects", 0, to="x"),
    "object-lacks-version": _drop("objects", 0, "version_id"),
    "object-more": _set("objects", 0, "more", to=1),
    "version-empty": _set("objects", 0, "version_id", to=""),
    "version-control": _set("objects", 0, "version_id", to="a\x1b[2J"),
    "sha256-short": _set("objects", 0, "sha256", to="ab"),
    "sha256-other": _set("objects", 0, "sha256", to="e" * 64),
    "size-zero": _set("objects", 0, "size", to=0),
    "size-huge": _set("objects", 0, "size", to=MAX_OBJECT + 1),
    "size-true": _set("objects", 0, "size", to=True),
    "until-no-day": _set("objects", 0, "retain_until", to="2032-02-30T00:00:00Z"),
    "until-no-zone": _set("objects", 0, "retain_until", to="2032-02-20T00:00:00"),
    "until-number": _set("objects", 0, "retain_until", to=5),
    "key-of-another": _set(
        "objects", 0, "key", to=OBJECTS[0].key.replace("smile/desk", "smile/other")
    ),
    "key-of-a-longer-name": _set("objects", 0, "key", to=f"msp/x{OBJECTS[0].key[4:]}"),
    "key-no-bundle": _set("objects", 0, "key", to=f"{PLACE}readme"),
    "covers-more": _set("covers", "to", to=22),
    "covers-less": _set("covers", "from", to=8),
    "covers-negative": _set("covers", "from", to=-1),
    "covers-backwards": _set("covers", to={"from": 21, "to": 7}),
    "hole": _drop("objects", 0),
    "order": _set("objects", to=BODY["objects"][::-1]),
    "twice": _set("objects", to=[*BODY["objects"], BODY["objects"][1]]),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_another_form_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    body = copy.deepcopy(BODY)
    change(body)

    with pytest.raises(EvidenceError, match="copy entry cannot be read"):
        read_body(body, "smile", "desk")


def test_a_copy_of_somebody_elses_ledger_is_refused() -> None:
    for client, host in (("smile", "front"), ("other", "desk"), ("ile", "desk")):
        with pytest.raises(EvidenceError, match="is not a bundle of"):
            read_body(BODY, client, host)


def test_without_a_prefix_it_is_read_too() -> None:
    bare = [replace(each, key=each.key.removeprefix("msp/")) for each in OBJECTS]

    assert read_body(make_body(SETTINGS, bare, (7, 21)), "smile", "desk").covers == (7, 21)
