"""The ``auth`` stack of a PAM service, with its includes put in. Source: pam.conf(5).

Debian spreads a stack over ``common-*`` files (``@include``), Fedora over ``substack`` and
``include`` lines; NixOS writes each stack whole, with absolute module paths in the store.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.checks.parsing.shapes import code_lines
from reconciler.errors import Unobservable

MAX_DEPTH = 8
MAX_LINES = 512

_LINE = re.compile(
    r"-?(?P<kind>auth|account|password|session)\s+(?P<control>\[[^\]]*\]|\S+)\s+(?P<rest>.*)", re.I
)


@dataclass(frozen=True, slots=True)
class Module:
    """One line of a stack: the module's file name without its directory, and its arguments."""

    name: str
    control: str
    arguments: tuple[str, ...]


def auth_stack(services: Mapping[str, str], service: str) -> tuple[Module, ...]:
    """The ``auth`` modules of a service in the order in which they run.

    Args:
        services: Text of every file in /etc/pam.d by file name.
        service: Name of the service; it must be one of them.

    Raises:
        Unobservable: A line cannot be read, an included file is missing, or includes go round.
    """
    found: list[Module] = []
    _collect(services, service, 0, found)
    return tuple(found)


def _collect(services: Mapping[str, str], service: str, depth: int, found: list[Module]) -> None:
    if depth > MAX_DEPTH or len(found) > MAX_LINES:
        raise Unobservable("/etc/pam.d: the stack is too deep or too long; do includes go round?")
    if service not in services:
        raise Unobservable("/etc/pam.d: an included file is missing")
    for line in code_lines(services[service].replace("\\\n", " ")):
        _read(services, line.partition("#")[0].strip(), depth, found)


def _read(services: Mapping[str, str], line: str, depth: int, found: list[Module]) -> None:
    if line.startswith("@include"):
        _collect(services, line.removeprefix("@include").strip(), depth + 1, found)
        return
    parts = _LINE.fullmatch(line)
    if parts is None:
        raise Unobservable("/etc/pam.d: a line is not one of PAM")
    name, *arguments = parts["rest"].split() or [""]
    if parts["kind"].lower() != "auth":
        return
    if parts["control"] in {"include", "substack"}:
        _collect(services, name, depth + 1, found)
    else:
        found.append(Module(name.rpartition("/")[2], parts["control"], tuple(arguments)))
