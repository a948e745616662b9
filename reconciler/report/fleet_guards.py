"""What ``reconciler guard fleet`` proposes, as text and as JSON."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from reconciler.model.fleet_wide import FleetMove, OpenBreaker
from reconciler.report.fleet_evidence import SHOWN, Heard, several, to_sign


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetReport:
    """What was found, and what became of it.

    Attributes:
        heard: Whose evidence was read.
        runs: Runs of runbooks that were counted.
        breakers: To add.
        moves: What becomes of every version that is being rolled out.
        written: Files that were written.
    """

    heard: Heard
    runs: int
    breakers: tuple[OpenBreaker, ...]
    moves: tuple[FleetMove, ...]
    written: tuple[str, ...] = field(default=())

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.breakers) or any(move.moves_on for move in self.moves)


def as_document(found: FleetReport) -> dict[str, Any]:
    """Everything, for machines."""
    return {
        **found.heard.to_document(),
        "runs": found.runs,
        "breakers": [breaker.model_dump(mode="json") for breaker in found.breakers],
        "stages": [asdict(move) for move in found.moves],
        "written": list(found.written),
    }


def render(found: FleetReport) -> str:
    """What a person reads before they sign it."""
    return "\n".join(_lines(found))


def _lines(found: FleetReport) -> Iterator[str]:
    yield f"{_count(len(found.heard.hosts), 'host')}, {_count(found.runs, 'run')} of runbooks"
    yield from found.heard.lines()
    for breaker in found.breakers:
        yield ""
        yield f"switch off {breaker.runbook} ({breaker.digest}) in the whole fleet"
        yield f"  {breaker.reason}: {several(breaker.hosts)}"
        yield from (f"  evidence {reference}" for reference in breaker.evidence[:SHOWN])
    for move in found.moves:
        yield ""
        on = f"from {move.before} to {move.after}" if move.moves_on else f"stays at {move.before}"
        yield f"{move.runbook} {on}: {move.why}"
    yield ""
    yield from _what_now(found)


def _what_now(found: FleetReport) -> Iterator[str]:
    if not found.changes:
        yield "Nothing to change."
    elif not found.written:
        yield "Nothing was written. To write it into the work tree: --write"
    else:
        yield from to_sign(found.written, _message(found))
        if found.breakers:
            yield "A breaker stays until you remove it. A corrected runbook is free at once."


def _message(found: FleetReport) -> str:
    off = [f"Switch off {breaker.runbook}" for breaker in found.breakers]
    on = [f"Move {m.runbook} on to {m.after}" for m in found.moves if m.moves_on]
    said = [*off, *on]
    return "; ".join(said[:3]) + (f"; and {len(said) - 3} more" if said[3:] else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
