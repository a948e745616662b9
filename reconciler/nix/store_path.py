"""The name of a path in the Nix store, and what of it is a package, a version and an output.

Rule 1: A store path is ``/nix/store/<32 digits>-<name>`` and nothing else: no trailing slash, no
        file below it, no other directory.
Rule 2: Name and version part as ``builtins.parseDrvName`` parts them: at the first dash that no
        letter follows. What follows a version as the name of an output (``-bin``, ``-dev``) belongs
        to neither: two outputs of a package have one version.
"""

import re
from dataclasses import dataclass

from reconciler.errors import InputError
from reconciler.model.system import STORE_PATH

STORE_DIR = "/nix/store"

_PATH = re.compile(STORE_PATH)
_DIGITS = 32
_VERSION = re.compile(r"-(?![A-Za-z])(?=.)", re.DOTALL)
_OUTPUTS = re.compile(
    r"bin|data|debug|dev|devdoc|dist|doc|getent|info|lib(?:32|64|gcc)?|man|modules|out|static"
    r"|terminfo|tools"
)


@dataclass(frozen=True, slots=True)
class Package:
    """What the name of a store path says.

    Attributes:
        name: Of the package: ``openssl``.
        version: Of the package; empty when the name has none.
        output: Which part of the package it is: ``bin``; empty for the first.
    """

    name: str
    version: str
    output: str


def is_store_path(text: str) -> bool:
    """Whether a text is a store path as a whole."""
    return _PATH.fullmatch(text) is not None


def require_store_path(text: str, what: str = "a store path") -> str:
    """A text that is a store path.

    Args:
        text: From anywhere.
        what: What it is to be, for the message.

    Raises:
        InputError: It is none.
    """
    if not is_store_path(text):
        raise InputError(
            f"{text!r:.120} is not {what}",
            hint=f"Give a path right below {STORE_DIR}, as `nix path-info` prints it.",
        )
    return text


def digest_part(path: str) -> str:
    """The 32 digits of a store path."""
    return path[len(STORE_DIR) + 1 :][:_DIGITS]


def name_part(path: str) -> str:
    """What follows the digits and their dash."""
    return path[len(STORE_DIR) + _DIGITS + 2 :]


def parse_name(name: str) -> tuple[str, str]:
    """A name and a version, as ``builtins.parseDrvName`` parts them."""
    found = _VERSION.search(name)
    return (name, "") if found is None else (name[: found.start()], name[found.end() :])


def package(path: str) -> Package:
    """Package, version and output of a store path."""
    whole = name_part(path)
    name, version = parse_name(whole)
    if not name:
        return Package(whole, "", "")
    before, dash, output = version.rpartition("-")
    if dash and _OUTPUTS.fullmatch(output):
        return Package(name, before, output)
    return Package(name, version, "")
