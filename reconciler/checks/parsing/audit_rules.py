"""Audit rules in one spelling, so that a declared and a loaded rule can be compared as text.

Source: auditctl(8), audit.rules(7). The order of fields in a rule does not change what it
records; the order of rules does only for ``never`` rules, which this form does not judge.
"""

import re

_WATCH_ACCESS = "rwxa"
_ANY_ID = re.compile(
    r"^(auid|uid|euid|suid|fsuid|gid|egid|sgid|fsgid|obj_uid|obj_gid|ses)(!?=)(.+)$"
)
_UNSET = frozenset({"unset", "4294967295", "-1"})
_ARGUMENTS = frozenset({"-a", "-A", "-F", "-C", "-S", "-k", "-w", "-p"})

_ACTIONS = frozenset({"always", "never", "possible"})

_Options = dict[str, list[str]]


def normal(rule: str) -> str | None:
    """The normal form of one rule, or ``None`` for what is no rule (``-b 8192``, ``-D``).

    A rule over one path and its accesses becomes a watch, because the kernel keeps both alike.
    """
    options = _options(rule.split())
    if options is None or ("-w" in options) == ("-a" in options):
        return None
    if "-w" in options:
        return _watch(options["-w"][0], "".join(options.get("-p", [_WATCH_ACCESS])), options["-k"])
    return _syscall_rule(options)


def _options(words: list[str]) -> _Options | None:
    """Options and their arguments; ``-A`` (prepend) is kept as ``-a``, ``-F key=`` as ``-k``."""
    options: _Options = {"-k": []}
    pairs = list(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or any(option not in _ARGUMENTS for option, _ in pairs):
        return None
    for option, argument in pairs:
        if option == "-F" and argument.startswith("key="):
            options["-k"].append(argument[4:])
        elif option == "-S":
            options.setdefault("-S", []).extend(argument.split(","))
        else:
            options.setdefault("-a" if option == "-A" else option, []).append(argument)
    return options


def _watch(path: str, access: str, keys: list[str]) -> str:
    letters = "".join(letter for letter in _WATCH_ACCESS if letter in access)
    return f"-w {path.rstrip('/') or '/'} -p {letters}{_keys(keys)}"


def _syscall_rule(options: _Options) -> str:
    fields = sorted(map(_field, options.get("-F", [])))
    calls = sorted(set(options.get("-S", [])) - {"all"})
    # auditctl takes action and list in either order, and prints the action first.
    listed = ",".join(sorted(options["-a"][0].split(","), key=lambda word: word not in _ACTIONS))
    as_watch = _as_watch(listed, fields, calls, options)
    if as_watch is not None:
        return as_watch
    # auditctl prints the architecture first, because system call numbers depend on it.
    fields.sort(key=lambda field: not field.startswith("arch="))
    parts = [f"-a {listed}", *(f"-F {field}" for field in fields)]
    parts += [f"-C {comparison}" for comparison in sorted(options.get("-C", []))]
    parts += [f"-S {','.join(calls)}"] if calls else []
    return " ".join(parts) + _keys(options["-k"])


def _as_watch(listed: str, fields: list[str], calls: list[str], options: _Options) -> str | None:
    named = dict(field.partition("=")[::2] for field in fields)
    place = named.get("path") or named.get("dir")
    whole = len(fields) == 2 and "perm" in named and not calls and "-C" not in options
    if listed != "always,exit" or place is None or not whole:
        return None
    return _watch(place, named["perm"], options["-k"])


def _field(field: str) -> str:
    match = _ANY_ID.match(field)
    if match is not None and match[3] in _UNSET:
        return f"{match[1]}{match[2]}-1"
    return field


def _keys(keys: list[str]) -> str:
    return "".join(f" -k {key}" for key in sorted(keys))
