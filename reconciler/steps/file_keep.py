"""Nothing now; on the way back, a file that a later step changed is put back byte for byte.

For files that another program replaces: a certificate and its key, before a renewal. No copy is
written anywhere, because the file may be a private key; a crash leaves what the renewal left.
"""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import file


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Nothing, but only if the file could be read."""
    file.found(params, before)
    return ()


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Put back the exact bytes, mode and owner; a file that was missing stays what it became."""
    was = file.found(params, before)
    return () if was is None else (file.put_back(params, was),)


STEP = StepKind(
    id="file.keep",
    doc="Nothing now; when the runbook is undone, put a file back that another program replaced.",
    params={"path": file.PATH},
    before=file.ask_content,
    do=do,
    undo=undo,
    reversible=True,
    touches=file.word,
)
