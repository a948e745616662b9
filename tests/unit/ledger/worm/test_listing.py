"""Listings: every page, within bounds, from a store that may lie."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.errors import EvidenceError
from reconciler.ledger.worm import listing

THEN = datetime(2026, 3, 1, tzinfo=UTC)


def line(key: str, version: str = "v1", **changes: Any) -> dict[str, Any]:
    given = {"Key": key, "VersionId": version, "Size": 5, "IsLatest": True, "LastModified": THEN}
    return {**given, **changes}


def pages(*answers: Mapping[str, Any]) -> tuple[listing.Ask, list[Mapping[str, Any]]]:
    asked: list[Mapping[str, Any]] = []

    def ask(start: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(start)
        return answers[len(asked) - 1]

    return ask, asked


def more(key: str, version: str) -> dict[str, Any]:
    return {"IsTruncated": True, "NextKeyMarker": key, "NextVersionIdMarker": version}


def test_all_pages_are_read_each_where_the_last_one_ended() -> None:
    ask, asked = pages(
        {"Versions": [line("p/a", "v2")], **more("p/a", "v2")},
        {"DeleteMarkers": [line("p/a", "m1")], **more("p/a", "m1")},
        {"Versions": [line("p/a", "v1", IsLatest=False)], "IsTruncated": False},
    )
    found = listing.versions(ask, "p/")

    assert [(v.version_id, v.marker, v.latest) for v in found] == [
        ("v2", False, True),
        ("m1", True, True),
        ("v1", False, False),
    ]
    assert asked == [
        {},
        {"KeyMarker": "p/a", "VersionIdMarker": "v2"},
        {"KeyMarker": "p/a", "VersionIdMarker": "m1"},
    ]


def test_without_a_version_id_it_is_the_null_version() -> None:
    ask, _ = pages({"Versions": [{k: v for k, v in line("p/a").items() if k != "VersionId"}]})

    assert listing.versions(ask, "p/")[0].version_id == "null"


@pytest.mark.parametrize(
    "answer",
    [
        {"Versions": [line("q/a")]},
        {"Versions": [line("")]},
        {"Versions": [line("p/" + "x" * 1024)]},
        {"Versions": [line("p/a", Size="5")]},
        {"Versions": [line("p/a", Size=-1)]},
        {"Versions": [line("p/a", Size=None)]},
        {"Versions": [line("p/a", LastModified="yesterday")]},
        {"Versions": [line("p/a", LastModified=THEN.replace(tzinfo=None))]},
        {"Versions": "x"},
        {"Versions": [line("p/a")], "IsTruncated": True},
        {"Versions": [line("p/a")], "IsTruncated": True, "NextKeyMarker": 5},
    ],
)
def test_a_line_that_cannot_be_is_refused(answer: Mapping[str, Any]) -> None:
    with pytest.raises(EvidenceError, match="no usable"):
        listing.versions(pages(answer)[0], "p/")


def test_a_listing_without_end_is_refused() -> None:
    same = {"Versions": [line("p/a")], **more("p/a", "v1")}
    empty = {"Versions": [], **more("p/a", "v2")}
    for answers in ((same, same), (empty,)):
        with pytest.raises(EvidenceError, match="does not end"):
            listing.versions(pages(*answers)[0], "p/")


def test_a_listing_that_is_too_long_is_refused() -> None:
    def ask(start: Mapping[str, Any]) -> Mapping[str, Any]:
        following = int(start.get("KeyMarker", "0")) + 1
        return {"Versions": [line(f"p/{following}")], **more(str(following), "v")}

    with pytest.raises(EvidenceError, match="more than 20 versions"):
        listing.versions(ask, "p/", most=20)
