"""Units that systemd has in memory, as the probe `LoadedUnits` answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.checks.parsing.records import MAX_RECORDS, texts
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.nixos_probe import LoadedUnits

LOADED = LoadedUnits()

_WORKS = frozenset({"active", "reloading", "refreshing"})
_UNUSABLE = frozenset({"masked", "error", "bad-setting", "not-found"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """State of one unit in the words of org.freedesktop.systemd1."""

    load_state: str
    active_state: str

    @property
    def works(self) -> bool:
        """Whether it is active."""
        return self.active_state in _WORKS

    @property
    def unusable(self) -> bool:
        """Whether systemd could not start it as it is declared."""
        return self.load_state in _UNUSABLE


def loaded(answers: Answers) -> Mapping[str, Loaded]:
    """Every unit by name; one that is not there is not active.

    Raises:
        Unobservable: systemd was not asked, or the answer has another shape.
    """
    data = answers.data(LOADED)
    if not isinstance(data, Mapping) or len(data) > MAX_RECORDS:
        raise Unobservable("LoadedUnits: the answer is not an object")
    return {_name(name): _state(row) for name, row in data.items()}


def idle(states: Mapping[str, Loaded], names: Iterable[str]) -> set[str]:
    """Those of the names that are not active, or that systemd has not."""
    return {name for name in names if name not in states or not states[name].works}


def unusable(states: Mapping[str, Loaded], names: Iterable[str]) -> set[str]:
    """Those of the names that systemd could not start as they are declared."""
    return {name for name in names if name in states and states[name].unusable}


def lost(states: Mapping[str, Loaded], *kinds: str) -> set[str]:
    """Units of some kinds that are active, and that systemd knows no file of any more."""
    return {
        name
        for name, state in states.items()
        if name.endswith(kinds) and state.works and state.load_state == "not-found"
    }


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise Unobservable("LoadedUnits: a unit has no name")
    return name


def _state(row: object) -> Loaded:
    words = texts(row, "LoadedUnits")
    if len(words) != 3:
        raise Unobservable("LoadedUnits: a unit has not three states")
    return Loaded(words[0], words[1])
