"""What `reconciler propose` found, for people: statistics, replay, coverage, and what is missing.

Pure text out of the document that machines get; nothing is reckoned here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.report.simulation import render_differences

Body = Mapping[str, Any]

_WORDS = {
    "successes": "{have} of {need} successes",
    "bound": "lower bound {have} of {need} ten-thousandths",
    "hosts": "{have} of {need} hosts",
    "days": "{have} of {need} days",
    "no-failure": "{have} failures where none may be",
    "condition": "no condition that held every time",
}


def render(document: Body) -> str:
    """All of it, the proposals first."""
    lines: list[str] = []
    for one in document["promoted"]:
        lines += [*_promoted(one), ""]
    for one in document["demoted"]:
        lines += [*_demoted(one), ""]
    if not document["promoted"] and not document["demoted"]:
        lines += ["nothing to propose", ""]
    lines += _left(document)
    counted = f"{document['trials']:,} actions on {len(document['hosts']):,} hosts were counted"
    return "\n".join([*lines, counted])


def _promoted(one: Body) -> Iterator[str]:
    yield f"add {one['path']}"
    yield f"  {one['check']} is answered by {one['runbook']} (priority {one['priority']})"
    chosen = f"{one['chosen_by_model']} chosen by a model, {one['chosen_by_people']} by people"
    yield f"  {one['successes']} successes, {one['failures']} failures; {chosen}"
    bound = one["bound_ten_thousandths"]
    yield f"  Wilson 95 % lower bound {bound // 100}.{bound % 100:02} %"
    yield f"  {len(one['hosts'])} hosts, {one['first'][:10]} to {one['last'][:10]}"
    for name, wanted in one["where"].items():
        yield f"  only where {name}: {wanted}"
    cover = one["coverage"]
    yield f"  would answer {cover['answered']} of {cover['seen']} recorded faults of the check"
    for replay in one["replays"]:
        yield f"  replay of {replay['host']}:"
        yield from (f"    {line}" for line in render_differences(replay["changes"]).splitlines())


def _demoted(one: Body) -> Iterator[str]:
    yield f"switch off {one['path']}"
    count, first, last = len(one["failures"]), one["first"][:10], one["last"][:10]
    yield f"  {count} failures from {first} to {last}:"
    yield from (f"    {reference}" for reference in one["failures"])


def _left(document: Body) -> Iterator[str]:
    if document["waiting"]:
        yield "not yet:"
        for one in document["waiting"]:
            missing = ", ".join(_WORDS[m["what"]].format_map(m) for m in one["missing"])
            yield f"  {one['check']} by {one['runbook']}: {missing}"
        yield ""
    if document["declined"]:
        yield "not proposed:"
        yield from (f"  {one['rule']}: {one['reason']}" for one in document["declined"])
        yield ""
