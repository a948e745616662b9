"""What may be done to the system of a NixOS machine as a whole: a closed set of operations.

Each names what it is about; where it is carried out, a system that is not the trusted one of this
host is refused, but for the recorded one on the way back.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Realise:
    """Have a system and all it needs in the store, and see that it is what the release names.

    It comes from caches whose signatures count; nothing is evaluated and nothing is built. The
    hash of the system and the digest of its closure must be those of the release. It cannot be
    collected as garbage from then on.
    """

    system: str
    timeout_s: int = 14_400


@dataclass(frozen=True, slots=True)
class CheckSwitch:
    """Ask the system itself whether it can be switched to without a restart of the machine."""

    system: str
    timeout_s: int = 120


@dataclass(frozen=True, slots=True)
class ArmReturn:
    """Record what is in force and how healthy it is, and arm the way back to it.

    The way back is a timer of systemd that runs nothing of ours. ``previous`` is the system that
    runs, ``generation`` the number of the profile's generation.
    """

    system: str
    previous: str
    generation: int
    timeout_s: int = 90


@dataclass(frozen=True, slots=True)
class SwitchSystem:
    """Activate a system (``test``), or make it what the machine boots (``boot``).

    ``boot`` makes it the default only if it boots the same kernel as the system that was booted;
    otherwise its entry is written, and the booted system stays the default.
    """

    system: str
    action: Literal["test", "boot"]
    timeout_s: int = 900


@dataclass(frozen=True, slots=True)
class AwaitHealth:
    """Wait until a system that was activated is as healthy as what ran before, and stays so."""

    system: str
    timeout_s: int = 660


@dataclass(frozen=True, slots=True)
class SetProfile:
    """Make a system the newest generation of the profile; the boot entry is not touched."""

    system: str
    timeout_s: int = 90


@dataclass(frozen=True, slots=True)
class DisarmReturn:
    """Take the way back away: what was activated is proven."""

    timeout_s: int = 90


@dataclass(frozen=True, slots=True)
class ReturnNow:
    """Go the way back at once: exactly this system, exactly this generation.

    Where both are in force already, what is armed is taken away and nothing else is done.
    """

    previous: str
    generation: int
    timeout_s: int = 1200


@dataclass(frozen=True, slots=True)
class FinishActivation:
    """After a crash: what was proven healthy is finished, what was not goes the way back."""

    timeout_s: int = 1200


@dataclass(frozen=True, slots=True)
class Reapply:
    """Restart units that make the machine take over again what the running system declares.

    A unit that the system's expectations document does not list for that is refused.
    """

    system: str
    units: tuple[str, ...]
    timeout_s: int = 300


@dataclass(frozen=True, slots=True)
class StageBoot:
    """Write a boot entry for a system, leave the default as it is, and record what is in force."""

    system: str
    previous: str
    generation: int
    timeout_s: int = 900


@dataclass(frozen=True, slots=True)
class RebootInto:
    """Restart the machine once into a staged system; the next boot after that is the default."""

    system: str
    timeout_s: int = 90


@dataclass(frozen=True, slots=True)
class ConfirmBoot:
    """After a restart: the staged system was booted and is healthy, and becomes the default."""

    timeout_s: int = 1200


@dataclass(frozen=True, slots=True)
class RepairPath:
    """Fetch a store path again that is not what it was, from caches whose signatures count."""

    path: str
    timeout_s: int = 1800


OnSystem = (
    Realise
    | CheckSwitch
    | ArmReturn
    | SwitchSystem
    | AwaitHealth
    | SetProfile
    | DisarmReturn
    | ReturnNow
    | FinishActivation
    | Reapply
    | StageBoot
    | RebootInto
    | ConfirmBoot
    | RepairPath
)
"""Operations on the system of a NixOS machine as a whole."""
