"""Breakers, stages and promotions written into a work tree, with as little changed as can be.

Comments and order are people's. A breaker is put at the end of its file; of a stage one word
changes. Promotions are the tool's own file, which is written anew. What was written is read back,
and must say exactly what was meant.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from reconciler.desired import layout, strict_yaml
from reconciler.desired.fleet import Fleet
from reconciler.desired.validation import validate
from reconciler.errors import InputError, MachineError, Where
from reconciler.model.fleet_wide import FleetBreakers, OpenBreaker, Rollout
from reconciler.model.rings import MOST_PROMOTIONS, Promotion, Promotions

BREAKERS = layout.file_of("breakers", "breakers")
ROLLOUT = layout.file_of("rollout", "rollout")
PROMOTIONS = layout.file_of("promotions", "promotions")

_HEAD = """\
# Versions of runbooks that are switched off in the whole fleet. Each stays until a person removes
# it; a corrected runbook has another digest and needs no change here.
breakers:
"""

_PROMOTIONS_HEAD = """\
# Which rings are open for which revision (the digest of all systems of a release). Written by
# reconciler rings, which leaves out what is over; do not edit by hand what is proven by evidence.
promotions:
"""


def with_breakers(text: str | None, known: FleetBreakers, added: Iterable[OpenBreaker]) -> str:
    """The file with more breakers.

    Args:
        text: As it is; ``None`` when there is none.
        known: What it says.
        added: What to add.

    Raises:
        InputError: It is written in a way that nothing can be put at the end of.
    """
    more = tuple(added)
    written = _ground(text) + "".join(map(_item, more))
    wanted = FleetBreakers(breakers=(*known.breakers, *more))
    try:
        said = validate(strict_yaml.load(written.encode(), BREAKERS), FleetBreakers)
    except InputError:
        said = None
    if said != wanted:
        raise InputError(
            "cannot be added to as it is written",
            hint="Write breakers as a block list, or add this by hand:\n"
            + "".join(map(_item, more)),
            where=Where(BREAKERS),
        )
    return written


def _ground(text: str | None) -> str:
    """What items are put at the end of."""
    if text is None:
        return _HEAD
    text = re.sub(r"(?m)^breakers:[ \t]*\[[ \t]*\]", "breakers:", text)
    if re.search(r"(?m)^breakers:", text) is None:
        text = f"{text.rstrip()}\nbreakers:"
    return text.rstrip() + "\n"


def with_stages(text: str, fleet: Fleet, stages: Mapping[str, str]) -> str:
    """The file with other stages.

    Args:
        text: As it is.
        fleet: Read with it; for places of values.
        stages: The new stage of each runbook that moves on.

    Raises:
        InputError: A stage stands where it cannot be found.
    """
    lines = text.splitlines(keepends=True)
    wanted = dict(fleet.rollout.runbooks)
    for name, stage in stages.items():
        line = fleet.where("rollout", "rollout", "runbooks", name, "stage").line
        old = wanted[name]
        if line is not None:
            word = rf"(\bstage['\"]?:\s*['\"]?){old.stage}\b"
            lines[line - 1] = re.sub(word, rf"\g<1>{stage}", lines[line - 1], count=1)
        wanted[name] = old.model_copy(update={"stage": stage})
    written = "".join(lines)
    said = validate(strict_yaml.load(written.encode(), ROLLOUT), Rollout)
    if said != Rollout(runbooks=wanted):
        hint = "Put each stage on a line of its own, or change it by hand."
        raise InputError("cannot be changed as it is written", hint=hint, where=Where(ROLLOUT))
    return written


def promotions_text(promotions: Iterable[Promotion]) -> str:
    """The file with all its promotions.

    Raises:
        InputError: There are more than it may hold, or it would not say what was meant.
    """
    wanted = tuple(promotions)
    if len(wanted) > MOST_PROMOTIONS:
        hint = "Remove the promotions of revisions that no host runs any more."
        message = f"would hold more than {MOST_PROMOTIONS} promotions"
        raise InputError(message, hint=hint, where=Where(PROMOTIONS))
    written = _PROMOTIONS_HEAD + "".join(map(_promotion, wanted))
    if validate(strict_yaml.load(written.encode(), PROMOTIONS), Promotions).promotions != wanted:
        hint = "Write it by hand, and report this."
        raise InputError("cannot be written as it is meant", hint=hint, where=Where(PROMOTIONS))
    return written


def _promotion(one: Promotion) -> str:
    lines = [
        f"  - revision: {json.dumps(one.revision)}",
        f"    ring: {one.ring}",
        f"    opened: {one.opened:%Y-%m-%dT%H:%M:%SZ}",
    ]
    if one.reason is not None:
        lines.append(f"    reason: {json.dumps(one.reason)}")
    else:
        lines.append("    by:")
    for each in one.by:
        lines += [
            f"      - host: {each.host}",
            f"        seq: {each.seq}",
            f"        sha256: {json.dumps(each.sha256)}",
        ]
    return "\n".join(lines) + "\n"


def write(directory: Path, texts: Mapping[str, str]) -> None:
    """Put files into a work tree.

    Raises:
        MachineError: One cannot be written.
    """
    for path, text in texts.items():
        try:
            (directory / path).write_text(text, encoding="utf-8")
        except OSError as error:
            message = f"cannot write {path}: {error.strerror}"
            hint = "Give a work tree of the fleet that you may write to: --fleet DIR."
            raise MachineError(message, hint=hint, where=Where(str(directory))) from error


def _item(breaker: OpenBreaker) -> str:
    lines = [
        f"  - runbook: {breaker.runbook}",
        f"    digest: {breaker.digest}",
        f"    opened_on: {breaker.opened_on}",
        "    hosts:",
        *(f"      - {host}" for host in breaker.hosts),
        "    evidence:",
        # A JSON text is a YAML text, whatever is in it.
        *(f"      - {json.dumps(reference)}" for reference in breaker.evidence),
        f"    reason: {json.dumps(breaker.reason)}",
    ]
    return "\n".join(lines) + "\n"
