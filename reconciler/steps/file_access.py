"""Give a file that is there its mode and owner."""

from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, SetAccess
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import file
from reconciler.steps.shared.file import Access


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Set mode and owner; nothing when they are right already."""
    wanted = file.wanted_access(params)
    if _was(params, before) == wanted:
        return ()
    return (SetAccess(file.path(params), wanted.mode, wanted.uid, wanted.gid),)


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Set the mode and owner that were there before."""
    return (file.set_back(params, _was(params, before)),)


def _was(params: Params, before: Answers) -> Access:
    access = file.access(params, before)
    if access is None:
        raise Unobservable(f"{file.path(params)}: there is no such file")
    return access


STEP = StepKind(
    id="file.access",
    doc="Give a file that is there its mode and owner.",
    params={"path": file.PATH, "mode": file.MODE, "uid": file.UID, "gid": file.GID},
    before=file.ask_access,
    do=do,
    undo=undo,
    reversible=True,
    touches=file.word,
)
