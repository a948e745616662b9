"""What chronyd reports of the clock and its sources (``chronyc -c``); addresses stay here.

Source: chronyc(1): ``-c`` prints comma-separated values, ``-n`` looks no name up. Of ``tracking``,
field 5 is the offset of the system clock in seconds and field 14 the leap status. Of ``sources``,
field 2 is the state and field 6 the reachability register, octal.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from reconciler.checks.parsing.shapes import MAX_INT, command, refuse
from reconciler.model.answer import Answers
from reconciler.model.probe import Command
from reconciler.model.values import Value

TRACKING = Command(("chronyc", "-n", "-c", "tracking"), timeout_s=5, limit=16 * 1024)
SOURCES = Command(("chronyc", "-n", "-c", "sources"), timeout_s=5, limit=256 * 1024)
NAMED = Command(("chronyc", "-N", "-c", "sources"), timeout_s=5, limit=256 * 1024)
AUTHENTICATION = Command(("chronyc", "-N", "-c", "authdata"), timeout_s=5, limit=256 * 1024)

_LEAPS = frozenset({"Normal", "Insert second", "Delete second", "Not synchronised"})
_STATES = frozenset("*+-?x~")


def tracking(answers: Answers) -> Mapping[str, Value]:
    """``synchronised`` and ``offset_us`` (without sign).

    Raises:
        Unobservable: chronyd did not answer, or not as chronyc(1) says.
    """
    rows = _rows(answers, TRACKING)
    if len(rows) != 1 or len(rows[0]) != 14 or rows[0][13] not in _LEAPS:
        refuse(TRACKING, "not the fourteen fields of a tracking report")
    return {
        "synchronised": rows[0][13] != "Not synchronised",
        "offset_us": _microseconds(rows[0][4]),
    }


def sources(answers: Answers) -> Mapping[str, Value]:
    """``reachable_sources`` and ``falsetickers``.

    Raises:
        Unobservable: chronyd did not answer, or not as chronyc(1) says.
    """
    rows = _rows(answers, SOURCES)
    if any(len(row) != 10 or row[1] not in _STATES for row in rows):
        refuse(SOURCES, "not the ten fields of a source")
    return {
        "reachable_sources": sum(_register(row[5]) != 0 for row in rows),
        "falsetickers": sum(row[1] == "x" for row in rows),
    }


def named_sources(answers: Answers) -> frozenset[str]:
    """Sources by the names that they are configured under; addresses where they have none.

    Raises:
        Unobservable: chronyd did not answer, or not as chronyc(1) says.
    """
    rows = _rows(answers, NAMED)
    if any(len(row) != 10 or row[1] not in _STATES for row in rows):
        refuse(NAMED, "not the ten fields of a source")
    # A clock of the machine itself is no source that somebody can speak for.
    return frozenset(row[2].lower() for row in rows if row[0] != "#")


def authenticated(answers: Answers) -> frozenset[str]:
    """Names of the sources whose packets are authenticated by NTS.

    Raises:
        Unobservable: chronyd did not answer, or not as chronyc(1) says; it answers root alone.
    """
    rows = _rows(answers, AUTHENTICATION)
    if any(len(row) != 10 for row in rows):
        refuse(AUTHENTICATION, "not the ten fields of a source")
    return frozenset(row[0].lower() for row in rows if row[1] == "NTS")


def _rows(answers: Answers, probe: Command) -> list[list[str]]:
    ran = command(answers, probe)
    if ran.exit != 0:
        refuse(probe, f"chronyd could not be asked (exit {ran.exit})")
    return [line.split(",") for line in ran.stdout.splitlines()]


def _register(text: str) -> int:
    if not 1 <= len(text) <= 3 or set(text) - set("01234567"):
        refuse(SOURCES, "a reachability register is not octal")
    return int(text, 8)


def _microseconds(seconds: str) -> int:
    try:
        amount = Decimal(seconds)
    except InvalidOperation:
        refuse(TRACKING, "the offset is not a number")
    if not amount.is_finite() or abs(amount) > MAX_INT // 1_000_000:
        refuse(TRACKING, "the offset is out of range")
    return int(abs(amount) * 1_000_000)
