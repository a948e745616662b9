"""Configuration of systemd's own daemons: ``<name>.conf`` and its drop-ins, merged.

Source: systemd.syntax(7), journald.conf(5) "CONFIGURATION DIRECTORIES AND PRECEDENCE": the main
file comes from the first directory that has one; drop-ins of all directories are read in order of
their file names, later ones win, and a name hides the same name in a later directory.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from reconciler.checks.parsing.shapes import MAX_INT, files
from reconciler.model.answer import Answers
from reconciler.model.probe import Probe, ReadFile, ReadGlob

_Setting = TypeVar("_Setting", int, str)

DIRECTORIES = ("/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd")

_AMOUNT = re.compile(r"(?<![0-9.])([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Za-zµμ]*)\s*")
_SIZES = {unit: 1024**power for power, unit in enumerate("BKMGTPE")} | {"": 1}
_SPANS_US = {
    name: us
    for us, names in (
        (1, "us usec µs μs"),
        (1_000, "ms msec"),
        (1_000_000, "s sec second seconds"),
        (60_000_000, "m min minute minutes"),
        (3_600_000_000, "h hr hour hours"),
        (86_400_000_000, "d day days"),
        (604_800_000_000, "w week weeks"),
        (2_629_800_000_000, "M month months"),
        (31_557_600_000_000, "y year years"),
    )
    for name in names.split()
} | {"": 1_000_000}


def conf_probes(name: str) -> tuple[Probe, ...]:
    """What to read for ``<name>``, for example ``journald.conf``."""
    return (*map(ReadFile, _mains(name)), *_globs(name))


def settings(answers: Answers, name: str, section: str) -> Mapping[str, tuple[str, ...]]:
    """Every assignment of one section by key, in the order in which systemd reads them.

    Raises:
        Unobservable: A file that is there cannot be read.
    """
    found: dict[str, list[str]] = {}
    for text in (_main_text(answers, name), *_drop_ins(answers, name)):
        for key, value in _assignments(text, section):
            found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}


def effective(assigned: Sequence[str], read: Callable[[str], _Setting | None]) -> _Setting | None:
    """The value in force: the last valid one; an empty assignment goes back to the default.

    systemd skips what it cannot parse and keeps what it had.
    """
    value: _Setting | None = None
    for raw in assigned:
        if not raw:
            value = None
        elif (read_value := read(raw)) is not None:
            value = read_value
    return value


def size(text: str) -> int | None:
    """Bytes of ``64M`` (base 1024), or ``None`` for what systemd would skip."""
    match = _AMOUNT.fullmatch(text)
    if match is None or match[2] not in _SIZES:
        return None
    return min(int(Decimal(match[1]) * _SIZES[match[2]]), MAX_INT)


def timespan_s(text: str) -> int | None:
    """Seconds of ``90day`` or ``1h 30min`` (systemd.time(7)); `MAX_INT` for ``infinity``."""
    if text == "infinity":
        return MAX_INT
    total, end = Decimal(0), 0
    for match in _AMOUNT.finditer(text):
        if match.start() != end or match[2] not in _SPANS_US:
            return None
        total, end = total + Decimal(match[1]) * _SPANS_US[match[2]], match.end()
    return min(int(total) // 1_000_000, MAX_INT) if end == len(text) > 0 else None


def _mains(name: str) -> tuple[str, ...]:
    return tuple(f"{directory}/{name}" for directory in DIRECTORIES)


def _globs(name: str) -> tuple[ReadGlob, ...]:
    return tuple(ReadGlob(f"{directory}/{name}.d/*.conf") for directory in DIRECTORIES)


def _main_text(answers: Answers, name: str) -> str:
    there = (probe for probe in map(ReadFile, _mains(name)) if not answers.absent(probe))
    first = next(there, None)
    return "" if first is None else answers.text(first)


def _drop_ins(answers: Answers, name: str) -> list[str]:
    by_name: dict[str, str] = {}
    for probe in _globs(name):
        for file in files(answers, probe):
            by_name.setdefault(file.path.rpartition("/")[2], file.text)
    return [text for _, text in sorted(by_name.items())]


def _assignments(text: str, section: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    current = ""
    for raw in text.replace("\\\n", " ").split("\n"):
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            current = line[1:-1]
        elif line and line[0] not in "#;" and current == section and "=" in line:
            key, _, value = line.partition("=")
            found.append((key.strip(), value.strip()))
    return found
