"""Remove the oldest journal files until the journal is small enough (journalctl(1))."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, Run
from reconciler.model.parameter import Parameter
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Archive the files in use first: only archived ones can be removed."""
    size = f"--vacuum-size={take.number(params, 'max_mib')}M"
    return (Run(("journalctl", "--rotate")), Run(("journalctl", size), timeout_s=120))


STEP = StepKind(
    id="journal.vacuum",
    doc="Remove the oldest journal files until the journal is small enough.",
    params={
        "max_mib": Parameter(
            type="int", doc="Size to shrink the journal to, MiB.", minimum=4, maximum=4000
        )
    },
    do=do,
    reversible=False,
)
