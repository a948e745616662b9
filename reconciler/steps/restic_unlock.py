"""Remove stale locks of a restic repository: those whose process is gone (restic-unlock(1))."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, Run
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take
from reconciler.steps.shared.restic import PASSWORD_FILE, REPOSITORY


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Without ``--remove-all``, a lock that a living process holds stays."""
    environment = (
        ("RESTIC_PASSWORD_FILE", take.text(params, "password_file")),
        ("RESTIC_REPOSITORY", take.text(params, "repository")),
    )
    return (Run(("restic", "unlock", "--no-cache"), timeout_s=120, environment=environment),)


STEP = StepKind(
    id="restic.unlock",
    doc="Remove stale locks of a restic repository.",
    params={"repository": REPOSITORY, "password_file": PASSWORD_FILE},
    do=do,
    reversible=False,
)
