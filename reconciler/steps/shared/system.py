"""What steps share that act on the system of a NixOS machine as a whole."""

import re
from dataclasses import dataclass

from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, ReadLink
from reconciler.model.system import STORE_PATH
from reconciler.model.system_links import CURRENT, PROFILE
from reconciler.model.values import Params
from reconciler.steps.shared import take
from reconciler.steps.shared.unit import UNIT

SYSTEM = Parameter(type="str", doc="Store path of the system.", pattern=STORE_PATH)
UNITS = Parameter(
    type="list[str]",
    doc="Units whose restart makes the machine take over again what is declared.",
    required=False,
    default=(),
    pattern=UNIT.pattern,
    max_items=64,
)

_CURRENT, _PROFILE = ReadLink(CURRENT), ReadLink(PROFILE)
_GENERATION = re.compile(rf"(?:{re.escape(PROFILE)}|system)-([1-9][0-9]{{0,14}})-link")


@dataclass(frozen=True, slots=True)
class Standing:
    """What was in force before a step.

    Attributes:
        running: Store path of the system that ran.
        generation: Number of the profile's generation.
    """

    running: str
    generation: int


def path(params: Params) -> str:
    """The system that a step is about."""
    return take.text(params, "system")


def ask(_params: Params) -> tuple[Probe, ...]:
    """What must be known before a system is activated, and back when it was taken back."""
    return (_CURRENT, _PROFILE)


def standing(before: Answers) -> Standing:
    """What was in force.

    Raises:
        Unobservable: The links do not say it in the form in which NixOS writes them.
    """
    running, profile = before.text(_CURRENT), before.text(_PROFILE)
    if re.fullmatch(STORE_PATH, running) is None:
        raise Unobservable(f"{CURRENT}: does not name a system in the store")
    generation = _GENERATION.fullmatch(profile)
    if generation is None:
        raise Unobservable(f"{PROFILE}: does not name a generation, so there is no way back")
    return Standing(running, int(generation[1]))
