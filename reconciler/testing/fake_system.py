"""The system of a fake NixOS machine: its links, and what operations do to them."""

from collections.abc import MutableMapping

from reconciler.model.operation import Operation
from reconciler.model.system_links import BOOTED, CURRENT, PROFILE, generation_link
from reconciler.model.system_operation import (
    ReturnNow,
    SetProfile,
    SwitchSystem,
)

Links = MutableMapping[str, str]


def nixos_links(system: str, generation: int = 7) -> dict[str, str]:
    """The links of a machine that was booted into a system and runs it."""
    return {
        CURRENT: system,
        BOOTED: system,
        PROFILE: f"system-{generation}-link",
        generation_link(generation): system,
    }


def act_on_system(links: Links, operation: Operation) -> str:
    """Do what an operation would do; why it failed, or an empty text."""
    match operation:
        case SwitchSystem(system, "test"):
            links[CURRENT] = system
        case SetProfile(system):
            _set_profile(links, system)
        case ReturnNow(previous, generation):
            return _return(links, previous, generation)
        case _:
            pass
    return ""


def _set_profile(links: Links, system: str) -> None:
    number = int(links[PROFILE].split("-")[1]) + 1
    links[generation_link(number)] = system
    links[PROFILE] = f"system-{number}-link"


def _return(links: Links, previous: str, generation: int) -> str:
    if generation_link(generation) not in links:
        return f"generation {generation} is gone"
    links[CURRENT] = previous
    links[PROFILE] = f"system-{generation}-link"
    return ""
