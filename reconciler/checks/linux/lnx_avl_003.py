"""Units that failed, all of them, and what the service manager thinks of itself.

Source: 45 CFR 164.308(a)(1)(ii)(D), 164.312(b); org.freedesktop.systemd1(5): SystemState,
ListUnitsFiltered.
"""

from reconciler.checks.parsing.records import record, texts
from reconciler.checks.parsing.shapes import word
from reconciler.checks.parsing.unit_names import reportable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.probe import FailedUnits, Probe
from reconciler.model.values import Params

FAILED = FailedUnits()


def _parse(_params: Params, answers: Answers) -> Values:
    """Read the list; its order is not the manager's but ours."""
    answer = record(answers.data(FAILED), "failed units")
    failed = texts(answer.fields.get("failed"), "failed units")
    return {
        "system_state": word(answer.text("system_state", limit=32), "state of the system"),
        "failed": tuple(sorted({reportable(unit) for unit in failed})),
        "failed_count": len(failed),
    }


def _probes(_params: Params) -> tuple[Probe, ...]:
    """The failed units."""
    return (FAILED,)


CHECK = Check(
    id="LNX-AVL-003",
    title="No failed unit",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.308(a)(1)(ii)(D); org.freedesktop.systemd1(5)",
    fields={
        "system_state": Field("str", "running, degraded, starting, maintenance, stopping."),
        "failed": Field("list[str]", "Failed units; kinds named after paths only as '*.mount'."),
        "failed_count": Field("int", "How many units failed."),
    },
    probes=_probes,
    parse=_parse,
)
