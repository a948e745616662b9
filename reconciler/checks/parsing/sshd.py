"""The effective configuration of the SSH server, as ``sshd`` itself prints it.

``sshd -G`` (OpenSSH 9.3 and later) reads the configuration only; ``sshd -T`` also loads the host
keys, which takes root. Both are asked and the first that answers is read, so that a run without
root sees what a modern server declares. Source: sshd(8), sshd_config(5).
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from reconciler.checks.parsing.shapes import Ran, command, files, number, word
from reconciler.checks.parsing.sshd_config import Blocks, match_blocks
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers, describe
from reconciler.model.check import NotApplicable
from reconciler.model.probe import Command, Probe, ReadFile, ReadGlob

CONFIGURATION = Command(("sshd", "-G"))
EXTENDED_TEST = Command(("sshd", "-T"))
MAIN_FILE = ReadFile("/etc/ssh/sshd_config")
INCLUDED_FILES = ReadGlob("/etc/ssh/sshd_config.d/*.conf")

PROBES: tuple[Probe, ...] = (CONFIGURATION, EXTENDED_TEST, MAIN_FILE, INCLUDED_FILES)
"""What a check of the SSH server asks; checks share the answers."""

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LINE = re.compile(r"([a-z0-9]{1,64})(?: (.*))?")


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds outside of ``Match`` blocks, and what any of these says.

    Attributes:
        general: By lower-case keyword: every line's value, in order.
        blocks: The same for ``Match`` blocks.
    """

    general: Mapping[str, tuple[str, ...]]
    blocks: Blocks

    def one(self, keyword: str) -> str:
        """A setting with one plain word.

        Raises:
            Unobservable: sshd did not print it once, or it is not a plain word.
        """
        values = self.general.get(keyword, ())
        if len(values) != 1:
            raise Unobservable(f"sshd does not say {keyword} once")
        return _plain(values[0], keyword)

    def listed(self, keyword: str) -> tuple[str, ...]:
        """A setting with a comma-separated list, never empty.

        Raises:
            Unobservable: sshd did not print it, or it is not a list of plain words.
        """
        return tuple(word(item, keyword) for item in self.one_text(keyword).split(","))

    def one_text(self, keyword: str) -> str:
        """A setting as printed.

        Raises:
            Unobservable: sshd did not print it once.
        """
        values = self.general.get(keyword, ())
        if len(values) != 1:
            raise Unobservable(f"sshd does not say {keyword} once")
        return values[0]

    def in_match(self, keyword: str) -> tuple[str, ...]:
        """The distinct values that ``Match`` blocks give a setting, sorted.

        Raises:
            Unobservable: One of them is not a plain word.
        """
        return tuple(sorted({_plain(value, keyword) for value in self.blocks.get(keyword, ())}))

    def authentication_methods(self) -> tuple[str, ...]:
        """Alternatives, each a comma-separated list of methods that are all needed.

        sshd prints the keyword only where it is set; unset means ``any``.

        Raises:
            Unobservable: One of them is not a list of plain words.
        """
        lines = self.general.get("authenticationmethods", ("any",))
        return _methods(lines)

    def authentication_methods_in_match(self) -> tuple[str, ...]:
        """The same for ``Match`` blocks; empty when none speaks of it.

        Raises:
            Unobservable: One of them is not a list of plain words.
        """
        return _methods(self.blocks.get("authenticationmethods", ()))


def settings(answers: Answers) -> Settings | NotApplicable:
    """Read the configuration of the SSH server.

    Raises:
        Unobservable: sshd is there and neither way of asking it works.
    """
    if answers.absent(CONFIGURATION) and answers.absent(EXTENDED_TEST):
        return NotApplicable("the SSH server is not installed")
    general = _printed(answers)
    blocks = match_blocks(answers.text(MAIN_FILE), files(answers, INCLUDED_FILES))
    return Settings(general, blocks)


def seconds(text: str, keyword: str) -> int:
    """A time of sshd_config(5), ``10m`` or ``1h30m``, in seconds.

    Raises:
        Unobservable: It is not a time.
    """
    if re.fullmatch(r"(?:[0-9]{1,9}[smhdwSMHDW]?){1,5}", text) is None:
        raise Unobservable(f"{keyword} is not a time")
    parts = re.findall(r"([0-9]{1,9})([smhdw]?)", text.lower())
    return sum(int(amount) * _UNITS[unit] for amount, unit in parts)


def count(text: str, keyword: str) -> int:
    """A small whole number of sshd_config(5).

    Raises:
        Unobservable: It is something else.
    """
    return number(text, keyword, highest=2**31 - 1)


def _printed(answers: Answers) -> Mapping[str, tuple[str, ...]]:
    reasons = []
    for probe in (CONFIGURATION, EXTENDED_TEST):
        try:
            return _parse(command(answers, probe))
        except Unobservable as problem:
            reasons.append(
                f"{describe(probe)}: {problem.message.removeprefix(describe(probe) + ': ')}"
            )
    raise Unobservable("; ".join(reasons))


def _parse(ran: Ran) -> Mapping[str, tuple[str, ...]]:
    if ran.exit != 0:
        raise Unobservable(f"ended with status {ran.exit}, {_known_reason(ran.stderr)}")
    return _keywords(ran.stdout)


@lru_cache(maxsize=2)
def _keywords(text: str) -> Mapping[str, tuple[str, ...]]:
    """What sshd printed; seven checks read the same text in a run."""
    if not text.endswith("\n"):
        raise Unobservable("the output breaks off")
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise Unobservable("a line is not a keyword and a value")
        found[parts[1]].append(parts[2] or "")
    return {keyword: tuple(values) for keyword, values in found.items()}


def _known_reason(stderr: str) -> str:
    """Why sshd would not answer, in words of ours: its own may quote the configuration."""
    known = {
        "unknown option": "this version does not know the option",
        "illegal option": "this version does not know the option",
        "no hostkeys available": "the host keys cannot be read; needs root",
        "Missing privilege separation directory": "/run/sshd does not exist; start the server once",
        "Permission denied": "the configuration cannot be read; needs root",
        "Bad configuration option": "the configuration has an error",
    }
    return next((words for sign, words in known.items() if sign in stderr), "no reason is known")


def _plain(value: str, keyword: str) -> str:
    return word(value.lower() if value.isascii() else value, keyword)


def _methods(lines: tuple[str, ...]) -> tuple[str, ...]:
    alternatives = [item for line in lines for item in line.split()]
    for item in alternatives:
        for method in item.split(","):
            word(method, "authenticationmethods")
    return tuple(alternatives)
