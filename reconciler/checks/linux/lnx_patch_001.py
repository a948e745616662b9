"""The system's release, and how old its pinned inputs are (45 CFR 164.308(a)(1)(ii)(B)).

A release that its makers no longer mend keeps its holes; which ones are supported is policy, so a
rule names them. On a flake-built system the lock file says how old the packages are
(NIXOS V-268180); where there is none, the field is empty.
"""

import re
from collections.abc import Mapping
from typing import Any

from reconciler.checks.parsing.shapes import MAX_INT, NOW, age, code_lines, json_object
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.values import Params

_RELEASE = ReadFile("/etc/os-release")
_DAY = 86_400
_VALUE = re.compile(r"([A-Z_]{1,32})=(?:\"([^\"\\$`]*)\"|'([^']*)'|([^\s\"'\\$`]*))")
_PLAIN = re.compile(r"[a-z0-9._-]{1,64}")


def _lock(params: Params) -> ReadFile:
    return ReadFile(str(params["lock_file"]), limit=2 * 1024 * 1024)


def _probes(params: Params) -> tuple[Probe, ...]:
    return (_RELEASE, _lock(params), NOW)


def _parse(params: Params, answers: Answers) -> Values | NotApplicable:
    release = _assignments(answers.text(_RELEASE))
    lock = _lock(params)
    return {
        "id": _plain(release.get("ID", "linux"), "ID"),
        "version_id": _plain(release["VERSION_ID"], "VERSION_ID")
        if "VERSION_ID" in release
        else None,
        "inputs_age_days": None if answers.absent(lock) else _lock_age(answers, lock) // _DAY,
    }


def _assignments(text: str) -> Mapping[str, str]:
    """os-release(5): shell-like assignments without expansion."""
    found: dict[str, str] = {}
    for line in code_lines(text):
        match = _VALUE.fullmatch(line)
        if match is not None:
            found[match[1]] = match[2] or match[3] or match[4] or ""
    if "NAME" not in found and "ID" not in found:
        raise Unobservable("/etc/os-release names no system")
    return found


def _plain(text: str, what: str) -> str:
    if _PLAIN.fullmatch(text) is None:
        raise Unobservable(f"/etc/os-release: {what} is not a plain word")
    return text


def _lock_age(answers: Answers, lock: ReadFile) -> int:
    """Seconds since the last change of the nixpkgs input that the root of the lock names."""
    document = json_object(answers.text(lock), "flake.lock")
    nodes = _inner(document, "nodes")
    root = document.get("root")
    name = _inner(_inner(nodes, root), "inputs").get("nixpkgs")
    # A list is a path from the root ("follows"); its end is not looked for here.
    modified = _inner(_inner(nodes, name), "locked").get("lastModified")
    if type(modified) is not int or not 0 <= modified <= MAX_INT:
        raise Unobservable("flake.lock does not say when nixpkgs was modified")
    return age(answers, modified, "flake.lock's nixpkgs")


def _inner(document: Mapping[str, Any], key: Any) -> Mapping[str, Any]:
    found = document.get(key) if isinstance(key, str) else None
    if not isinstance(found, dict):
        raise Unobservable("flake.lock does not name one locked nixpkgs")
    return found


CHECK = Check(
    id="LNX-PATCH-001",
    title="System release supported and inputs fresh",
    platforms=frozenset({"linux", "nixos"}),
    source="os-release(5); nix flake lock file; NIXOS V-268180",
    params={
        "lock_file": Parameter(
            type="str",
            doc="Absolute path of the flake.lock that the system was built from.",
            required=False,
            default="/etc/nixos/flake.lock",
            pattern=r"/[A-Za-z0-9_.@:+/-]{1,1023}",
        )
    },
    fields={
        "id": Field("str", "Operating system in lower case: debian, nixos."),
        "version_id": Field("str", "Release: 12, 26.05; none for a rolling one.", optional=True),
        "inputs_age_days": Field(
            "int", "Whole days since nixpkgs was modified.", optional=True, gauge=True
        ),
    },
    probes=_probes,
    parse=_parse,
)
