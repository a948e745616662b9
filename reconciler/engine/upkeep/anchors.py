"""Anchoring checkpoints in time: the engine's part is to know what there is, and to append."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.engine.kept import Kept, Mark
from reconciler.engine.session import Session
from reconciler.engine.upkeep.ages import Event, failed
from reconciler.errors import LedgerDamaged
from reconciler.evidence.entry import Kind
from reconciler.evidence.record import Branch
from reconciler.ledger.anchors import plan
from reconciler.ledger.anchors.bodies import read_body
from reconciler.ledger.anchors.model import Anchor, CheckpointRef

if TYPE_CHECKING:
    from reconciler.ledger.anchors.keeper import AnchorSettings

PART = "anchors"
_HINT = "Run reconciler verify on this repository."


def keep_anchors(session: Session) -> list[Event]:
    """Have the newest checkpoint stamped, and take on pending proofs, as far as that is due.

    Raises:
        EvidenceError: An entry cannot be signed, or a pending proof cannot be read.
        MachineError: An entry cannot be written.
    """
    settings = session.appliance.equipment.anchors
    if settings is None:
        return []
    work = plan.due(_view(session), settings.ways, session.appliance.clock.now(), settings.pace)
    if not work:
        return [Event(PART)]
    with session.options.allowing(2 * settings.budget_s):
        return list(_kept(session, settings, work))


def view_of(
    kept: Kept, since: datetime, tried: dict[str, datetime], anchors: Iterable[plan.Anchored]
) -> plan.LedgerView:
    """What the ledger says about anchors.

    Args:
        kept: What is remembered of it.
        since: When anchoring was asked for.
        tried: When what was last tried.
        anchors: Its anchors.
    """
    newest = kept.checkpoint
    checkpoint = None
    if newest is not None:
        reference = CheckpointRef(newest.seq, newest.sha256)
        checkpoint = plan.Checkpoint(reference, newest.note.encode())
    return plan.LedgerView(checkpoint, tuple(anchors), since, tried)


def unread(mark: Mark) -> plan.Anchored:
    """An anchor without its proof: enough to decide what is due."""
    none = CheckpointRef(0, "")
    anchor = Anchor(mark.method, none, mark.note_sha256, mark.authority, mark.state, b"")
    return plan.Anchored(mark.seq, mark.at, anchor)


def _kept(session: Session, settings: "AnchorSettings", work: list[plan.Work]) -> Iterator[Event]:
    from reconciler.ledger.anchors.keeper import keep  # noqa: PLC0415 - lazy: once a day

    wanted = {one.entry.seq for one in work if isinstance(one, plan.Upgrade)}
    appliance = session.appliance
    done = keep(_view(session, wanted), settings, appliance.clock)
    appliance.equipment.anchors_tried = dict(done.tried)
    for body in done.bodies:
        session.append(Kind.ANCHOR, body)
    for problem in done.problems:
        yield failed(PART, str(problem), problem.hint)
    if not done.problems:
        yield Event(PART)


def _view(session: Session, wanted: Iterable[int] = ()) -> plan.LedgerView:
    appliance = session.appliance
    age = appliance.ages.get(PART)
    since = appliance.clock.now() if age is None else age.since
    kept, tried = appliance.past.kept, appliance.equipment.anchors_tried
    path, branch = appliance.ledger.path, appliance.ledger.branch
    read = set(wanted)
    anchors = [_read(path, branch, m) if m.seq in read else unread(m) for m in kept.anchors]
    return view_of(kept, since, tried, anchors)


def _read(path: Path, branch: Branch, mark: Mark) -> plan.Anchored:
    """An anchor with its proof, proven again."""
    from reconciler.ledger.stored import Shelf  # noqa: PLC0415 - lazy: once a day

    record = Shelf(path, branch).prove(mark.commit).record
    if record.entry.seq != mark.seq:
        message = f"{path}: commit {mark.commit} is not entry {mark.seq}"
        raise LedgerDamaged(message, hint=_HINT)
    return plan.Anchored(mark.seq, mark.at, read_body(dict(record.entry.body)))
