"""``hosts/<client>/client.yaml``: one clinic."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from reconciler.model.document import Document, FrameworkId, Name, RunbookId, Text

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


class Client(Document):
    """One clinic: what it subscribes to and when it may be touched.

    Attributes:
        freshness_h: How many hours old the newest heartbeat of the fleet repository may be before
            nothing is done any more; absent: not promised.
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
    contacts: tuple[Contact, ...] = Field(min_length=1)
    denied_runbooks: tuple[RunbookId, ...] = ()
    kill_switch: KillSwitch | None = None
    freshness_h: int | None = Field(default=None, ge=1, le=8760)
