"""Which provision has a check, a drift that trips it and a runbook that heals it, as measured.

Rule 1: A drift counts for a provision when it trips a rule that names the provision.
Rule 2: Healed at L1 means: an honest trial of a drift that a runbook heals, in which every
        expectation held. Whatever was not tried in this rehearsal is not counted.
Rule 3: What software cannot decide is said so, and is no part of any percentage.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.desired.fleet import Fleet
from reconciler.model.framework import Control
from reconciler.model.rule import Rule
from reconciler.testing.drifts.drift import Drift
from reconciler.testing.rehearsal.trial import Trial

FRAMEWORK, BASELINE = "hipaa", "linux-hipaa-v1"
_ITEM = re.compile(r"\[.*\]$")
_HEAD = """\
# Coverage of the HIPAA Security Rule, as rehearsed

Written by `reconciler rehearse --all --coverage docs/coverage.md`; do not edit. Each drift below
was injected into a real machine (Debian 12, systemd, in a container), found by the checks of the
baseline `{baseline}`, healed by a run of the engine where a runbook may, and proven by another
tool. Seconds are from the drift to the verified heal, the start of the program included. How to
run it: [howto/rehearse.md](howto/rehearse.md).
"""
_WHY_NOT = """\
## What no drift was injected for

A container shares its kernel with its host, so auditing, kernel hardening and pressure belong to
the host, and the disk under it is not visible: nothing of that may be judged, let alone broken,
from inside. Damaged evidence stops a run before it looks, which is tested elsewhere (`tests/crash`,
`tests/attacks`). A second factor and a second machine for the backup are things that the rehearsed
machine does not have, drift or not.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One provision.

    Attributes:
        people: Rules whose failure only people put right.
    """

    control: Control
    rules: tuple[Rule, ...]
    drifts: tuple[str, ...]
    found: int
    healed: int
    slowest_s: int | None
    people: tuple[str, ...]


def rows(fleet: Fleet, drifts: Mapping[str, Drift], trials: Sequence[Trial]) -> tuple[Row, ...]:
    """Every provision, in the order of the law."""
    wanted = fleet.baselines[BASELINE].rules
    rules = [fleet.rules[name] for name in wanted]
    tried = {t.drift: t for t in trials if t.mode in {"honest", "people"} and t.drift in drifts}
    return tuple(
        _row(control, rules, drifts, tried, fleet)
        for control in fleet.frameworks[FRAMEWORK].controls
    )


def page(fleet: Fleet, drifts: Mapping[str, Drift], trials: Sequence[Trial]) -> str:
    """The page: a headline, the drifts, the provisions, and what only people do."""
    found = rows(fleet, drifts, trials)
    parts = [
        _HEAD.format(baseline=BASELINE),
        _headline(drifts, trials, fleet),
        _drift_table(drifts, trials),
        _provision_table([row for row in found if row.rules]),
        _without([row for row in found if not row.rules]),
        _WHY_NOT + _untouched(fleet, drifts),
    ]
    return "\n".join(parts)


def _row(
    control: Control,
    rules: Iterable[Rule],
    drifts: Mapping[str, Drift],
    tried: Mapping[str, Trial],
    fleet: Fleet,
) -> Row:
    mine = tuple(rule for rule in rules if f"{FRAMEWORK}:{control.id}" in rule.controls)
    ids = {rule.id for rule in mine}
    tripping = [name for name in tried if ids & tripped(drifts[name])]
    healed = [tried[name] for name in tripping if drifts[name].heals and tried[name].held]
    return Row(
        control=control,
        rules=mine,
        drifts=tuple(tripping),
        found=sum(tried[name].held for name in tripping),
        healed=len(healed),
        slowest_s=max((t.healed_s for t in healed if t.healed_s is not None), default=None),
        people=tuple(rule.id for rule in mine if not _automatic(rule, fleet)),
    )


def tripped(drift: Drift) -> set[str]:
    """Rules that a drift trips, without the item of a list."""
    return {_ITEM.sub("", rule) for rule in drift.found}


def _automatic(rule: Rule, fleet: Fleet) -> bool:
    if rule.mode != "enforce" or rule.remedy is None:
        return False
    return fleet.runbooks[rule.remedy.runbook].mode in {"auto", "window"}


def _headline(drifts: Mapping[str, Drift], trials: Sequence[Trial], fleet: Fleet) -> str:
    tried = [t for t in trials if t.mode in {"honest", "people"} and t.drift in drifts]
    healing = [t for t in tried if t.mode == "honest"]
    alone = [t for t in healing if _unattended(t, fleet)]
    asked = [t for t in healing if t not in alone]
    left = [t for t in tried if t.mode == "people"]
    faults = [t for t in trials if t.mode not in {"honest", "people"}]
    percent = _held(healing) * 100 // max(1, len(tried))
    seconds = sorted(t.healed_s for t in healing if t.held and t.healed_s is not None)
    pace = f"median {seconds[len(seconds) // 2]} s, slowest {seconds[-1]} s" if seconds else "-"
    return (
        f"**{_held(healing)} of {len(tried)} injected drifts were healed at L1 ({percent} %)**:\n"
        f"{_held(alone)} of {len(alone)} unattended, {_held(asked)} of {len(asked)} after a "
        f"person's signed approval.\nThe other {len(left)} are left to people by design; "
        f"{_held(left)} of them were found, and nothing was done.\n"
        f"From drift to verified heal: {pace}.\n"
        f"With a fix that lies, a connection that drops and a crash, {_held(faults)} of "
        f"{len(faults)} trials\nended as they must: never as healed, nothing sent twice, and after "
        "a cut healed later.\n"
    )


def _held(trials: Sequence[Trial]) -> int:
    return sum(trial.held for trial in trials)


def _unattended(trial: Trial, fleet: Fleet) -> bool:
    return all(fleet.runbooks[name].mode in {"auto", "window"} for name in trial.runbooks)


def _drift_table(drifts: Mapping[str, Drift], trials: Sequence[Trial]) -> str:
    lines = [
        "## Drifts",
        "",
        "| Drift | Trips | Healed by | Held | Seconds |",
        "|---|---|---|---|---|",
    ]
    for trial in trials:
        if trial.mode in {"honest", "people"} and trial.drift in drifts:
            drift = drifts[trial.drift]
            by = ", ".join(f"`{name}`" for name in dict.fromkeys(drift.heals)) or "people"
            trips = ", ".join(f"`{rule}`" for rule in sorted(tripped(drift)))
            seconds = "" if trial.healed_s is None else str(trial.healed_s)
            held = "yes" if trial.held else "no"
            lines.append(f"| {drift.title} | {trips} | {by} | {held} | {seconds} |")
    return "\n".join(lines) + "\n"


def _provision_table(found: Sequence[Row]) -> str:
    lines = [
        "## Provisions with checks",
        "",
        "Checks help to decide; only a provision of kind `tested` is decided by them. The last",
        "column names the rules whose failure people put right.",
        "",
        "| Provision | Kind | Checks | Drifts found | Healed at L1 | Slowest | People |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in found:
        checks = ", ".join(sorted({rule.check for rule in row.rules}))
        slowest = "" if row.slowest_s is None else f"{row.slowest_s} s"
        people = ", ".join(f"`{name}`" for name in row.people)
        lines.append(
            f"| {row.control.id} | {row.control.evidence} | {checks} | "
            f"{row.found} of {len(row.drifts)} | {row.healed} | {slowest} | {people} |"
        )
    return "\n".join(lines) + "\n"


def _without(found: Sequence[Row]) -> str:
    lines = ["## Provisions that no check here speaks about", ""]
    lines += [f"- {row.control.id}: {row.control.title}" for row in found]
    return "\n".join(lines) + "\n"


def _untouched(fleet: Fleet, drifts: Mapping[str, Drift]) -> str:
    touched = set().union(*(tripped(drift) for drift in drifts.values()))
    left = [name for name in fleet.baselines[BASELINE].rules if name not in touched]
    return "\nRules without a drift: " + ", ".join(f"`{name}`" for name in left) + ".\n"
