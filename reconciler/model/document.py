"""What every document of a fleet repository has in common."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints


def _date(raw: Any) -> Any:
    """A calendar date as text (RFC 3339 full-date), which is all that our YAML knows."""
    if not isinstance(raw, str):
        return raw
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", raw) is None:
        raise ValueError(f"{raw[:40]!r} is not a date such as 2026-01-31")
    return date.fromisoformat(raw)


CalendarDate = Annotated[date, BeforeValidator(_date)]

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""A client, host, rule, baseline or tier: a DNS label, so it is a safe path and ref."""

FrameworkId = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$", max_length=63)
]
"""Like a name, with dots for versions: ``pci-dss-4.0.1``."""

RunbookId = Annotated[str, StringConstraints(pattern=r"^RB-[A-Z0-9]+(-[A-Z0-9]+)*-[0-9]{3}$")]
CheckId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3,4}-[A-Z0-9]+-[0-9]{3}$")]
ControlId = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9.-]+:[A-Za-z0-9.()\-]+$", max_length=80)
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
AbsolutePath = Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$", max_length=1024)]
UnitName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9:_.\\@-]{1,240}\.(service|socket|timer|mount|target|path)$"
    ),
]


class Document(BaseModel):
    """Frozen, strict, and closed: an unknown field is an error, a string is not a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
