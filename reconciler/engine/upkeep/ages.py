"""When each part of the upkeep last came about, and the alarm when that is too long ago.

A small file beside the lock, so that `reconciler doctor` sees what the daemon sees. It is derived:
what the ledger itself says counts as well, and a file that is lost makes every part new.
"""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.guard import memory_form as form
from reconciler.ledger.durable import on_disk
from reconciler.model.run import UpkeepProblem

FILE = "upkeep.json"
_MAX_BYTES = 64 * 1024
_LIMITS = {
    "checkpoint": timedelta(hours=3),
    "anchors": timedelta(days=3),
    "copies": timedelta(days=3),
    "repack": timedelta(days=7),
}
_OTHER = timedelta(days=1)
_FRESH = timedelta(minutes=30)
_HINT = "See the problems of earlier runs and: reconciler doctor. The evidence itself is not lost."


@dataclass(frozen=True, slots=True)
class Age:
    """What is remembered of a part.

    Attributes:
        since: When it was first asked for.
        ok: When it last came about; None if it never did.
        trouble: What was wrong at the last try; empty if nothing was.
    """

    since: datetime
    ok: datetime | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """How a part ended.

    Attributes:
        part: Which.
        problem: What is wrong; None if it came about.
    """

    part: str
    problem: UpkeepProblem | None = None


def limit_of(part: str) -> timedelta:
    """How long a part may go without coming about."""
    return _LIMITS.get(part, _OTHER)


def failed(part: str, message: str, hint: str) -> Event:
    """A part did not come about."""
    return Event(part, UpkeepProblem(part, message, hint))


class Ages:
    """The file, read once and written when something in it changes."""

    def __init__(self, state: Path) -> None:
        """Args: state: Directory of the appliance's state."""
        self._file = state / FILE
        self._ages = _load(self._file)
        self._changed = False

    def get(self, part: str) -> Age | None:
        """What is remembered of a part."""
        return self._ages.get(part)

    def begin(self, parts: Iterable[str], now: datetime) -> None:
        """Remember since when parts are asked for, and forget those that are not any more."""
        wanted = {part: self._ages.get(part) or Age(now) for part in parts}
        self._changed |= wanted != self._ages
        self._ages = wanted

    def note(self, event: Event, now: datetime) -> None:
        """Remember how a part ended."""
        before = self._ages.get(event.part) or Age(now)
        if event.problem is not None:
            after = replace(before, trouble=event.problem.message[:500])
        elif before.trouble or before.ok is None or not before.ok <= now < before.ok + _FRESH:
            after = replace(before, ok=now, trouble="")
        else:
            return
        self._changed |= after != before
        self._ages[event.part] = after

    def alarm(self, part: str, now: datetime, known: datetime | None = None) -> str | None:
        """What to say of a part that has not come about for too long.

        Args:
            part: Which.
            now: Wall time.
            known: When it last came about as the ledger says.
        """
        age = self._ages.get(part)
        if age is None:
            return None
        # A time that has not come yet is of a clock that was wrong.
        done = [at for at in (age.ok, known) if at is not None and at <= now]
        last = max(done) if done else age.since
        if now - last <= limit_of(part):
            return None
        what = "last came about" if done else "has not come about since"
        return f"{what} {last:%Y-%m-%dT%H:%M:%SZ}, {_span(now - last)} ago"

    def save(self) -> None:
        """Write what changed, as a whole or not at all.

        Raises:
            MachineError: It cannot be written.
        """
        if not self._changed:
            return
        data = json.dumps({part: _body(age) for part, age in self._ages.items()}).encode()
        partial = self._file.with_name(f".{self._file.name}.{secrets.token_hex(4)}")
        with on_disk(self._file):
            try:
                partial.write_bytes(data)
                partial.replace(self._file)
            finally:
                partial.unlink(missing_ok=True)
        self._changed = False


def alarm_problem(part: str, message: str) -> UpkeepProblem:
    """An alarm as a problem of the run."""
    return UpkeepProblem(part, message, _HINT)


def _span(time: timedelta) -> str:
    return f"{time.days} days" if time.days else f"{time.seconds // 3600} hours"


def _body(age: Age) -> dict[str, str | None]:
    ok = None if age.ok is None else age.ok.isoformat()
    return {"since": age.since.isoformat(), "ok": ok, "trouble": age.trouble}


def _load(file: Path) -> dict[str, Age]:
    try:
        with file.open("rb") as opened:
            value = json.loads(opened.read(_MAX_BYTES))
        return {str(part): _read(fields) for part, fields in form.mapping(value).items()}
    except (OSError, ValueError, RecursionError):
        return {}


def _read(value: object) -> Age:
    fields: Mapping[str, Any] = form.fields(value, {"since", "ok", "trouble"})
    ok, trouble = fields["ok"], fields["trouble"]
    if not isinstance(trouble, str):
        raise form.Malformed("a text is missing")
    return Age(_time(fields["since"]), None if ok is None else _time(ok), trouble)


def _time(value: object) -> datetime:
    at = datetime.fromisoformat(form.text(value))
    if at.tzinfo is None:
        raise form.Malformed("a time has no zone")
    return at
