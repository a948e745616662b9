"""What reports on the evidence of many hosts share: who was heard, and how a person takes over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.report.table import clean

SHOWN = 10
"""Names that a list has before the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Whose evidence there is.

    Attributes:
        hosts: Hosts of the fleet whose evidence was read.
        silent: Hosts that were asked about, of which no evidence was given.
        unread: Why the evidence of a host could not be read, by target.
        strangers: Branches of what is no host of the fleet.
    """

    hosts: tuple[str, ...]
    silent: tuple[str, ...]
    unread: Mapping[str, str]
    strangers: tuple[str, ...]

    def to_document(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "hosts": list(self.hosts),
            "silent": list(self.silent),
            "unread": dict(self.unread),
            "strangers": list(self.strangers),
        }

    def lines(self) -> Iterator[str]:
        """Who was not heard, or not believed."""
        for target, why in sorted(self.unread.items()):
            yield f"! {target}: its evidence counts for nothing: {clean(why)}"
        if self.silent:
            yield f"  no evidence was given of {several(self.silent)}"
        if self.strangers:
            yield f"  no host of this fleet, not counted: {several(self.strangers)}"


def to_sign(files: Sequence[str], message: str) -> Iterator[str]:
    """How a person takes over what was written into the work tree."""
    names = " ".join(files)
    yield "Read what was written, then commit it, signed:"
    yield f"  git diff {names}"
    yield f"  git add {names}"
    yield f'  git commit -S -m "{message}" -- {names}'
    yield "  git push"


def several(names: Sequence[str]) -> str:
    """Names, as many as people read."""
    more = f" and {len(names) - SHOWN} more" if names[SHOWN:] else ""
    return ", ".join(names[:SHOWN]) + more
