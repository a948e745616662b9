"""Which system runs, in words: entries of kind ``system``, and how two closures differ."""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.report import words

Body = Mapping[str, Any]

_UNKNOWN = "not known"


def system_lines(body: Body) -> list[str]:
    """Everything that an entry says of the system that runs.

    Args:
        body: Of an entry of kind ``system``.

    Raises:
        KeyError, TypeError, AttributeError: It does not say what its kind says.
    """
    return [
        f"system {words.clip(body['to'])} runs",
        f"  before     {_text(body['from'], 'nothing was recorded')}",
        f"  booted     {_text(body['booted'])}",
        f"  profile    {_text(body['profile'])}{_generation(body['generation'])}",
        f"  release    {_text(body['release'], 'none that is in force names it')}"
        f" ({words.clip(body['source'])})",
        *_made_of(body),
        *diff_lines(body["diff"]),
    ]


def system_line(body: Body) -> str:
    """The same in one line.

    Raises:
        KeyError, TypeError, AttributeError: As `system_lines`.
    """
    changed = body["diff"]
    count = "" if changed is None else f", {_count(changed)} changed"
    return words.clip(f"{body['to']} runs, before it {_text(body['from'], 'nothing')}{count}")


def diff_lines(diff: Body | None) -> list[str]:
    """How a closure differs from the one before, a package a line; empty if nobody said.

    Args:
        diff: As releases and entries hold it.

    Raises:
        KeyError, TypeError, AttributeError: It is of another shape.
    """
    if diff is None:
        return []
    lines = [f"  changed since {_text(diff['from'], 'nothing')}:"]
    lines += [f"    {_change(one)}" for one in diff["changes"]]
    if diff["left_out"]:
        lines.append(f"    … and {int(diff['left_out'])} more")
    return lines if len(lines) > 1 else ["  no package changed"]


def _made_of(body: Body) -> list[str]:
    closure, sbom = body["closure"], body["sbom"]
    lines = [] if closure is None else [f"  closure    {_closure(closure)}"]
    if sbom is not None:
        lines.append(
            f"  sbom       {words.clip(sbom['format'])}, sha256 {words.clip(sbom['sha256'])}"
        )
    if body["reason"]:
        lines.append(f"  left out   {words.clip(body['reason'])}")
    return lines


def _closure(closure: Body) -> str:
    mebibytes = int(closure["nar_bytes"]) // 2**20
    return f"{int(closure['paths'])} paths, {mebibytes} MiB, sha256 {words.clip(closure['sha256'])}"


def _change(one: Body) -> str:
    name, before, after = words.clip(one["name"], 211), one["before"], one["after"]
    if before == after:
        return f"{name} {_versions(after)}: built anew"
    if not before:
        return f"{name} {_versions(after)}: new"
    if not after:
        return f"{name} {_versions(before)}: gone"
    return f"{name} {_versions(before)} -> {_versions(after)}"


def _versions(versions: Sequence[str]) -> str:
    return words.clip(", ".join(one or "without version" for one in versions))


def _count(diff: Body) -> str:
    count = len(diff["changes"]) + int(diff["left_out"])
    return "1 package" if count == 1 else f"{count} packages"


def _generation(number: int | None) -> str:
    return "" if number is None else f", generation {int(number)}"


def _text(value: str | None, nothing: str = _UNKNOWN) -> str:
    return nothing if value is None else words.clip(value)
