"""What the configuration declares beside what is live: the one form of every LNX-EXP check.

Rule 1: Without the document of the trusted system nothing is known: no check may pass by it.
Rule 2: A name is reported as long as it is plain; of anything else only that there is one, because
        whoever breaks in chooses the names of what he leaves behind.
Rule 3: Lists are cut at a bound and counted whole: a thousand files must not fill the ledger.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from reconciler.checks.parsing.records import record
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Field, Values
from reconciler.model.expected import REAPPLY, Section
from reconciler.model.probe import Internal
from reconciler.model.system import STORE_PATH

EXPECTATIONS = Internal("expectations")
MOST_NAMES = 64

_S = TypeVar("_S")
_SYSTEM = re.compile(STORE_PATH)
_PLAIN = re.compile(r"[A-Za-z0-9_.:@%+~/,=?\\* -]{1,200}")

FIELDS: Mapping[str, Field] = {
    "system": Field("str", "Store path of the trusted system, whose document is compared with."),
    "reapply": Field("list[str]", "Units that make the machine take over again what is declared."),
    "missing": Field("list[str]", f"Declared, and not there; at most {MOST_NAMES} names."),
    "different": Field("list[str]", "Declared, and there in another form; cut the same way."),
    "undeclared": Field("list[str]", "There, and nobody declared it; cut the same way."),
    "drifts": Field("int", "How many names the three lists would have, whole."),
    "owned": Field(
        "bool", "Whether to activate the declared system would take back all that was found."
    ),
}
"""Fields of every check of expectations."""


@dataclass(frozen=True, slots=True)
class Declared:
    """The document of the trusted system.

    Attributes:
        system: Its store path.
        document: What it declares, not believed yet.
    """

    system: str
    document: Mapping[str, Any]

    def read(self, section: Section[_S]) -> _S:
        """One part of the document.

        Raises:
            Unobservable: It has not the form of the format.
        """
        return section.read(self.document)


@dataclass(slots=True)
class Drift:
    """What differs.

    Attributes:
        missing: Declared, and not there.
        different: Declared, and there in another form.
        undeclared: There, and nobody declared it.
        owned: Whether Nix takes all of it back.
    """

    missing: set[str] = field(default_factory=set)
    different: set[str] = field(default_factory=set)
    undeclared: set[str] = field(default_factory=set)
    owned: bool = True

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.missing or self.different or self.undeclared)


def declared(answers: Answers) -> Declared:
    """What the trusted system declares (Rule 1).

    Raises:
        Unobservable: There is no document, or the answer has another form.
    """
    answer = record(answers.data(EXPECTATIONS), "expectations")
    system, document = answer.text("system"), answer.fields.get("document")
    if _SYSTEM.fullmatch(system) is None or not isinstance(document, Mapping):
        raise Unobservable("expectations: the answer names no system, or holds no document")
    return Declared(system, document)


def values(given: Declared, drift: Drift) -> Values:
    """What a check of expectations observes (Rule 3)."""
    lists = {
        "missing": drift.missing,
        "different": drift.different,
        "undeclared": drift.undeclared,
    }
    return {
        "system": given.system,
        "reapply": given.read(REAPPLY),
        **{name: _cut(names) for name, names in lists.items()},
        "drifts": sum(map(len, lists.values())),
        "owned": drift.owned or not drift,
    }


def shown(name: str) -> str:
    """A name as it may be reported (Rule 2)."""
    return name if _PLAIN.fullmatch(name) else "?"


def _cut(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({shown(name) for name in names})[:MOST_NAMES])
