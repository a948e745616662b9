"""Files under ``/proc/pressure`` (Linux Documentation/accounting/psi.rst).

Each line reads ``some avg10=0.00 avg60=0.00 avg300=0.00 total=0``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.checks.parsing.shapes import refuse
from reconciler.model.answer import Answers
from reconciler.model.probe import ReadFile

_LINE = re.compile(
    r"(some|full) avg10=[0-9]{1,3}\.[0-9]{2} avg60=([0-9]{1,3})\.([0-9]{2}) "
    r"avg300=([0-9]{1,3})\.([0-9]{2}) total=[0-9]+"
)


@dataclass(frozen=True, slots=True)
class Pressure:
    """Shares of time that tasks waited, in hundredths of a percent."""

    avg60: int
    avg300: int


def lines(answers: Answers, probe: ReadFile) -> Mapping[str, Pressure]:
    """Every line by its kind; ``some`` is always there.

    Raises:
        Unobservable: The file is missing, or does not read as the kernel writes it.
    """
    found: dict[str, Pressure] = {}
    for line in answers.text(probe).splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            refuse(probe, "not a line of pressure")
        found[match[1]] = Pressure(int(match[2] + match[3]), int(match[4] + match[5]))
    if "some" not in found:
        refuse(probe, "the line 'some' is missing")
    return found
