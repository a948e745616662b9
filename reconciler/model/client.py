"""``hosts/<client>/client.yaml``: one clinic."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from reconciler.model.document import (
    CalendarDate,
    Document,
    FrameworkId,
    Name,
    RunbookId,
    Text,
)

Mode = Literal["observe", "enforce"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Window(Document):
    """When disruptive runbooks may run, in the client's time zone.

    An end before its start means the window ends on the next day.
    """

    days: tuple[Weekday, ...] = Field(min_length=1)
    start: TimeOfDay
    end: TimeOfDay


class Contact(Document):
    """A person or desk to turn to; workforce data, never a patient's."""

    role: Text
    name: Text
    reach: Text


class KillSwitch(Document):
    """Stops every action for a client, a host or (``policies/kill-switch.yaml``) the fleet."""

    engaged: bool
    reason: Text


class Freeze(Document):
    """Days on which nothing is changed, in the client's time zone; both days are part of it."""

    first: CalendarDate
    last: CalendarDate
    reason: Text

    @model_validator(mode="after")
    def _in_order(self) -> "Freeze":
        if self.last < self.first:
            raise ValueError("last is before first")
        return self


class Advice(Document):
    """Whether a language model may be asked about this client's findings (tier L2).

    Attributes:
        consent: The client agreed in writing.
        business_associate_agreement: There is one with whoever runs the model (45 CFR 164.504(e)),
            or the model runs in the client's own house.
    """

    consent: bool
    business_associate_agreement: bool


class Escalation(Document):
    """One step of the escalation chain.

    Attributes:
        after_min: Minutes without an acknowledgement after which this step is called.
        notify: Names of channels in the appliance's settings.
    """

    after_min: int = Field(ge=0, le=7 * 24 * 60)
    notify: tuple[Name, ...] = Field(min_length=1, max_length=16)


class Client(Document):
    """One clinic: what it subscribes to and when it may be touched.

    Attributes:
        freshness_h: How many hours old the newest heartbeat of the fleet repository may be before
            nothing is done any more; absent: not promised.
        freeze: Days on which nothing is changed but by an emergency approval.
        advice: Consent to tier L2; absent is no.
        escalation: Who is called about an incident, one step after the other.
        accept_proposed: The client knows that a framework it names is proposed and no law yet.
    """

    id: Name
    name: Text
    tier: Name
    time_zone: str = Field(max_length=64)
    frameworks: tuple[FrameworkId, ...] = Field(min_length=1)
    accept_proposed: bool = False
    mode: Mode
    windows: tuple[Window, ...] = ()
    freeze: tuple[Freeze, ...] = Field(default=(), max_length=64)
    advice: Advice | None = None
    escalation: tuple[Escalation, ...] = Field(default=(), max_length=16)
    contacts: tuple[Contact, ...] = Field(min_length=1)
    denied_runbooks: tuple[RunbookId, ...] = ()
    kill_switch: KillSwitch | None = None
    freshness_h: int | None = Field(default=None, ge=1, le=8760)
