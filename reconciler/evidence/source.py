"""Where raw Git objects come from: the only thing an audit needs from the world."""

import hashlib
from collections.abc import Mapping
from typing import Protocol

from reconciler.errors import EvidenceError


class ObjectSource(Protocol):
    """A store of Git objects and references."""

    def read(self, oid: str) -> tuple[str, bytes]:
        """Type (``commit``, ``tree``, ``blob``, ``tag``) and raw content of an object.

        The content is proven to hash to ``oid``.

        Raises:
            EvidenceError: Missing, damaged, too large, or it hashes to something else.
        """
        ...

    def ref(self, name: str) -> str | None:
        """The object id that a full reference name points to, None if there is no such name."""
        ...

    def refs(self) -> Mapping[str, str]:
        """All references under ``refs/`` with their object ids."""
        ...


def read_as(source: ObjectSource, kind: str, oid: str) -> bytes:
    """Raw content of an object that must be of one type.

    Raises:
        EvidenceError: As `ObjectSource.read`, or another type.
    """
    found, data = source.read(oid)
    if found != kind:
        message = f"object {oid} is a {found}, not a {kind}"
        raise EvidenceError(message, hint="Something else was put in its place.")
    return data


def framed(kind: str, raw: bytes) -> bytes:
    """An object as Git hashes it: ``<kind> <size>`` NUL, then the content."""
    return b"%b %d\x00%b" % (kind.encode(), len(raw), raw)


def object_id(kind: str, raw: bytes) -> str:
    """The object id, 40 hex digits. Integrity over time rests on the SHA-256 chain, not on this."""
    return hashlib.sha1(framed(kind, raw), usedforsecurity=False).hexdigest()
