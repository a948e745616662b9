"""What steps about units share. States and verbs: org.freedesktop.systemd1 (D-Bus interface)."""

from dataclasses import dataclass, replace

from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, UnitStatus
from reconciler.model.values import Params
from reconciler.steps.shared import take

UNIT = Parameter(
    type="str",
    doc="Name of the unit, with its suffix.",
    pattern=r"[A-Za-z0-9:_.\\@-]{1,240}\.(service|socket|timer|mount|target|path)",
)
OPTIONAL_UNIT = replace(
    UNIT, doc="Name of the unit, with its suffix; the step is left out without one.", required=False
)
TIMEOUT_S = Parameter(
    type="int",
    doc="Longest wait for the job, seconds.",
    required=False,
    default=90,
    minimum=1,
    maximum=14400,
)

_RUNNING = {"active", "activating", "reloading"}


@dataclass(frozen=True, slots=True)
class State:
    """What a unit was before a step.

    Attributes:
        active: ``ActiveState``.
        file: ``UnitFileState``.
        load: ``LoadState``.
    """

    active: str
    file: str
    load: str

    @property
    def missing(self) -> bool:
        """Whether there is no such unit."""
        return self.load == "not-found"

    @property
    def running(self) -> bool:
        """Whether it runs or is about to."""
        return self.active in _RUNNING

    @property
    def masked(self) -> bool:
        """Whether it is masked, until reboot or for good."""
        return self.file.startswith("masked")

    @property
    def enabled(self) -> bool:
        """Whether it starts by itself."""
        return self.file.startswith("enabled")


def name(params: Params) -> str:
    """The unit that a step is about."""
    return take.text(params, "unit")


def ask(params: Params) -> tuple[Probe, ...]:
    """What must be known before a step about a unit."""
    return (UnitStatus((name(params),)),)


def state(params: Params, before: Answers) -> State:
    """What the unit was.

    Raises:
        Unobservable: The answer does not say.
    """
    unit = name(params)
    data = before.data(UnitStatus((unit,)))
    facts = data.get(unit) if isinstance(data, dict) else None
    if not isinstance(facts, dict):
        raise Unobservable(f"{unit}: its state was not given")
    words = [facts.get(key) for key in ("active_state", "unit_file_state", "load_state")]
    texts = [word for word in words if isinstance(word, str)]
    if len(texts) != len(words):
        raise Unobservable(f"{unit}: its state is garbled")
    return State(*texts)


def word(params: Params) -> frozenset[str]:
    """The unit in the words of a host's access path."""
    return frozenset({f"unit:{name(params)}"})
