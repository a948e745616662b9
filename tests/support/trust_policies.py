"""Trust policies to test with: the example of the documents, and changes of it."""

from collections.abc import Mapping
from typing import Any

import yaml

POLICY = "policies/trust/policy.yaml"

PEOPLE = (
    {
        "id": "alice",
        "principals": ("alice@msp.example",),
        "roles": ("engineer", "security"),
        "clients": ("elm-street",),
    },
    {
        "id": "bob",
        "principals": ("bob@msp.example", "bob-yubikey@msp.example"),
        "roles": ("engineer",),
        "all_clients": True,
    },
    {"id": "carol", "principals": ("carol@msp.example",), "roles": ("security", "owner")},
)
MACHINES = ({"id": "ci", "principals": ("ci@msp.example",), "roles": ("heartbeat", "release")},)
RULES = (
    {
        "id": "trust",
        "paths": ("policies/trust/**",),
        "authors": ("security",),
        "approvals": 1,
        "approvers": ("security", "engineer"),
    },
    {"id": "runbooks", "paths": ("runbooks/**",), "authors": ("engineer",), "approvals": 1},
    {
        "id": "clients",
        "paths": ("hosts/{client}/**", "policies/exceptions/{client}/**"),
        "authors": ("engineer",),
        "approvals": 0,
    },
    {"id": "rest", "paths": ("**",), "authors": ("engineer",), "approvals": 1},
)


def policy(**changes: Any) -> dict[str, Any]:
    """The example policy as plain data; None takes a part out."""
    whole = {
        "format": 1,
        "people": PEOPLE,
        "machines": MACHINES,
        "rules": RULES,
        "recovery": {"roles": ("security", "owner"), "people": 2},
        **changes,
    }
    return {name: part for name, part in whole.items() if part is not None}


def policy_text(**changes: Any) -> str:
    """The same as the file in a fleet repository."""
    return yaml.safe_dump(_lists(policy(**changes)), sort_keys=False)


def _lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _lists(part) for name, part in value.items()}
    return [_lists(part) for part in value] if isinstance(value, tuple) else value
