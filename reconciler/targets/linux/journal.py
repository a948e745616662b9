"""Events of the journal: JournalEvents, by sd-journal(3)."""

from reconciler.model.answer import Answer
from reconciler.model.probe import JournalEvents
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session
from reconciler.targets.watch.reader import JournalMissing, JournalTooFull, newest


def journal_events(probe: JournalEvents, _session: Session) -> Answer:
    """The newest events of one kind; only what the process may read, as everywhere."""
    try:
        seen = newest(probe.event, probe.most)
    except JournalMissing as missing:
        raise NoAnswer("unsupported", str(missing)) from missing
    except JournalTooFull as full:
        raise NoAnswer("error", str(full)) from full
    return Answer("ok", [{"at_us": each.at_us, "unit": each.unit} for each in seen])
