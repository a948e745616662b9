"""Settings of Nix: nix.conf(5), with the defaults of Nix on Linux.

A later line wins; ``extra-<name>`` adds to a list. Old names still work and are read as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.checks.parsing.shapes import code_lines
from reconciler.errors import Unobservable

_DEFAULTS = {
    "allowed-users": "*",
    "require-sigs": "true",
    "sandbox": "true",
    "trusted-public-keys": "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=",
    "trusted-users": "root",
}
_OLD_NAMES = {
    "binary-cache-public-keys": "trusted-public-keys",
    "build-use-chroot": "sandbox",
    "build-use-sandbox": "sandbox",
}
_INCLUDES = ("include", "!include")


@dataclass(frozen=True, slots=True)
class NixConf:
    """What a file sets.

    Attributes:
        settings: By name.
        includes: How many other files it reads, which may set anything.
    """

    settings: Mapping[str, str]
    includes: int

    def flag(self, name: str) -> bool:
        """A setting that is true or false.

        Raises:
            Unobservable: It is something else.
        """
        value = self.settings[name]
        if value not in {"true", "false"}:
            raise Unobservable(f"nix.conf: {name} is not true or false")
        return value == "true"

    def listed(self, name: str) -> tuple[str, ...]:
        """A setting with a list, each word once, sorted."""
        return tuple(sorted(set(self.settings[name].split())))


def read(text: str) -> NixConf:
    """Read a file.

    Raises:
        Unobservable: A line is neither a setting nor an include.
    """
    settings, includes = dict(_DEFAULTS), 0
    for raw in code_lines(text):
        line = raw.partition("#")[0].strip()
        if line.split(maxsplit=1)[0] in _INCLUDES:
            includes += 1
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            raise Unobservable("nix.conf has a line that is not a setting")
        _set(settings, name, value)
    return NixConf(settings, includes)


def _set(settings: dict[str, str], name: str, value: str) -> None:
    plain = name.removeprefix("extra-")
    known = _OLD_NAMES.get(plain, plain)
    before = settings.get(known, "")
    settings[known] = value if plain == name else f"{before} {value}"
