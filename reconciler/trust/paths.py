"""Which rule of a trust policy owns a path.

Rule 1: A pattern is matched segment by segment. ``*`` stands for any characters inside a segment,
        ``**`` for zero or more whole segments, ``{client}`` for exactly one; all else is literal,
        case included.
Rule 2: The first rule with a pattern that matches owns the path; of its patterns, the first.
Rule 3: Matching takes no longer than path times pattern, whatever an author calls a file.
"""

from dataclasses import dataclass

from reconciler.model.trust_policy import CLIENT, PathRule, TrustPolicy

_ANY = "**"
_KEPT = 16_384


@dataclass(frozen=True, slots=True)
class Owned:
    """Who a path belongs to.

    Attributes:
        rule: The rule that owns it.
        client: What ``{client}`` stands for there; None if the pattern names no client.
    """

    rule: PathRule
    client: str | None


class Owners:
    """The rules of one policy; remembers what it found, because the same paths change often."""

    def __init__(self, policy: TrustPolicy) -> None:
        self._patterns = [(rule, p.split("/")) for rule in policy.rules for p in rule.paths]
        self._found: dict[str, Owned | None] = {}

    def of(self, path: str) -> Owned | None:
        """The rule that owns a path; None if none does."""
        if path not in self._found:
            if len(self._found) > _KEPT:
                self._found.clear()
            self._found[path] = self._find(path.split("/"))
        return self._found[path]

    def _find(self, segments: list[str]) -> Owned | None:
        for rule, pattern in self._patterns:
            if _matches(pattern, segments):
                client = segments[pattern.index(CLIENT)] if CLIENT in pattern else None
                return Owned(rule, client)
        return None


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern covers a path."""
    return _matches(pattern.split("/"), path.split("/"))


def _matches(pattern: list[str], path: list[str]) -> bool:
    """Runs between ``**`` are looked for from the left; the first and the last are at the ends."""
    if _ANY not in pattern:
        return len(pattern) == len(path) and _run_at(pattern, path, 0)
    first, *runs = _split(pattern)
    last = runs.pop()
    end = len(path) - len(last)
    if end < len(first) or not _run_at(first, path, 0) or not _run_at(last, path, end):
        return False
    at = len(first)
    for run in runs:
        found = next((i for i in range(at, end - len(run) + 1) if _run_at(run, path, i)), None)
        if found is None:
            return False
        at = found + len(run)
    return True


def _split(pattern: list[str]) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for segment in pattern:
        if segment == _ANY:
            runs.append([])
        else:
            runs[-1].append(segment)
    return runs


def _run_at(run: list[str], path: list[str], at: int) -> bool:
    return all(
        _fits(segment, name) for segment, name in zip(run, path[at : at + len(run)], strict=True)
    )


def _fits(segment: str, name: str) -> bool:
    """Whether a segment covers a name: pieces between ``*`` in order, outer ones at the ends."""
    if segment in (CLIENT, name):
        return True
    if "*" not in segment:
        return False
    first, *pieces, last = segment.split("*")
    end = len(name) - len(last)
    if end < len(first) or not name.startswith(first) or not name.endswith(last):
        return False
    at = len(first)
    for piece in pieces:
        at = name.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True
