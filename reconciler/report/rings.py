"""What ``reconciler rings`` found, as text and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.model.rings import RingMove
from reconciler.report.fleet_evidence import SHOWN, Heard, to_sign

_ID = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RingReport:
    """What was found, and what became of it.

    Attributes:
        heard: Whose evidence was read; only appliances are asked about.
        torn: Commits whose releases differ from one another.
        moves: What becomes of every revision that is on its way.
        written: Files that were written.
    """

    heard: Heard
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
        **found.heard.to_document(),
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
    hosts = found.heard.hosts
    yield f"{len(hosts)} host{'s' * (len(hosts) != 1)}"
    for commit in found.torn:
        yield f"! {commit[:_ID]}: its releases name different systems; none of them is asked about"
    yield from found.heard.lines()
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
        yield from (f"  {one.host}: entry {one.seq}" for one in move.by[:SHOWN])
    else:
        yield f"{which}: ring {move.ring} stays shut"
        yield from (f"  {why}" for why in move.why[:SHOWN])
        if move.why[SHOWN:]:
            yield f"  and {len(move.why) - SHOWN} more"


def _what_now(found: RingReport) -> Iterator[str]:
    if not found.changes:
        yield "Nothing to open."
    elif not found.written:
        yield "Nothing was written. To write it into the work tree: --write"
    else:
        rings = sorted({move.ring for move in found.moves if move.opens and move.ring})
        yield from to_sign(found.written, f"Open ring {' and '.join(rings)}")
