"""Only what a signed release names for this host is brought here or activated.

Rule 1: The operation says which system, the engine says which one is trusted now; both must agree
        when the operation is carried out, not only when it was planned.
Rule 2: Without settings for systems nothing is done to any.
"""

import re
from dataclasses import dataclass

from reconciler.model.system import STORE_PATH
from reconciler.targets.linux.nixos.access import SystemAccess
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session

_STORE_PATH = re.compile(STORE_PATH)


@dataclass(frozen=True, slots=True)
class Trusted:
    """What the release says of the system.

    Attributes:
        path: Store path.
        nar_sha256: SHA-256 of its NAR, hex.
        closure_sha256: Digest of its closure, hex; ``None`` where the release does not say.
    """

    path: str
    nar_sha256: str
    closure_sha256: str | None


def trusted(path: str, session: Session) -> Trusted:
    """What the release in force says of a system.

    Raises:
        NoAnswer: It is not the one that the release names for this host.
    """
    answer = session.internal("system")
    if answer.status != "ok" or not isinstance(answer.data, dict):
        reason = answer.reason or answer.status
        raise NoAnswer("denied", f"no system is trusted on this host: {reason}")
    if answer.data.get("path") != path:
        raise NoAnswer("denied", f"{path:.220} is not the trusted system of this host")
    nar, closure = answer.data.get("nar_sha256"), answer.data.get("closure_sha256")
    if not isinstance(nar, str) or not isinstance(closure, str | None):
        raise NoAnswer("error", "what the release says of the system is garbled")
    return Trusted(store_path(path), nar, closure)


def access_of(session: Session) -> SystemAccess:
    """The settings for systems.

    Raises:
        NoAnswer: There are none, so systems are only looked at here.
    """
    if session.system is None:
        raise NoAnswer("unsupported", "the settings have no section system; nothing is activated")
    return session.system


def store_path(path: str) -> str:
    """A path that is one of the store and nothing below it.

    Raises:
        NoAnswer: It is not.
    """
    if _STORE_PATH.fullmatch(path) is None:
        raise NoAnswer("error", f"{path!r:.220} is not a store path")
    return path
