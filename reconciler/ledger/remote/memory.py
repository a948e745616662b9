"""What a push remembers for the next one: when to try again, and what the server held.

Derived and small: a file that is torn, lost or of another time costs one more try, never evidence.
"""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from reconciler.ledger.durable import flush, on_disk

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=1)

_MAX_BYTES = 4096
_MAX_ATTEMPTS = 1_000_000
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a remote.

    Attributes:
        tip: The last commit that the remote was seen to hold, None if it was never seen.
        attempts: Tries in a row that did not bring everything there.
        next_try: When to try again, None for at once.
    """

    tip: str | None = None
    attempts: int = 0
    next_try: datetime | None = None

    def waits(self, now: datetime) -> bool:
        """Whether it is too early to try again; a clock that was set back does not wait longer."""
        return self.next_try is not None and now < self.next_try <= now + LONGEST_DELAY


def next_try(attempts: int, now: datetime, rng: Random) -> datetime:
    """When to try again after some tries in a row failed.

    Doubles from a minute to an hour; a part of it is random, so that the appliances of a server
    that was down do not come back in step.

    Args:
        attempts: How many failed, at least 1.
        now: Wall time.
        rng: Where the random part comes from.
    """
    delay: timedelta = min(FIRST_DELAY * 2 ** min(attempts - 1, 10), LONGEST_DELAY)
    wait: timedelta = max(FIRST_DELAY, delay * rng.uniform(0.5, 1))
    return now + wait


def load(file: Path) -> Memory:
    """What was remembered; nothing if there is no file, or one that is not whole."""
    try:
        with file.open("rb") as opened:
            value = json.loads(opened.read(_MAX_BYTES))
        return _memory(value)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Memory()


def save(file: Path, memory: Memory) -> None:
    """Remember, as a whole or not at all.

    Raises:
        MachineError: The file cannot be written.
    """
    when = None if memory.next_try is None else memory.next_try.isoformat()
    value = {"tip": memory.tip, "attempts": memory.attempts, "next_try": when}
    partial = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with on_disk(file):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with partial.open("xb") as opened:
                opened.write(json.dumps(value).encode())
                flush(opened)
            partial.rename(file)
        finally:
            partial.unlink(missing_ok=True)
        flush(file.parent)


def hurry(file: Path) -> None:
    """Forget when to try again, because somebody asks for it now.

    Raises:
        MachineError: The file cannot be written.
    """
    memory = load(file)
    if memory.next_try is not None:
        save(file, replace(memory, next_try=None))


def _memory(value: Mapping[str, Any]) -> Memory:
    tip, attempts, text = value["tip"], value["attempts"], value["next_try"]
    when = None if text is None else datetime.fromisoformat(text)
    sound = (
        (tip is None or _COMMIT.fullmatch(tip))
        and type(attempts) is int
        and 0 <= attempts <= _MAX_ATTEMPTS
        and (when is None or when.tzinfo is not None)
    )
    return Memory(tip, attempts, when) if sound else Memory()
