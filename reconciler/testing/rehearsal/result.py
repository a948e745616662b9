"""The result of a rehearsal, for people and for machines."""

from collections.abc import Sequence
from typing import Any

from reconciler.testing.rehearsal.trial import Trial

_HEAD = ("runbook", "drift", "mode", "held", "healed in")


def document(trials: Sequence[Trial]) -> dict[str, Any]:
    """One JSON document."""
    return {
        "held": all(trial.held for trial in trials),
        "trials": [
            {
                "drift": trial.drift,
                "mode": trial.mode,
                "runbooks": list(trial.runbooks),
                "held": trial.held,
                "healed_s": trial.healed_s,
                "problems": list(trial.problems),
            }
            for trial in trials
        ],
    }


def render(trials: Sequence[Trial]) -> str:
    """A table, what did not hold, and one line that sums it up."""
    rows = [_HEAD, *map(_row, trials)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    wrong = [
        f"{trial.drift} ({trial.mode}): {problem}" for trial in trials for problem in trial.problems
    ]
    held = sum(trial.held for trial in trials)
    return "\n".join([*table, "", *wrong, f"{held} of {len(trials)} trials held"])


def _row(trial: Trial) -> tuple[str, ...]:
    return (
        " ".join(dict.fromkeys(trial.runbooks)) or "-",
        trial.drift,
        trial.mode,
        "yes" if trial.held else "NO",
        "" if trial.healed_s is None else f"{trial.healed_s} s",
    )
