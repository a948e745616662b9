"""Put a file in place, byte for byte; what was there is kept, and undo puts it back exactly.

Directories that had to be made stay after an undo: they are empty, and removing one that somebody
has begun to use would be worse.
"""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, WriteFile
from reconciler.model.parameter import Parameter
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import file, take
from reconciler.steps.shared.file import Access, Found


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Keep what is there, then replace it atomically; nothing when it is right already."""
    was = file.found(params, before)
    wanted = Found(content(params), file.wanted_access(params))
    if was == wanted:
        return ()
    access: Access = wanted.access
    write = WriteFile(
        file.path(params), wanted.content, access.mode, access.uid, access.gid, parents=True
    )
    return (write,) if was is None else (file.backup(params, was), write)


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Put back the exact bytes, mode and owner, or remove the file if there was none."""
    return (file.put_back(params, file.found(params, before)),)


def content(params: Params) -> bytes:
    """The bytes that the parameters stand for: the text, then each line."""
    lines = "".join(f"{line}\n" for line in take.texts(params, "lines"))
    return (take.text(params, "content") + lines).encode()


STEP = StepKind(
    id="file.ensure",
    doc="Put a file in place, byte for byte, atomically.",
    params={
        "path": file.PATH,
        "content": Parameter(type="str", doc="Text of the file; never a secret."),
        "lines": Parameter(
            type="list[str]",
            doc="Lines after the text.",
            required=False,
            default=(),
            pattern=r"[^\x00-\x1f\x7f]*",
        ),
        "mode": Parameter(
            type="str",
            doc="Permission bits, four octal digits.",
            required=False,
            default="0644",
            pattern=r"0[0-7]{3}",
        ),
        "uid": Parameter(
            type="int", doc="Owner.", required=False, default=0, minimum=0, maximum=65535
        ),
        "gid": Parameter(
            type="int", doc="Group.", required=False, default=0, minimum=0, maximum=65535
        ),
    },
    before=file.ask_content,
    do=do,
    undo=undo,
    reversible=True,
    touches=file.word,
)
