"""Which single words may be quoted in evidence: known words, and shapes of things of machines.

Rule 1: A word is quoted because it is known, never because nothing is known against it.
Rule 2: Capitals are known as they are written, or where a sentence begins: ``mark`` is a word,
        ``Mark`` in the middle of a sentence may be somebody.
"""

import re
from dataclasses import dataclass

from reconciler.model.system import STORE_PATH
from reconciler.model.vocabulary import NAMES, WORDS

HOLE = "…"
"""What stands where something was withheld."""

_UNITS = "bytes|b|kib|mib|gib|s|ms|us|characters|entries|commits"

UNIT_NAME = (
    r"[a-z][a-z0-9_-]{0,62}(?:@[a-z0-9_-]{0,32})?\.(?:service|socket|timer|target|path|slice|scope)"
)
OURS = re.compile(
    rf"(?<![\w.-])(?:"
    r"SHA256:[A-Za-z0-9+/]{43}"
    r"|(?=[0-9]*[a-f])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{16}|[0-9a-f]{12})"
    r"|(?<=commit )[0-9a-f]{12}|(?<=parent )[0-9a-f]{12}|(?<=than )[0-9a-f]{12}"
    r"|(?<=from )[0-9a-f]{12}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
    r"|(?:RB|LNX|NIX|WIN|NET|SAAS|APP)-[A-Z]{1,10}-[0-9]{3}"
    r"|164\.[0-9]{3}(?:\([a-zA-Z0-9]{1,4}\))*"
    rf"|{STORE_PATH}"
    r"|[a-z0-9-]{1,40}@(?:openssh\.com|libssh\.org)"
    rf"|{UNIT_NAME}"
    r"|(?:ssh-|sk-ssh-)?[Ee]d25519|[Xx]25519|curve25519-sha256"
    r"|127\.0\.0\.1|0\.0\.0\.0|::1"
    r"|[0-9]{1,3},[0-9]{3}"
    rf"|[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,4}}(?= (?:{_UNITS})\b)|[0-9]{{5,16}}(?= (?:{_UNITS})\b)"
    r")(?![\w-])"
)
"""Shapes of what belongs to machines, and numbers that say of what they are one."""

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,4}(?:[.,][0-9]{1,3})?%?")
_PART = re.compile(
    r"[0-9]{1,4}(?:[smhdxKMG]|ms|us|[KMG]i?B|st|nd|rd|th)?|v[0-9]{1,3}|[0-9]{1,3}p[0-9]", re.ASCII
)
_LINE = re.compile(r":[0-9]{1,6}\Z")
_OPTION = re.compile(r"--?[A-Za-z]")
EDGES = "()[]{}<>\"'`,.;:!?=|*"
_ROOTS = frozenset({"hosts", "policies", "runbooks", "approvals", "acknowledgements"})
_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Own:
    """What the desired state in force says, and may therefore be said again.

    Attributes:
        names: Ids, paths, units, addresses of servers: kept whole, whatever they look like.
        words: Words of what people wrote there; kept unless they look like an identifier.
    """

    names: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


NOTHING = Own()


def named(word: str, own: Own) -> bool:
    """Whether a word, but for marks around it, is a name of the desired state."""
    return bool({word, word.rstrip(",.;:"), word.strip(EDGES)} & own.names)


def quoted(word: str, *, begins: bool, own: Own) -> str | None:
    """What may be quoted of a word.

    Args:
        word: Without white space.
        begins: Whether a sentence begins with it.
        own: What the desired state says.

    Returns:
        The word; its beginning and `HOLE` for a path that begins well; None for nothing.
    """
    if named(word, own):
        return word
    core = word.strip(EDGES + HOLE)
    before, _, after = word.partition(core) if core else (word, "", "")
    if not set(before + after) <= set(EDGES + HOLE):
        return None
    if not core.strip("/") or _is_known(core, begins, own):
        return word
    path = _path(core, own)
    return None if path is None else before + path + after.lstrip("/")


def is_moment(word: str) -> bool:
    """Whether a word says a day."""
    return _MOMENT.search(word) is not None


def is_number(word: str) -> bool:
    """Whether a word is only a number."""
    return _NUMBER.fullmatch(word.strip(EDGES)) is not None


def _is_known(core: str, begins: bool, own: Own) -> bool:
    if core in NAMES or core in own.words or _NUMBER.fullmatch(core) or _OPTION.fullmatch(core):
        return True
    return OURS.fullmatch(core) is not None or _compound(core, begins, own)


def _compound(core: str, begins: bool, own: Own) -> bool:
    """Whether every part of a word is known: ``sshd_config.d``, ``tcp/22``, ``is/are``."""
    if not (core.isascii() and core.replace("\x1f", "").isprintable()) or len(core) > 200:
        return False
    parts = [part for part in re.split(r"[^A-Za-z0-9']+", core) if part]
    digits = sum(len(part) for part in parts if part.isdigit())
    if not parts or digits > _MOST_DIGITS:
        return False
    first, *rest = parts
    return _part(first, begins, own) and all(_part(part, False, own) for part in rest)


def _part(part: str, begins: bool, own: Own) -> bool:
    bare = part.removesuffix("'s").strip("'")
    if bare in WORDS or bare in NAMES or bare in own.words or _PART.fullmatch(bare):
        return True
    return begins and bare[:1].isupper() and bare.lower() in WORDS


def _segment(segment: str, own: Own) -> bool:
    """Whether one part of a path is known: by its words, or as the file of what has a name."""
    name = _LINE.sub("", segment).removesuffix(".yaml")
    if name in own.names or OURS.fullmatch(name) is not None:
        return True
    return _compound(segment, False, own)


def _path(core: str, own: Own) -> str | None:
    """The beginning of a path, as far as it is known."""
    first, *rest = core.split("/")
    if (first and first not in _ROOTS) or not rest:
        return None
    known = [first]
    for segment in rest:
        declared = "/".join([*known, segment]) in own.names
        if segment.strip(HOLE) and not declared and not _segment(segment, own):
            break
        known.append(segment)
    if len(known) < len(core.split("/")):
        known.append(HOLE)
    return "/".join(known) if any(part.strip(HOLE) for part in known) else None
