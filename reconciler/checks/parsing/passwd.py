"""passwd(5) and shadow(5): local accounts, without anything that identifies a person further."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.checks.parsing.shapes import number
from reconciler.errors import Unobservable

FIRST_PERSON = 1000
"""Lowest uid of a person's account (login.defs(5) UID_MIN on Debian and NixOS)."""

NOBODY = 65534

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?")


@dataclass(frozen=True, slots=True)
class Account:
    """One line of passwd(5)."""

    name: str
    password: str
    uid: int
    gid: int
    shell: str


def accounts(text: str) -> tuple[Account, ...]:
    """Every account, in order.

    Raises:
        Unobservable: There is none, or a line is not one: an account must not hide in a line
            that the C library reads differently.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        raise Unobservable("/etc/passwd is empty")
    return tuple(map(_account, lines))


def passwords(text: str) -> Mapping[str, str]:
    """The password field of every account in shadow(5). It never leaves a parser.

    Raises:
        Unobservable: A line is not one, or a name stands twice.
    """
    found: dict[str, str] = {}
    for line in text.split("\n"):
        if not line.strip():
            continue
        fields = line.split(":")
        if len(fields) != 9 or _NAME.fullmatch(fields[0]) is None or fields[0] in found:
            raise Unobservable("/etc/shadow has a line that is not an account, or one twice")
        found[fields[0]] = fields[1]
    return found


def _account(line: str) -> Account:
    fields = line.split(":")
    if len(fields) != 7 or _NAME.fullmatch(fields[0]) is None:
        raise Unobservable("/etc/passwd has a line that is not an account")
    name, password, uid, gid, _comment, _home, shell = fields
    highest = 2**32 - 1
    return Account(
        name=name,
        password=password,
        uid=number(uid, "a uid", highest=highest),
        gid=number(gid, "a gid", highest=highest),
        shell=shell,
    )
