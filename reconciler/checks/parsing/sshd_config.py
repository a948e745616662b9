"""``Match`` blocks of sshd_config(5): what holds for some connections only.

``sshd -G`` and ``sshd -T`` print what holds where no ``Match`` applies, so ``PermitRootLogin yes``
inside ``Match Address 10.0.0.0/8`` would stay unseen. Evaluating with ``-C`` needs a guess of the
connection; collecting what any block says needs none, and errs toward drift.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from reconciler.checks.parsing.shapes import FileText, code_lines
from reconciler.errors import Unobservable

Blocks = Mapping[str, tuple[str, ...]]
"""By lower-case keyword: every value that some ``Match`` block gives it, in order."""

INCLUDED = ("/etc/ssh/sshd_config.d/*.conf", "sshd_config.d/*.conf")
"""The only includes that are followed; a relative one starts in /etc/ssh."""

_LINE = re.compile(r'([A-Za-z0-9]+)(?:[ \t]*=[ \t]*|[ \t]+|(?="))(.*)')


def match_blocks(main: str, included: Iterable[FileText]) -> Blocks:
    """What ``Match`` blocks of a configuration say.

    Args:
        main: Text of sshd_config.
        included: The files that ``Include /etc/ssh/sshd_config.d/*.conf`` names.

    Raises:
        Unobservable: Another file is included, or a line has no keyword and value.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    includes = _collect(main, found)
    # A Match in an included file ends with that file (sshd_config(5), Include).
    for file in included if includes else ():
        if _collect(file.text, found):
            raise Unobservable("sshd_config: an included file includes another; not followed")
    return {keyword: tuple(values) for keyword, values in found.items()}


def _collect(text: str, found: defaultdict[str, list[str]]) -> bool:
    inside = includes = False
    for line in code_lines(text):
        keyword, value = _split(line)
        if keyword == "match":
            inside = True
        elif keyword == "include":
            _known_include(value, inside)
            includes = True
        elif inside:
            found[keyword].append(value)
    return includes


def _split(line: str) -> tuple[str, str]:
    found = _LINE.fullmatch(line)
    if found is None:
        raise Unobservable("sshd_config: a line has no keyword and value")
    value = found[2].strip()
    if len(value) > 1 and value[0] == value[-1] == '"' and '"' not in value[1:-1]:
        value = value[1:-1]
    return found[1].lower(), value


def _known_include(value: str, inside: bool) -> None:
    if inside or any(part not in INCLUDED for part in value.split()):
        raise Unobservable(
            f"sshd_config: only Include {INCLUDED[0]} outside of Match is followed; "
            "what another one brings in was not looked at"
        )
