"""What a NixOS configuration declares of the machine that runs it: the expectations document.

The configuration writes it into the system closure while the system is built
(``<system>/reconciler/expectations.json``; docs/expectations.md says what each part is compared
with), so nothing is evaluated on the machine.

Rule 1: One format, whole: an unknown member, a missing one, one that stands twice or one of another
        type refuses the document. Half a document would read what is missing as "nothing declared".
Rule 2: A section is read again by whoever judges by it: an answer of a machine is not believed
        because somebody else has read it before.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Generic, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from reconciler.errors import InputError, Unobservable
from reconciler.model.declared import (
    Backup,
    Boot,
    Certificate,
    Cron,
    Etc,
    Expectations,
    Firewall,
    Group,
    Key,
    Listed,
    Listener,
    Modules,
    Mounted,
    NameText,
    Pams,
    Sshd,
    Swap,
    Sysctls,
    Time,
    Units,
    UnitText,
    User,
    Wrapper,
)

FORMAT = "reconciler-expectations/1"
_FORMATS = re.compile(r"reconciler-expectations/[0-9]{1,4}")
PLACE = "reconciler/expectations.json"
"""Of the document, below the path of a system."""

MAX_BYTES = 4 * 1024 * 1024

_S = TypeVar("_S")

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known member",
    "string_type": "is not text",
    "int_type": "is not a whole number",
    "bool_type": "is not true or false",
    "too_long": "has too many items",
}


def _config(form: Any) -> ConfigDict | None:
    """Models have their own configuration, and pydantic takes no second one."""
    is_model = isinstance(form, type) and issubclass(form, BaseModel)
    return None if is_model else ConfigDict(strict=True, defer_build=True)


class Section(Generic[_S]):
    """One member of the document, typed."""

    def __init__(self, name: str, form: Any) -> None:
        """Name a member.

        Args:
            name: Of the member.
            form: Its type.
        """
        self.name = name
        self._adapter: TypeAdapter[_S] = TypeAdapter(form, config=_config(form))

    def read(self, document: Mapping[str, Any]) -> _S:
        """This member of a document that an answer holds (Rule 2).

        Raises:
            Unobservable: It is not there, or has another form.
        """
        try:
            return self._adapter.validate_python(document.get(self.name))
        except ValidationError as problem:
            raise Unobservable(f"expectations: {self.name}{_first(problem)}") from problem


BOOT: Section[Boot] = Section("boot", Boot)
UNITS: Section[Units] = Section("units", Units)
SYSCTL: Section[Sysctls] = Section("sysctl", Sysctls)
USERS: Section[tuple[User, ...]] = Section("users", Listed[User])
GROUPS: Section[tuple[Group, ...]] = Section("groups", Listed[Group])
MUTABLE_USERS: Section[bool] = Section("mutable_users", bool)
KEYS: Section[tuple[Key, ...]] = Section("keys", Listed[Key])
SOCKETS: Section[tuple[Listener, ...]] = Section("sockets", Listed[Listener])
FIREWALL: Section[Firewall] = Section("firewall", Firewall)
MOUNTS: Section[tuple[Mounted, ...]] = Section("mounts", Listed[Mounted])
LUKS: Section[tuple[str, ...]] = Section("luks", Listed[NameText])
SWAP: Section[tuple[Swap, ...]] = Section("swap", Listed[Swap])
TIME: Section[Time] = Section("time", Time)
CERTIFICATES: Section[tuple[Certificate, ...]] = Section("certificates", Listed[Certificate])
BACKUPS: Section[tuple[Backup, ...]] = Section("backups", Listed[Backup])
SSHD: Section[Sshd] = Section("sshd", Sshd)
PAM: Section[Pams] = Section("pam", Pams)
WRAPPERS: Section[tuple[Wrapper, ...]] = Section("wrappers", Listed[Wrapper])
CRON: Section[Cron] = Section("cron", Cron)
MODULES: Section[Modules] = Section("modules", Modules)
ETC: Section[Etc] = Section("etc", Etc)
REAPPLY: Section[tuple[str, ...]] = Section("reapply", Listed[UnitText])


def parse(raw: bytes) -> Mapping[str, Any]:
    """Read a document (Rule 1).

    Args:
        raw: The file.

    Returns:
        The document as plain JSON values; `Section.read` types its parts.

    Raises:
        InputError: It is too large, no JSON, of another format, or not whole.
    """
    if len(raw) > MAX_BYTES:
        _refuse(f"is larger than {MAX_BYTES} bytes")
    try:
        document = json.loads(
            raw, object_pairs_hook=_no_twins, parse_float=_no_float, parse_constant=_no_float
        )
    except (ValueError, RecursionError) as problem:
        _refuse("is not JSON with whole numbers, each member once", problem)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        _refuse(f"is not of the format {FORMAT}{_but_of(document)}")
    try:
        Expectations.model_validate(document)
    except ValidationError as problem:
        _refuse(f"has a wrong member: {_first(problem).removeprefix('.')}", problem)
    return document


def _but_of(document: Any) -> str:
    """Which version it is of, if it is one of ours."""
    found = document.get("format") if isinstance(document, dict) else None
    return f" but of {found}" if isinstance(found, str) and _FORMATS.fullmatch(found) else ""


def _refuse(what: str, cause: Exception | None = None) -> NoReturn:
    raise InputError(
        f"expectations document {what}",
        hint="Build the system with the modules of this version of the project.",
    ) from cause


def _first(problem: ValidationError) -> str:
    """The place of the first error and what it is, never the value."""
    error = problem.errors(include_url=False, include_input=False, include_context=False)[0]
    place = "".join(f".{part}" for part in error["loc"])
    return f"{place} {_WORDS.get(error['type'], 'is not as the format says')}"


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _no_float(_text: str) -> NoReturn:
    raise ValueError("a number is not a whole number")
