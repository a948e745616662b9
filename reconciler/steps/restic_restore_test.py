"""Prove that a backup restores: a sample is restored into scratch and compared byte for byte.

45 CFR 164.308(a)(7)(ii)(B) and (D). Production is never touched; the scratch is removed.
"""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, RestoreSample
from reconciler.model.parameter import Parameter
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take
from reconciler.steps.shared.restic import PASSWORD_FILE, REPOSITORY

SCRATCH = "/var/lib/reconciler/scratch"
RECORDS = "/var/lib/reconciler/restore-tests"
"""Where the record of a proven restore is left; ``LNX-BKP-002`` reads it."""


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Restore and compare; any difference is a failed step and leaves no record."""
    job = take.text(params, "job")
    return (
        RestoreSample(
            job=job,
            repository=take.text(params, "repository"),
            password_file=take.text(params, "password_file"),
            scratch=f"{SCRATCH}/{job}",
            record=f"{RECORDS}/{job}.json",
            sample_percent=take.number(params, "sample_percent"),
            timeout_s=take.number(params, "max_minutes") * 60,
        ),
    )


STEP = StepKind(
    id="restic.restore_test",
    doc="Restore a sample of the newest snapshot into scratch, and compare every byte.",
    params={
        "job": Parameter(type="str", doc="Name of the job.", pattern=r"[a-z0-9][a-z0-9-]{0,62}"),
        "repository": REPOSITORY,
        "password_file": PASSWORD_FILE,
        "sample_percent": Parameter(
            type="int", doc="Share of the snapshot's files, percent.", minimum=1, maximum=100
        ),
        "max_minutes": Parameter(
            type="int", doc="Longest time it may take, minutes.", minimum=1, maximum=480
        ),
    },
    do=do,
    reversible=False,
)
