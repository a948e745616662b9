"""Tier L3: after a run, hand what is a person's to people, step by step of their chain.

Rule 1: An entry says what is about to leave before it leaves, and another how it went: a kill in
        between leads to one more try of the same message, under the same id.
Rule 2: It comes after the run is recorded, and is bounded in number and time: a channel that is
        dead delays no healing, and what did not arrive is tried again later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.engine.session import Session
from reconciler.engine.tickets.channels import open_channel
from reconciler.engine.tickets.entries import after_body, before_body, note_body
from reconciler.engine.tickets.facts import History, facts_of
from reconciler.engine.windows import calendar
from reconciler.errors import InputError, IntentRefused, MachineError
from reconciler.escalate.message import Arrived, Lost, Message
from reconciler.escalate.post import Channel, post
from reconciler.evidence.entry import Kind
from reconciler.incident.calls import Call, backoff, calls, finished, newly_acknowledged
from reconciler.incident.chain import chain_of, missing
from reconciler.incident.tickets import OF_ONE_MESSAGE
from reconciler.incident.wants import Situation
from reconciler.model.desired import DesiredState
from reconciler.model.incident import Incident
from reconciler.model.run import RunReport, UpkeepProblem
from reconciler.report import ticket, ticket_digest, ticket_end

Words = tuple[str, str, str, Mapping[str, object]]
"""A title, Markdown, plain text and a document for machines."""

PER_RUN = 5
"""Most messages to one channel in one run."""
BUDGET_S = 60.0
"""After so many seconds no further message is begun in a run."""

_NEVER = datetime.min.replace(tzinfo=UTC)
_HINT = "Look at the channel: reconciler tickets test {name}. It is tried again by itself."


def escalate(session: Session, report: RunReport) -> tuple[UpkeepProblem, ...]:
    """Call who has to be called now.

    Args:
        session: The run.
        report: As it was recorded.

    Returns:
        What did not arrive, and what is wrong with the channels; never raises for a channel.

    Raises:
        EvidenceError: It cannot be recorded now; nothing was sent.
        MachineError: It cannot be written; nothing was sent.
    """
    if not session.appliance.home.settings.notify:
        return ()
    if session.intent.desired is None:
        raise IntentRefused(
            "there is no desired state", hint="Check the fleet URL.", reason="no-desired-state"
        )
    desk = _Desk(session, report, session.intent.desired)
    return tuple(desk.work())


@dataclass(frozen=True, slots=True)
class _Desk:
    session: Session
    report: RunReport
    desired: DesiredState

    def work(self) -> Iterator[UpkeepProblem]:
        clock = self.session.appliance.clock
        end = clock.monotonic() + BUDGET_S
        yield from self._missing()
        if noted := newly_acknowledged(self._situation()):
            self._append(note_body(self.session.run, "acknowledged", noted))
        for name in self._in_turn():
            if not self.session.options.stopping() and clock.monotonic() < end:
                yield from self._channel(name, end)
        if over := finished(self._situation()):
            self._append(note_body(self.session.run, "closed", over))

    def _in_turn(self) -> list[str]:
        """Channels, the one that was longest not tried first: a slow one takes nobody's time."""
        lines = self.session.appliance.past.tickets.lines
        names = sorted(self.session.appliance.home.settings.notify)
        return sorted(names, key=lambda name: lines[name].at if name in lines else _NEVER)

    def _missing(self) -> Iterator[UpkeepProblem]:
        channels = self.session.appliance.home.settings.notify
        for name in missing(self.desired.client.escalation, channels):
            message = f"the client's chain names the channel {name}, which is not in the settings"
            yield UpkeepProblem("tickets", message, "Add it under notify:, or correct the chain.")

    def _situation(self) -> Situation:
        past, desired = self.session.appliance.past, self.desired
        today = calendar(desired.client, self.session.facts.at).day
        channels = frozenset(self.session.appliance.home.settings.notify)
        taken = (one for one in desired.acknowledgements if today <= one.until)
        return Situation(
            target=desired.target,
            now=self.session.appliance.clock.now(),
            tickets=past.tickets,
            incidents={one.fingerprint: one for one in past.register.open.values()},
            acknowledged=frozenset(one.incident for one in taken),
            chain=chain_of(desired.client.escalation, channels),
            channels=channels,
        )

    def _channel(self, name: str, end: float) -> Iterator[UpkeepProblem]:
        here = self._situation()
        per_hour = self.session.appliance.home.settings.notify[name].per_hour
        due = calls(here, name, per_run=PER_RUN, per_hour=per_hour)
        if not due:
            return
        try:
            channel = open_channel(self.session.appliance.home, name)
        except (InputError, MachineError) as error:
            yield UpkeepProblem(f"tickets/{name}", str(error), error.hint)
            return
        history = History(self.session, _oldest(here))
        for call in due:
            if self.session.appliance.clock.monotonic() >= end or self.session.options.stopping():
                return
            lost = self._call(channel, call, here, history)
            if lost is not None:
                yield self._problem(name, lost)
                if lost.code not in OF_ONE_MESSAGE:
                    return

    def _call(self, channel: Channel, call: Call, here: Situation, history: History) -> Lost | None:
        session = self.session
        message = self._message(channel, call, here, history)
        session.options.hook("before-ticket")
        self._append(before_body(session.run, channel.name, call))
        session.options.hook("after-ticket")
        with session.options.allowing(channel.longest_s):
            result = post(channel, message)
        session.options.hook("before-ticket-result")
        match result:
            case Arrived(reference):
                self._append(after_body(session.run, channel.name, call, None, reference))
            case Lost(code):
                self._append(after_body(session.run, channel.name, call, code, None))
        session.options.hook("after-ticket-result")
        return result if isinstance(result, Lost) else None

    def _append(self, body: dict[str, object]) -> None:
        self.session.append(Kind.TICKET, body)

    def _message(self, channel: Channel, call: Call, here: Situation, history: History) -> Message:
        title, markdown, text, document = self._words(call, here, history)
        known = (here.tickets.open.get(covered.ticket) for covered in call.covers)
        tried = (one.channels.get(channel.name) for one in known if one is not None)
        return Message(
            id=call.message,
            key=call.key,
            phase=call.phase,
            target=here.target,
            title=title,
            markdown=markdown,
            text=text,
            document=document,
            at=int(here.now.timestamp()),
            again=any(one is not None and one.message == call.message for one in tried),
            reference=call.reference,
        )

    def _words(self, call: Call, here: Situation, history: History) -> Words:
        target = here.target
        if call.phase == "closed":
            gone = [ticket_end.Gone(one.incident, one.ticket, one.rule) for one in call.covers]
            return (
                ticket_end.title(target, gone),
                ticket_end.markdown(target, gone),
                ticket_end.text(gone),
                ticket_end.as_document(target, gone),
            )
        incidents = [here.incidents[covered.ticket] for covered in call.covers]
        if call.digest:
            return (
                ticket_digest.title(target, len(incidents)),
                ticket_digest.markdown(target, incidents),
                ticket_digest.text(incidents),
                ticket_digest.as_document(target, call.phase, incidents),
            )
        return self._of_one(incidents[0], call, history)

    def _of_one(self, incident: Incident, call: Call, history: History) -> Words:
        session, report, desired = self.session, self.report, self.desired
        step = call.covers[0].step
        facts = facts_of(session, report, desired, incident, call.phase, step, history)
        return (
            ticket.title(facts),
            ticket.markdown(facts),
            ticket.text(facts),
            ticket.as_document(facts),
        )

    def _problem(self, name: str, lost: Lost) -> UpkeepProblem:
        line = self.session.appliance.past.tickets.lines[name]
        wait = int(backoff(line.failures).total_seconds())
        again = f"not tried again for {wait} s" if wait else "it is tried again later"
        message = f"a ticket did not arrive: {lost.code}; {again}"
        return UpkeepProblem(f"tickets/{name}", message, _HINT.format(name=name))


def _oldest(here: Situation) -> datetime:
    return min((one.opened for one in here.incidents.values()), default=here.now)
