"""What ``reconciler rings`` found, as text and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.model.rings import RingMove
from reconciler.report.table import clean

_SHOWN = 10
_ID = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RingReport:
    """What was found, and what became of it.

    Attributes:
        hosts: Hosts of the fleet whose evidence was read.
        silent: Appliances of which no evidence was given.
        unread: Why the evidence of a host could not be read, by target.
        strangers: Branches of what is no host of the fleet.
        torn: Commits whose releases differ from one another.
        moves: What becomes of every revision that is on its way.
        written: Files that were written.
    """

    hosts: tuple[str, ...]
    silent: tuple[str, ...]
    unread: Mapping[str, str]
    strangers: tuple[str, ...]
    torn: tuple[str, ...]
    moves: tuple[RingMove, ...]
    written: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether a ring may be opened."""
        return any(move.opens for move in self.moves)

    @property
    def halted(self) -> bool:
        """Whether a host stops a rollout."""
        return any(why.startswith("halted: ") for move in self.moves for why in move.why)


def as_document(found: RingReport) -> dict[str, Any]:
    """Everything, for machines."""
    return {
        "hosts": list(found.hosts),
        "silent": list(found.silent),
        "unread": dict(found.unread),
        "strangers": list(found.strangers),
        "torn": list(found.torn),
        "revisions": [
            {
                "revision": move.revision,
                "commit": move.commit,
                "ring": move.ring,
                "opens": move.opens,
                "why": list(move.why),
                "by": [one.model_dump(mode="json") for one in move.by],
            }
            for move in found.moves
        ],
        "written": list(found.written),
    }


def render(found: RingReport) -> str:
    """What a person reads before they sign it."""
    return "\n".join(_lines(found))


def _lines(found: RingReport) -> Iterator[str]:
    yield f"{len(found.hosts)} host{'s' * (len(found.hosts) != 1)}"
    for target, why in sorted(found.unread.items()):
        yield f"! {target}: its evidence counts for nothing: {clean(why)}"
    for commit in found.torn:
        yield f"! {commit[:_ID]}: its releases name different systems; none of them is asked about"
    if found.silent:
        yield f"  no evidence was given of {_several(found.silent)}"
    if found.strangers:
        yield f"  no host of this fleet, not counted: {_several(found.strangers)}"
    if not found.moves:
        yield ""
        yield "No release that counts names a system."
    for move in found.moves:
        yield ""
        yield from _move(move)
    yield ""
    yield from _what_now(found)


def _move(move: RingMove) -> Iterator[str]:
    which = f"revision {move.revision[:_ID]} (commit {move.commit[:_ID]})"
    if move.ring is None:
        yield f"{which}: open for every ring"
    elif move.opens:
        yield f"{which}: open ring {move.ring}"
        yield from (f"  {one.host}: entry {one.seq}" for one in move.by[:_SHOWN])
    else:
        yield f"{which}: ring {move.ring} stays shut"
        yield from (f"  {why}" for why in move.why[:_SHOWN])
        if move.why[_SHOWN:]:
            yield f"  and {len(move.why) - _SHOWN} more"


def _what_now(found: RingReport) -> Iterator[str]:
    if not found.changes:
        yield "Nothing to open."
    elif not found.written:
        yield "Nothing was written. To write it into the work tree: --write"
    else:
        names = " ".join(found.written)
        rings = sorted({move.ring for move in found.moves if move.opens and move.ring})
        yield "Read what was written, then commit it, signed:"
        yield f"  git diff {names}"
        yield f"  git add {names}"
        yield f'  git commit -S -m "Open ring {" and ".join(rings)}" -- {names}'
        yield "  git push"


def _several(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if names[_SHOWN:] else ""
    return ", ".join(names[:_SHOWN]) + more
