"""Listings of versions: every page, within bounds, and strictly read.

S3 lists the versions of a key from the newest to the oldest.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from reconciler.errors import EvidenceError
from reconciler.ledger.worm.nouns import Version

MAX_LISTED = 200_000
"""Lines of a listing: six years of a copy every half hour are 105,000."""

Page = Mapping[str, Any]
Ask = Callable[[Mapping[str, Any]], Page]

_HINT = "See what wrote under that prefix, and whether the store is what it says it is."


def versions(ask: Ask, prefix: str, most: int = MAX_LISTED) -> list[Version]:
    """All versions and delete markers below a prefix.

    Args:
        ask: Gets one page of ``list_object_versions``, given where it begins.
        prefix: What their keys begin with.
        most: Lines that are read.

    Raises:
        EvidenceError: The listing has no end, or is none.
    """
    found: list[Version] = []
    for page in _pages(ask, most):
        for name in ("Versions", "DeleteMarkers"):
            found += (_version(line, prefix, name == "DeleteMarkers") for line in _list(page, name))
        if len(found) > most:
            message = f"there are more than {most:,} versions below {prefix}"
            raise EvidenceError(message, hint=_HINT)
    return found


def _pages(ask: Ask, most: int) -> Iterator[Page]:
    start: Mapping[str, Any] = {}
    # An honest page is never empty while there are more.
    for _ in range(most + 1):
        page = ask(start)
        yield page
        if page.get("IsTruncated") is not True:
            return
        following = {
            "KeyMarker": _text(page, "NextKeyMarker"),
            "VersionIdMarker": _text(page, "NextVersionIdMarker"),
        }
        if following == start or not (page.get("Versions") or page.get("DeleteMarkers")):
            break
        start = following
    raise EvidenceError("the store's listing does not end", hint=_HINT)


def _list(page: Page, name: str) -> Sequence[Mapping[str, Any]]:
    value = page.get(name, ())
    if not isinstance(value, list | tuple):
        raise _misread(name)
    return value


def _version(line: Mapping[str, Any], prefix: str, marker: bool) -> Version:
    key, modified = _text(line, "Key"), line.get("LastModified")
    size = 0 if marker else line.get("Size")
    if not key.startswith(prefix):
        raise _misread("Key")
    if not isinstance(modified, datetime) or modified.tzinfo is None:
        raise _misread("LastModified")
    if type(size) is not int or size < 0:
        raise _misread("Size")
    # A store that does not keep versions may leave the id out.
    version_id = _text(line, "VersionId") if line.get("VersionId") else "null"
    return Version(key, version_id, size, line.get("IsLatest") is True, marker, modified)


def _text(line: Mapping[str, Any], name: str) -> str:
    value = line.get(name)
    if not isinstance(value, str) or not value or len(value) > 1024:
        raise _misread(name)
    return value


def _misread(name: str) -> EvidenceError:
    return EvidenceError(f"the store's listing has no usable {name}", hint=_HINT)
