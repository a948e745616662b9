"""The body of a ``copy`` entry: which versions of which objects hold which entries."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.errors import EvidenceError, InputError
from reconciler.ledger.worm import bundles
from reconciler.ledger.worm.bundles import Span
from reconciler.ledger.worm.nouns import MAX_OBJECT, Stored
from reconciler.ledger.worm.settings import StoreSettings, check_place

MAX_OBJECTS = 1000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"[!-~]{1,1024}")
_KEY = re.compile(r"[A-Za-z0-9._/-]{1,1024}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_HINT = "A copy entry is written by the ledger; it is never edited."

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Copy:
    """What a copy entry says.

    Attributes:
        endpoint: Of the store.
        bucket: In it.
        objects: What the store has shown to hold.
        covers: The entries in them.
    """

    endpoint: str
    bucket: str
    objects: tuple[Stored, ...]
    covers: Span


def make_body(settings: StoreSettings, objects: Sequence[Stored], covers: Span) -> Body:
    """The body of a copy entry.

    Args:
        settings: Where the objects are.
        objects: What was stored, oldest entries first.
        covers: First and last entry in them.
    """
    return {
        "store": {"endpoint": settings.endpoint, "bucket": settings.bucket},
        "objects": [
            {
                "key": stored.key,
                "version_id": stored.version_id,
                "sha256": stored.sha256,
                "size": stored.size,
                "retain_until": stored.retain_until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            for stored in objects
        ],
        "covers": {"from": covers[0], "to": covers[1]},
    }


def read_body(body: Mapping[str, Any], client: str, host: str) -> Copy:
    """Read the body of a copy entry.

    Args:
        body: As it stands in the entry.
        client: Of the branch that the entry is on.
        host: Of that branch.

    Raises:
        EvidenceError: Another form; an object of somebody else; or objects that do not hold, one
            after the other, exactly the entries that it covers.
    """
    store = _fields(body, "store", {"endpoint", "bucket"})
    covers = _fields(body, "covers", {"from", "to"})
    if set(body) != {"store", "objects", "covers"}:
        raise _refusal("it has other fields than store, objects and covers")
    listed = body["objects"]
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_OBJECTS:
        raise _refusal(f"it names no objects, or more than {MAX_OBJECTS:,}")
    endpoint, bucket = _place(store)
    objects = tuple(map(_stored, listed))
    span = (_number(covers, "from"), _number(covers, "to"))
    _check_spans(objects, span, f"{client}/{host}/")
    return Copy(endpoint, bucket, objects, span)


def _place(store: Mapping[str, Any]) -> tuple[str, str]:
    endpoint, bucket = store["endpoint"], store["bucket"]
    if not isinstance(endpoint, str) or not isinstance(bucket, str):
        raise _refusal("its store is not text")
    try:
        check_place(endpoint, bucket)
    except InputError as error:
        raise _refusal("its store is no place for copies") from error
    return endpoint, bucket


def _stored(value: Any) -> Stored:
    names = {"key", "version_id", "sha256", "size", "retain_until"}
    if not isinstance(value, dict) or set(value) != names:
        raise _refusal("an object has other fields than it should")
    size = _number(value, "size")
    if not 1 <= size <= MAX_OBJECT:
        raise _refusal(f"an object has {size} bytes")
    until = _text(value, "retain_until", _TIME)
    try:
        end = datetime.strptime(until, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise _refusal(f"{until} is no time") from error
    key, sha256 = _text(value, "key", _KEY), _text(value, "sha256", _SHA256)
    return Stored(key, _text(value, "version_id", _VERSION), sha256, size, end)


def _check_spans(objects: Sequence[Stored], span: Span, end: str) -> None:
    following = span[0]
    for stored in objects:
        place, _, _ = stored.key.rpartition("/")
        named = bundles.parse_key(f"{place}/", stored.key)
        if named is None or not f"/{place}/".endswith(f"/{end}"):
            raise _refusal(f"{stored.key} is not a bundle of {end[:-1]}")
        if named.first != following or named.sha256 != stored.sha256[:16]:
            raise _refusal(f"{stored.key} does not fit the objects before it, or its digest")
        following = named.last + 1
    if following != span[1] + 1:
        raise _refusal(f"its objects do not hold entries {span[0]} to {span[1]}")


def _fields(body: Mapping[str, Any], name: str, fields: set[str]) -> Mapping[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict) or set(value) != fields:
        raise _refusal(f"its {name} has other fields than {' and '.join(sorted(fields))}")
    return value


def _number(value: Mapping[str, Any], name: str) -> int:
    number = value[name]
    if type(number) is not int or number < 0:
        raise _refusal(f"{name} is not a number")
    return number


def _text(value: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    text = value[name]
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise _refusal(f"{name} of an object has another form")
    return text


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(f"copy entry cannot be read: {message}", hint=_HINT)
