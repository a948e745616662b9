"""The system that is trusted for this host, as the engine answers, and what NixOS says it runs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.checks.parsing.declared import EXPECTATIONS, declared
from reconciler.checks.parsing.records import record, texts
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Field
from reconciler.model.expected import REAPPLY
from reconciler.model.nixos_probe import RealPath
from reconciler.model.probe import Internal
from reconciler.model.system import STORE_PATH
from reconciler.model.system_links import BOOTED, CURRENT

SYSTEM = Internal("system")
RUNNING = RealPath(CURRENT)
BOOT = RealPath(BOOTED)

SYSTEM_FIELD = Field("str", "Store path of the system that a signed release names for this host.")
REAPPLY_FIELD = Field(
    "list[str]", "Units that make the machine take over again what is declared; none without it."
)

_STORE_PATH = re.compile(STORE_PATH)


@dataclass(frozen=True, slots=True)
class Trusted:
    """What is trusted now, and what was before.

    Attributes:
        path: Of the system that this host is meant to run.
        before: Paths that were meant before, newest first.
    """

    path: str
    before: Sequence[str]


def trusted(answers: Answers) -> Trusted:
    """The trusted system.

    Raises:
        Unobservable: There is none, or the answer has another shape.
    """
    answer = record(answers.data(SYSTEM), "trusted system")
    before = texts(answer.fields.get("before"), "trusted system")
    return Trusted(store_path(answer.text("path")), tuple(map(store_path, before)))


def reapply(answers: Answers) -> tuple[str, ...]:
    """What the trusted system says; nothing while its document is not on this machine.

    Raises:
        Unobservable: The document is here and has another form.
    """
    return declared(answers).read(REAPPLY) if answers.raw(EXPECTATIONS).status == "ok" else ()


def store_path(text: str) -> str:
    """A path of the store, and nothing below it.

    Raises:
        Unobservable: It is something else.
    """
    if _STORE_PATH.fullmatch(text) is None:
        raise Unobservable("a system is no path of the store")
    return text


def link_to_system(answers: Answers, probe: RealPath) -> str | None:
    """Where a link of NixOS leads; None where it leads to no system.

    Raises:
        Unobservable: It could not be followed.
    """
    if answers.absent(probe):
        return None
    path = answers.text(probe)
    return path if _STORE_PATH.fullmatch(path) else None
