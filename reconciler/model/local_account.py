"""Local accounts: passwd(5) and shadow(5), without anything that identifies a person further."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import Unobservable

FIRST_PERSON = 1000
"""Lowest uid of a person's account (login.defs(5) UID_MIN on Debian and NixOS)."""

CLOSED = "1"
"""The day of expiry that usermod(8) says to set where more than the password is to be locked."""

_NOBODY = 65534
_BUILDERS = 30000
"""Group of Nix's build users, and the uid before their first."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?")
_ID = re.compile(r"[0-9]{1,10}")
_HIGHEST = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Account:
    """One line of passwd(5)."""

    name: str
    password: str
    uid: int
    gid: int
    home: str
    shell: str


def is_person(account: Account) -> bool:
    """Whether an account is one of a person, and not of the system."""
    if account.uid == _NOBODY and account.name == "nobody":
        return False
    return account.uid >= FIRST_PERSON and not _is_nix_builder(account)


def _is_nix_builder(account: Account) -> bool:
    """nixbld1 (uid 30001) and so on; all of it is compared, since a name alone could be taken."""
    suffix = account.name.removeprefix("nixbld")
    return (
        suffix.isdecimal()
        and suffix.isascii()
        and account.uid == _BUILDERS + int(suffix)
        and account.gid == _BUILDERS
        and account.shell.endswith("/nologin")
    )


def read_accounts(text: str) -> tuple[Account, ...]:
    """Every account, in order.

    Raises:
        Unobservable: There is none, or a line is not one: an account must not hide in a line
            that the C library reads differently.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        raise Unobservable("/etc/passwd is empty")
    return tuple(map(_account, lines))


def read_shadow(text: str) -> Mapping[str, tuple[str, ...]]:
    """The nine fields of every account in shadow(5). They never leave a parser or a step.

    Raises:
        Unobservable: A line is not one, or a name stands twice.
    """
    found: dict[str, tuple[str, ...]] = {}
    for line in text.split("\n"):
        if not line.strip():
            continue
        fields = tuple(line.split(":"))
        if len(fields) != 9 or _NAME.fullmatch(fields[0]) is None or fields[0] in found:
            raise Unobservable("/etc/shadow has a line that is not an account, or one twice")
        found[fields[0]] = fields
    return found


def expiry(shadow: Mapping[str, tuple[str, ...]], name: str) -> str:
    """The day on which an account expires, as shadow(5) writes it; empty for never."""
    return shadow[name][7] if name in shadow else ""


def _account(line: str) -> Account:
    fields = line.split(":")
    if len(fields) != 7 or _NAME.fullmatch(fields[0]) is None:
        raise Unobservable("/etc/passwd has a line that is not an account")
    name, password, uid, gid, _comment, home, shell = fields
    return Account(name, password, _id(uid, "a uid"), _id(gid, "a gid"), home, shell)


def _id(text: str, what: str) -> int:
    if _ID.fullmatch(text) is None:
        raise Unobservable(f"{what} is not a whole number")
    if int(text) > _HIGHEST:
        raise Unobservable(f"{what} is not between 0 and {_HIGHEST}")
    return int(text)
