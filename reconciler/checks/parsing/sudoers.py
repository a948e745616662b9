"""sudoers(5): who may act as another without a password, and how long one password lasts.

A reader of the part of the grammar that these two questions need. What it cannot read is
`Unobservable`, because a rule that is skipped is a privilege that stays unseen; where the grammar
leaves doubt it reports more people, never fewer.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.checks.parsing.shapes import FileText
from reconciler.errors import Unobservable

INCLUDED_DIRECTORY = "/etc/sudoers.d"

_PRINCIPAL = re.compile(r"[%+]?#?[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}")
_UID_FOLLOWS = re.compile(r"(?:^|.*[\s,%!(=])$", re.S)
_ALIAS = re.compile(r"(?:User|Runas|Host|Cmnd|Cmd)_Alias\s")
_RULE = re.compile(r"([^\s,=]+(?:\s*,\s*[^\s,=]+)*)\s+[^=\s][^=]*=(.*)", re.S)
_INCLUDE = re.compile(r"[@#](include|includedir)\s+(.*)")
_DEFAULTS = re.compile(r"Defaults(?:([:@>!])\s*([^\s,]+(?:\s*,\s*[^\s,]+)*))?\s+(.*)", re.S)


@dataclass(frozen=True, slots=True)
class Default:
    """One setting of a ``Defaults`` line; ``users`` is empty when it holds for everybody."""

    users: tuple[str, ...]
    setting: str


@dataclass(frozen=True, slots=True)
class Sudoers:
    """What was read.

    Attributes:
        nopasswd: Users, ``%groups`` and ``ALL`` that some rule spares the password; sorted.
        defaults: Every setting, in order.
    """

    nopasswd: tuple[str, ...]
    defaults: tuple[Default, ...]


def read(main: str, included: Iterable[FileText]) -> Sudoers:
    """Read a configuration.

    Args:
        main: Text of /etc/sudoers.
        included: The files of /etc/sudoers.d; read when the main file includes that directory.

    Raises:
        Unobservable: Another file is included, or a line cannot be read.
    """
    lines = list(_lines(main))
    rules = [line for line in lines if not _includes(line)]
    if len(rules) < len(lines):
        for file in sorted(included, key=lambda file: file.path):
            rules += _included_rules(file)
    aliases = _user_aliases(rules)
    defaults = tuple(item for line in rules for item in _defaults(line))
    spared = {name for line in rules for name in _spared_by_rule(line, aliases)}
    spared |= {name for default in defaults for name in _spared_by_default(default, aliases)}
    return Sudoers(tuple(sorted(spared)), defaults)


def _lines(text: str) -> Iterator[str]:
    """Logical lines: continued ones joined, comments taken off."""
    for raw in text.replace("\\\n", " ").split("\n"):
        line = raw.strip()
        if _INCLUDE.fullmatch(line) is None:
            line = _without_comment(line)
        if line:
            yield line


def _without_comment(line: str) -> str:
    """A line up to its comment; ``#1000`` where a name can stand is a uid."""
    quoted = False
    for position, character in enumerate(line):
        if character == '"' and line[position - 1 : position] != "\\":
            quoted = not quoted
        elif character == "#" and not quoted and line[position - 1 : position] != "\\":
            is_uid = line[position + 1 : position + 2].isdigit()
            if not (is_uid and _UID_FOLLOWS.match(line[max(position - 1, 0) : position])):
                return line[:position].strip()
    return line


def _includes(line: str) -> bool:
    """Whether a line includes /etc/sudoers.d; any other include was not looked at."""
    found = _INCLUDE.fullmatch(line)
    if found is None:
        return False
    if found[1] != "includedir" or found[2].strip().rstrip("/") != INCLUDED_DIRECTORY:
        raise Unobservable("sudoers includes a file that was not looked at")
    return True


def _included_rules(file: FileText) -> list[str]:
    """Lines of an included file; sudo skips names with a dot or with a tilde at the end."""
    name = file.path.rpartition("/")[2]
    if "." in name or name.endswith("~"):
        return []
    lines = list(_lines(file.text))
    if any(_INCLUDE.fullmatch(line) for line in lines):
        raise Unobservable("sudoers: an included file includes another; not followed")
    return lines


def _user_aliases(lines: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in lines:
        if not line.startswith("User_Alias"):
            continue
        for definition in line.removeprefix("User_Alias").split(":"):
            name, equals, members = definition.partition("=")
            if not equals:
                raise Unobservable("sudoers: an alias cannot be read")
            found[name.strip()] = tuple(member.strip() for member in members.split(","))
    return found


def _defaults(line: str) -> Iterator[Default]:
    if not line.startswith("Defaults"):
        return
    found = _DEFAULTS.fullmatch(line)
    if found is None:
        raise Unobservable("sudoers: a Defaults line cannot be read")
    users = tuple(re.split(r"\s*,\s*", found[2])) if found[1] == ":" else ()
    for setting in _split_unquoted(found[3]):
        yield Default(users, setting)


def _split_unquoted(text: str) -> Iterator[str]:
    quoted, start = False, 0
    for position, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            yield text[start:position].strip()
            start = position + 1
    yield text[start:].strip()


def _spared_by_rule(line: str, aliases: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if line.startswith("Defaults") or _ALIAS.match(line):
        return
    found = _RULE.fullmatch(line)
    if found is None:
        raise Unobservable("sudoers: a line cannot be read")
    if "NOPASSWD" in found[2]:
        yield from _principals(found[1].split(","), aliases)


def _spared_by_default(default: Default, aliases: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if re.fullmatch(r"!\s*authenticate", default.setting):
        yield from _principals(default.users or ("ALL",), aliases)
    if default.setting.startswith("exempt_group"):
        group = default.setting.partition("=")[2].strip(' "')
        yield from _principals((f"%{group}",), {})


def _principals(names: Iterable[str], aliases: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Users and groups that a list names, with aliases put in, also nested ones."""
    todo = [name.strip() for name in names]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen or name.startswith("!"):
            continue
        seen.add(name)
        if name in aliases:
            todo += aliases[name]
        elif _PRINCIPAL.fullmatch(name) is None:
            raise Unobservable("sudoers: the name of a user or group cannot be read")
        else:
            yield name
