"""What an expectations document declares, as goss has words for it: a gossfile, and its answer."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.expected import ETC, GROUPS, SYSCTL, UNITS, USERS

_UNITS = (
    "ls /run/systemd/system /run/systemd/transient /etc/systemd/system.control 2> /dev/null"
    r" | grep -E '\.(service|timer|socket|path)$' | grep -v '^run-'"
)


def gossfile(document: Mapping[str, Any]) -> str:
    """Its own resources where it has one; commands only for what nobody declared."""
    units = UNITS.read(document)
    users = sorted(user.name for user in USERS.read(document))
    return json.dumps(
        {
            "command": {
                "undeclared units": {"exec": _UNITS, "exit-status": 1},
                "accounts": {
                    "exec": "cut -d: -f1 /etc/passwd | LC_ALL=C sort | xargs",
                    "exit-status": 0,
                    "stdout": [f"/^{' '.join(users)}$/"],
                },
            },
            "file": dict(_files(document)),
            "group": {one.name: _known(gid=one.gid) for one in GROUPS.read(document)},
            "kernel-param": {
                name: {"value": value} for name, value in SYSCTL.read(document).items()
            },
            "service": {name: {"running": True} for name in (*units.run, *units.sockets)},
            "user": {
                one.name: _known(uid=one.uid, home=one.home, shell=one.shell)
                for one in USERS.read(document)
            },
        }
    )


def broken(said: str) -> frozenset[str]:
    """Resources with a fault in what ``goss validate --format json`` printed."""
    results = json.loads(said)["results"]
    return frozenset(one["resource-id"] for one in results if not one["successful"])


def _files(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, kind in ETC.read(document).items():
        if kind == "file":
            yield f"/etc/{path}", _known(filetype="file")
        else:
            target = kind.removeprefix("-> ") if kind != "link" else f"/etc/static/{path}"
            yield f"/etc/{path}", {**_known(filetype="symlink"), "linked-to": target}


def _known(**facts: str | int | None) -> Mapping[str, Any]:
    return {"exists": True, **{name: fact for name, fact in facts.items() if fact is not None}}
